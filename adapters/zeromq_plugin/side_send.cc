// What a side sends: PUB and XPUB publish, XSUB tells upstream.
#include <poll.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <ctime>
#include <utility>

#include "adapters/zeromq_plugin/side.h"

namespace weir::zmq_plugin {
namespace {

using namespace std::chrono_literals;

// Subscribers who take make room by hundreds of messages in such a time; who holds us back longer is looked at more
// seldom.
constexpr std::chrono::nanoseconds first_pause = 50us;
constexpr std::chrono::nanoseconds longest_pause = 2ms;

Deadline deadline_of(void* socket, int option) noexcept {
  const int timeout = int_option(socket, option, -1);
  return timeout < 0 ? never : after(std::chrono::milliseconds(timeout));
}

}  // namespace

int Side::send(zmq_msg_t& message, int flags) {
  if (!publishes(type_)) {
    if (type_ != ZMQ_XSUB) return libzmq().msg_send(&message, socket_, flags);
    return send_upstream(&message, frame_of(message), flags);
  }
  if (const int why = obstacle(); why != 0) return fail(why);
  const Frame frame = frame_of(message);
  if ((flags & ZMQ_SNDMORE) != 0) {
    if (const int error = admit_first_part(flags); error != 0) return fail(error);
    return parts_.take(message) ? told(frame.size()) : fail(ENOMEM);
  }
  const int sent = publish(&message, frame, flags);
  if (sent >= 0) {
    libzmq().msg_close(&message);
    libzmq().msg_init(&message);
  }
  return sent;
}

int Side::send(Frame frame, int flags) {
  if (!publishes(type_)) {
    if (type_ != ZMQ_XSUB) return libzmq().send(socket_, frame.data(), frame.size(), flags);
    return send_upstream(nullptr, frame, flags);
  }
  if (const int why = obstacle(); why != 0) return fail(why);
  if ((flags & ZMQ_SNDMORE) != 0) {
    if (const int error = admit_first_part(flags); error != 0) return fail(error);
    return parts_.copy(frame) ? told(frame.size()) : fail(ENOMEM);
  }
  return publish(nullptr, frame, flags);
}

bool Side::has_room() {
  return std::all_of(places_.begin(), places_.end(), [](const auto& place) { return place->sender->has_room(); });
}

// As libzmq: a message is refused at its first frame. Only want of memory shows at its last.
int Side::admit_first_part(int flags) {
  // Who goes on after a refused end has given that message up.
  if (std::exchange(last_refused_, false)) parts_.clear();
  if (!parts_.empty() || sends_at_once()) return 0;
  return with_room([this] { return has_room() ? 0 : EAGAIN; }, flags);
}

bool Side::sends_at_once() const noexcept {
  return std::none_of(places_.begin(), places_.end(), [](const auto& place) { return place->sender->blocks(); });
}

// Tries until it is not refused for want of room, if the flags and the time allow.
template <class Try>
int Side::with_room(const Try& attempt, int flags) {
  int error = attempt();
  if (error != EAGAIN || (flags & ZMQ_DONTWAIT) != 0) return error;
  const Deadline deadline = deadline_of(socket_, ZMQ_SNDTIMEO);
  for (unsigned count = 0; error == EAGAIN; ++count) {
    if (error = wait_for_room(deadline, count); error != 0) return error;
    error = attempt();
  }
  return error;
}

// Goes on where the last try has come to: nobody gets a message twice.
int Side::try_publish(std::span<const Frame> frames, zmq_msg_t* message, Sent& sent) {
  if (sole_ != nullptr) [[likely]] {
    Sender& sender = *sole_->sender;
    if (message != nullptr && frames.size() == 1 && frames[0].size() >= lent_from) {
      const int error = sender.publish_lent(*message);
      if (error != EINVAL) return error;
    }
    return sender.publish(frames);
  }
  if (!sent.to_somebody()) {
    if (!places_.empty() && !places_.front()->sender->fits(FrameWriter(frames))) return EMSGSIZE;  // to none of them
    if (!has_room()) return EAGAIN;
  }
  if (natives_ != 0 && !sent.natively) {
    if (const int error = pass_on_natively(frames); error != 0) return error;
    sent.natively = true;
  }
  for (; sent.places < places_.size(); ++sent.places) {
    const int error = places_[sent.places]->sender->publish(frames);
    // What somebody has is waited with for memory, as for room.
    if (error == ENOMEM && sent.to_somebody()) return EAGAIN;
    if (error != 0) return error;
  }
  return 0;
}

int Side::publish(zmq_msg_t* message, Frame last, int flags) {
  std::span<const Frame> frames(&last, 1);
  if (!parts_.empty()) [[unlikely]] {
    last_refused_ = true;  // until it is not
    frames = parts_.with(last);
  }
  Sent sent;
  const auto attempt = [&] { return try_publish(frames, message, sent); };
  int failed = with_room(attempt, flags);
  // What somebody has is not refused: the others are waited for once more, and have lost it after that.
  if (failed == EAGAIN && sent.to_somebody()) failed = with_room(attempt, 0);
  while (failed == EINTR && sent.to_somebody()) failed = with_room(attempt, 0);
  if (failed != 0 && !sent.to_somebody()) {
    if (failed == EMSGSIZE) parts_.clear();
    // Who waits on the descriptor now is told of room; at once if there is some by now.
    if (failed == EAGAIN && descriptor_given_ && has_room()) readiness_->nudge();
    return fail(failed);
  }
  parts_.clear();
  last_refused_ = false;
  if (last.size() >= lent_from && !places_.empty()) guess_next(places_.front()->sender);
  return told(last.size());
}

// Never waits, so that a refusal is dealt with as one of ours. It comes with the first frame, if at all.
int Side::pass_on_natively(std::span<const Frame> frames) {
  for (std::size_t index = 0; index < frames.size(); ++index) {
    const int more = index + 1 < frames.size() ? ZMQ_SNDMORE : 0;
    if (libzmq().send(socket_, frames[index].data(), frames[index].size(), ZMQ_DONTWAIT | more) < 0) return errno;
  }
  return 0;
}

// A signal and the end of the context end it; the death of who holds us back is found at the next try.
int Side::wait_for_room(std::chrono::steady_clock::time_point deadline, unsigned attempt) noexcept {
  if (has_ended()) return ETERM;
  // A socket that was made while its context ended may not have been told.
  if (int events = 0; !native_events(events)) return errno;
  if (passed(deadline)) return EAGAIN;
  const std::chrono::nanoseconds pause = std::min(first_pause * (1U << std::min(attempt / 4, 6U)), longest_pause);
  const std::chrono::nanoseconds left =
      deadline == never ? longest_pause
                        : std::max<std::chrono::nanoseconds>(deadline - std::chrono::steady_clock::now(), 0ns);
  const timespec time{.tv_sec = 0, .tv_nsec = std::min(pause, left).count()};
  if (ppoll(nullptr, 0, &time, nullptr) < 0 && errno == EINTR) return EINTR;
  return has_ended() ? ETERM : 0;
}

// libzmq's own socket keeps what it is told for connections of its own; then it is told to our places.
int Side::send_upstream(zmq_msg_t* message, Frame frame, int flags) {
  const bool has_more = (flags & ZMQ_SNDMORE) != 0;
  if (is_active()) {
    if (const int why = obstacle(); why != 0) return fail(why);
  }
  if (const int error = note_upstream(frame, has_more); error != 0) return fail(error);
  return message != nullptr ? libzmq().msg_send(message, socket_, flags)
                            : libzmq().send(socket_, frame.data(), frame.size(), flags);
}

int Side::note_upstream(Frame frame, bool has_more) {
  const auto first = frame.empty() ? std::byte{2} : frame.front();
  if (parts_.empty() && !has_more && (first == std::byte{0} || first == std::byte{1})) {
    const std::string_view prefix(reinterpret_cast<const char*>(frame.data()) + 1, frame.size() - 1);
    return first == std::byte{1} ? subscribe(prefix) : unsubscribe(prefix);
  }
  if (!is_active()) return 0;
  if (has_more) return parts_.copy(frame) ? 0 : ENOMEM;
  const std::span<const Frame> frames = parts_.with(frame);
  for (const auto& place : places_) place->announcer->send(subscriptions_, frames);
  parts_.clear();
  return 0;
}

}  // namespace weir::zmq_plugin
