// What a side receives: SUB and XSUB messages that match, XPUB subscriptions.
#include <poll.h>

#include <cerrno>
#include <chrono>
#include <ctime>
#include <limits>
#include <thread>

#include "adapters/zeromq_plugin/side.h"

namespace weir::zmq_plugin {
namespace {

// A sleep costs its owner, and who wakes it, more than spinning for so long.
constexpr std::chrono::microseconds worth_spinning(20);
// Messages that are passed over before the caller is looked after again.
constexpr std::uint64_t most_passed_over = 1024;

// False: a signal ended it.
bool nap() noexcept {
  constexpr timespec time{.tv_sec = 0, .tv_nsec = 1'000'000};
  return ppoll(nullptr, 0, &time, nullptr) == 0 || errno != EINTR;
}

void pause_processor() noexcept {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#endif
}

}  // namespace

int Side::receive(zmq_msg_t& message, int flags) {
  if (type_ == ZMQ_PUB) return libzmq().msg_recv(&message, socket_, flags);
  const auto native = [&](int native_flags) {
    const int size = libzmq().msg_recv(&message, socket_, native_flags);
    if (size >= 0) native_more_ = libzmq().msg_more(&message) != 0;
    return size;
  };
  const auto give = [&] {
    const bool is_delivery = delivery_.under_way();
    const bool more = is_delivery ? delivery_.more() : heard_at_ + 1 < heard_.front().size();
    if (const int error = more ? prepare_to_mark_more() : 0; error != 0) return fail(error);
    libzmq().msg_close(&message);
    bool given = false;
    if (is_delivery) {
      given = delivery_.give(message);
    } else {
      const std::string& frame = heard_.front()[heard_at_];
      given = libzmq().msg_init_size(&message, frame.size()) == 0;
      if (given) frame.copy(static_cast<char*>(libzmq().msg_data(&message)), frame.size());
    }
    if (!given) {
      libzmq().msg_init(&message);
      return fail(ENOMEM);
    }
    more_ = more;
    if (more_) mark_more(message);
    return told(libzmq().msg_size(&message));
  };
  return receive_by(give, native, flags);
}

int Side::receive(void* buffer, std::size_t size, int flags) {
  if (type_ == ZMQ_PUB) return libzmq().recv(socket_, buffer, size, flags);
  const auto native = [&](int native_flags) {
    const int whole = libzmq().recv(socket_, buffer, size, native_flags);
    if (whole >= 0) native_more_ = int_option(socket_, ZMQ_RCVMORE, 0) != 0;
    return whole;
  };
  const auto give = [&] {
    if (delivery_.under_way()) {
      more_ = delivery_.more();
      return told(delivery_.give(buffer, size));
    }
    const std::string& frame = heard_.front()[heard_at_];
    more_ = heard_at_ + 1 < heard_.front().size();
    frame.copy(static_cast<char*>(buffer), size);
    return told(frame.size());
  };
  return receive_by(give, native, flags);
}

template <class Native>
int Side::receive_natively(const Native& native, int flags) {
  const int size = native(flags);
  if (size >= 0) more_ = native_more_;
  return size;
}

template <class Give, class Native>
int Side::receive_by(const Give& give, const Native& native, int flags) {
  if (!is_active()) return native(flags);
  if (native_more_) return receive_natively(native, flags);
  if (const int why = obstacle(); why != 0) return fail(why);
  // Not in the middle of a message: more_ is of one of ours here.
  while (!more_) {
    // By turns, so that neither way starves the other.
    if (natives_ != 0 && natives_turn_) {
      natives_turn_ = false;
      const int size = receive_natively(native, ZMQ_DONTWAIT);
      if (size >= 0 || errno != EAGAIN) return size;
    }
    if (find_input(Arm::no)) break;
    natives_turn_ = natives_ != 0;
    if (natives_turn_) {
      const int size = receive_natively(native, ZMQ_DONTWAIT);
      natives_turn_ = false;
      if (size >= 0 || errno != EAGAIN) return size;
    }
    if (const int error = wait_for_input(flags); error != 0) return fail(error);
  }
  natives_turn_ = natives_ != 0;
  const bool was_heard = !delivery_.under_way();
  const int size = give();
  if (was_heard && size >= 0) {
    if (++heard_at_ == heard_.front().size()) {
      heard_.pop_front();
      heard_at_ = 0;
    }
  }
  return size;
}

bool Side::find_input(Arm arm) {
  if (delivery_.under_way() || !heard_.empty()) return true;
  if (type_ != ZMQ_XPUB) return find_message(arm);
  if (arm == Arm::no && is_armed_) {
    if (!readiness_->look()) return false;
  }
  is_armed_ = false;
  is_blind_ = false;
  for (const auto& place : places_) is_blind_ = !place->listener->listen(verbosity_, heard_) || is_blind_;
  is_armed_ = !is_blind_;
  return !heard_.empty();
}

bool Side::find_message(Arm arm) {
  if (arm == Arm::yes && is_armed_) return false;
  if (sole_ != nullptr) [[likely]] {
    if (sole_->receiver && take_matching(sole_->receiver, arm)) return true;
  } else {
    const std::size_t count = places_.size();
    for (std::size_t tried = 0; tried < count; ++tried) {
      turn_ = turn_ + 1 < count ? turn_ + 1 : 0;
      if (places_[turn_]->receiver && take_matching(places_[turn_]->receiver, arm)) return true;
    }
  }
  is_blind_ = false;
  for (const auto& place : places_) is_blind_ = (place->receiver && place->receiver->was_blind()) || is_blind_;
  is_armed_ = arm == Arm::yes && readiness_.has_value() && !is_blind_;
  return false;
}

bool Side::matches(const spi::SampleRecord& sample) const noexcept {
  const FrameReader frames(sample);
  const bool is_too_large = max_message_size_ >= 0 && frames.exceeds(static_cast<std::size_t>(max_message_size_));
  return !is_too_large && subscriptions_.match(frames.first()) != inverts_;
}

bool Side::take_matching(const Ref<Receiver>& receiver, Arm arm) {
  spi::SampleRecord sample;
  // Who conflates and has one looks on for the newest, through all that can be there.
  const auto most = [this] { return conflates_ && delivery_.under_way() ? most_messages : most_passed_over; };
  for (std::uint64_t looked_at = 0; looked_at < most(); ++looked_at) {
    if ((arm == Arm::no && !receiver->ready()) || !receiver->take(sample)) return delivery_.under_way();
    is_armed_ = false;
    if (!matches(sample)) {
      receiver->release(sample);
      continue;
    }
    delivery_.begin(receiver, sample);
    if (!conflates_) return true;  // else it makes room for the next, if there is one
  }
  if (readiness_) readiness_->nudge();  // there may be more
  return delivery_.under_way();
}

bool Side::spin_for_input() {
  static const bool alone = std::thread::hardware_concurrency() < 2;
  if (alone || expected_gap_ > worth_spinning || sole_ == nullptr || !sole_->receiver) return false;
  Receiver& receiver = *sole_->receiver;
  const Deadline end = after(2 * worth_spinning);
  constexpr int looks_between_clocks = 32;
  while (!has_ended()) {
    for (int look = 0; look < looks_between_clocks; ++look) {
      // What does not match counts as time.
      if (receiver.ready() && find_input(Arm::no)) return true;
      pause_processor();
    }
    if (passed(end)) return false;
  }
  return false;
}

int Side::wait_for_input(int flags) {
  const int timeout = (flags & ZMQ_DONTWAIT) != 0 ? 0 : int_option(socket_, ZMQ_RCVTIMEO, -1);
  if (timeout == 0) {
    if (descriptor_given_ && find_input(Arm::yes)) return 0;
    nudge_if_blind();
    return EAGAIN;
  }
  const auto begin = std::chrono::steady_clock::now();
  int error = 0;
  if (!spin_for_input()) {
    error = sleep_for_input(timeout < 0 ? never : begin + std::chrono::milliseconds(timeout));
  }
  const std::chrono::nanoseconds gap = std::chrono::steady_clock::now() - begin;
  expected_gap_ += (gap - expected_gap_) / 4;
  return error;
}

// A receive of libzmq's is not refused for want of descriptors, so it looks after its messages from time to time.
int Side::sleep_without_descriptor(std::chrono::steady_clock::time_point deadline) {
  while (true) {
    if (find_input(Arm::no)) return 0;
    int events = 0;
    if (!native_events(events)) return errno;
    if (natives_ != 0 && (events & ZMQ_POLLIN) != 0) {
      natives_turn_ = true;
      return 0;
    }
    if (has_ended()) return ETERM;
    if (passed(deadline)) return EAGAIN;
    if (!nap()) return EINTR;
  }
}

int Side::sleep_for_input(std::chrono::steady_clock::time_point deadline) {
  if (readiness() == nullptr) return sleep_without_descriptor(deadline);
  while (true) {
    if (find_input(Arm::yes)) return 0;
    // Also without connections of libzmq's: its descriptor is readable until somebody asks.
    int events = 0;
    if (!native_events(events)) return errno;
    if (natives_ != 0 && (events & ZMQ_POLLIN) != 0) {
      natives_turn_ = true;
      return 0;
    }
    if (has_ended()) return ETERM;
    if (passed(deadline)) return EAGAIN;  // also while there is always something that does not match
    if (is_blind_) {
      if (!nap()) return EINTR;
      continue;
    }
    switch (readiness_->wait(deadline)) {
      case Readiness::Woken::by_event:
        is_armed_ = false;
        break;
      case Readiness::Woken::by_signal:
        return EINTR;
      case Readiness::Woken::by_deadline:
        return EAGAIN;
    }
  }
}

}  // namespace weir::zmq_plugin
