#include "adapters/zeromq_plugin/messages.h"

#include <atomic>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <new>

namespace weir::zmq_plugin {
namespace {

constexpr unsigned char more_flag = 1;  // msg_t::more, which zmq_msg_more() tells

enum : std::ptrdiff_t { not_looked_for = -1, not_there = -2 };
std::atomic<std::ptrdiff_t> place_of_flags{not_looked_for};

// Two messages that share their content differ from what the first was before in one byte of flags.
std::ptrdiff_t find_flags() noexcept {
  constexpr std::size_t too_large_to_be_inside = 1000;
  zmq_msg_t message;
  zmq_msg_t sharer;
  if (libzmq().msg_init_size(&message, too_large_to_be_inside) != 0) return not_looked_for;
  zmq_msg_t before;
  std::memcpy(&before, &message, sizeof(message));
  libzmq().msg_init(&sharer);
  libzmq().msg_copy(&sharer, &message);
  auto* const bytes = reinterpret_cast<unsigned char*>(&message);
  const auto* const old_bytes = reinterpret_cast<const unsigned char*>(&before);
  std::ptrdiff_t place = not_there;
  std::size_t differences = 0;
  for (std::size_t index = 0; index < sizeof(message); ++index) {
    if (bytes[index] != old_bytes[index]) {
      ++differences;
      place = static_cast<std::ptrdiff_t>(index);
    }
  }
  if (differences != 1 || libzmq().msg_more(&message) != 0) {
    place = not_there;
  } else {
    bytes[place] |= more_flag;
    const bool is_it = libzmq().msg_more(&message) == 1;
    bytes[place] &= static_cast<unsigned char>(~more_flag);
    if (!is_it) place = not_there;
  }
  libzmq().msg_close(&sharer);
  libzmq().msg_close(&message);
  return place;
}

}  // namespace

int prepare_to_mark_more() noexcept {
  std::ptrdiff_t place = place_of_flags.load(std::memory_order_relaxed);
  if (place == not_looked_for) [[unlikely]] {
    place = find_flags();
    place_of_flags.store(place, std::memory_order_relaxed);
  }
  if (place >= 0) return 0;
  return place == not_there ? ENOTSUP : ENOMEM;
}

void mark_more(zmq_msg_t& message) noexcept {
  reinterpret_cast<unsigned char*>(&message)[place_of_flags.load(std::memory_order_relaxed)] |= more_flag;
}

Frame frame_of(zmq_msg_t& message) noexcept {
  return {static_cast<const std::byte*>(libzmq().msg_data(&message)), libzmq().msg_size(&message)};
}

bool Parts::take(zmq_msg_t& message) {
  if (messages_.size() == messages_.capacity()) {
    // A vector would move them as bytes, which is not what libzmq promises to stand.
    std::vector<zmq_msg_t> larger;
    larger.reserve(2 * messages_.size() + 4);
    for (zmq_msg_t& old : messages_) {
      libzmq().msg_init(&larger.emplace_back());
      libzmq().msg_move(&larger.back(), &old);
    }
    messages_.swap(larger);
  }
  zmq_msg_t& taken = messages_.emplace_back();
  libzmq().msg_init(&taken);
  return libzmq().msg_move(&taken, &message) == 0;
}

bool Parts::copy(Frame frame) {
  zmq_msg_t message;
  if (libzmq().msg_init_size(&message, frame.size()) != 0) return false;
  if (!frame.empty()) std::memcpy(libzmq().msg_data(&message), frame.data(), frame.size());
  bool taken = false;
  try {
    taken = take(message);
  } catch (const std::bad_alloc&) {
  }
  libzmq().msg_close(&message);
  return taken;
}

std::span<const Frame> Parts::with(Frame last) {
  frames_.clear();
  for (zmq_msg_t& message : messages_) frames_.push_back(frame_of(message));
  frames_.push_back(last);
  return frames_;
}

void Parts::clear() noexcept {
  for (zmq_msg_t& message : messages_) libzmq().msg_close(&message);
  messages_.clear();
}

}  // namespace weir::zmq_plugin
