#include "adapters/zeromq_plugin/messages.h"

#include <cstring>
#include <optional>

namespace weir::zmq_plugin {
namespace {

constexpr unsigned char more_flag = 1;  // msg_t::more, which zmq_msg_more() tells

// Two messages that share their content differ from what the first was before in one byte of flags.
std::optional<std::size_t> find_flags() noexcept {
  constexpr std::size_t too_large_to_be_inside = 1000;
  zmq_msg_t message;
  zmq_msg_t sharer;
  if (libzmq().msg_init_size(&message, too_large_to_be_inside) != 0) return std::nullopt;
  zmq_msg_t before;
  std::memcpy(&before, &message, sizeof(message));
  libzmq().msg_init(&sharer);
  libzmq().msg_copy(&sharer, &message);
  auto* const bytes = reinterpret_cast<unsigned char*>(&message);
  const auto* const old_bytes = reinterpret_cast<const unsigned char*>(&before);
  std::optional<std::size_t> place;
  std::size_t differences = 0;
  for (std::size_t index = 0; index < sizeof(message); ++index) {
    if (bytes[index] != old_bytes[index]) {
      ++differences;
      place = index;
    }
  }
  if (differences != 1 || libzmq().msg_more(&message) != 0) {
    place.reset();
  } else {
    bytes[*place] |= more_flag;
    const bool is_it = libzmq().msg_more(&message) == 1;
    bytes[*place] &= static_cast<unsigned char>(~more_flag);
    if (!is_it) place.reset();
  }
  libzmq().msg_close(&sharer);
  libzmq().msg_close(&message);
  return place;
}

}  // namespace

bool mark_more(zmq_msg_t& message) noexcept {
  static const std::optional<std::size_t> flags = find_flags();
  if (!flags) return false;
  reinterpret_cast<unsigned char*>(&message)[*flags] |= more_flag;
  return true;
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
  const bool taken = take(message);
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
