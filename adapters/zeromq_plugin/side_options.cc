// A side's options: those that libzmq does not tell again are noted, those that shared memory bears on are answered.
#include <cerrno>
#include <cstring>
#include <utility>

#include "adapters/zeromq_plugin/side.h"

namespace weir::zmq_plugin {
namespace {

bool is_on(const void* value, std::size_t size) noexcept {
  int number = 0;
  if (size != sizeof(number)) return false;
  std::memcpy(&number, value, sizeof(number));
  return number != 0;
}

// Back to what it was, after libzmq has taken what was refused here.
void set_natively(void* socket, int option, bool is_set) noexcept {
  const int value = is_set ? 1 : 0;
  libzmq().setsockopt(socket, option, &value, sizeof(value));
}

// As libzmq answers: the value, and its size.
int answer(int value, void* to, std::size_t* size) noexcept {
  if (*size < sizeof(value)) return fail(EINVAL);
  std::memcpy(to, &value, sizeof(value));
  *size = sizeof(value);
  return 0;
}

int answer(const std::string& text, void* to, std::size_t* size) noexcept {
  if (*size < text.size() + 1) return fail(EINVAL);
  std::memcpy(to, text.c_str(), text.size() + 1);
  *size = text.size() + 1;
  return 0;
}

}  // namespace

int Side::note_option(int option, const void* value, std::size_t size) {
  if (const int why = is_active() ? obstacle() : 0; why != 0) return fail(why);
  const std::string_view text(static_cast<const char*>(value), size);
  int error = 0;
  switch (option) {
    case ZMQ_SUBSCRIBE:
      error = subscribes(type_) ? subscribe(text) : 0;  // XPUB has it too, for ZMQ_XPUB_MANUAL
      if (error != 0) libzmq().setsockopt(socket_, ZMQ_UNSUBSCRIBE, value, size);
      break;
    case ZMQ_UNSUBSCRIBE:
      error = subscribes(type_) ? unsubscribe(text) : 0;
      break;
    case ZMQ_INVERT_MATCHING:
      error = invert(is_on(value, size));
      if (error != 0) set_natively(socket_, option, inverts_);
      break;
    case ZMQ_XPUB_VERBOSE:
      verbosity_ = {.every_subscription = is_on(value, size), .every_unsubscription = false};
      break;
    case ZMQ_XPUB_VERBOSER:
      verbosity_ = {.every_subscription = is_on(value, size), .every_unsubscription = is_on(value, size)};
      break;
    case ZMQ_XPUB_NODROP:
      error = keep_all(is_on(value, size));
      if (error != 0) set_natively(socket_, option, never_drops_);
      break;
    case ZMQ_CONFLATE:
      conflates_ = is_on(value, size);
      break;
    case ZMQ_MAXMSGSIZE:
      std::memcpy(&max_message_size_, value, sizeof(max_message_size_));  // libzmq has checked the size
      break;
    case ZMQ_XPUB_MANUAL:
      is_manual_ = is_on(value, size);
      break;
    case ZMQ_XPUB_WELCOME_MSG:
      has_welcome_ = size != 0;
      break;
    default:
      break;
  }
  return error == 0 ? 0 : fail(error);
}

int Side::get_option(int option, void* value, std::size_t* size) {
  // Before anything is looked at: the descriptor of a forked child is its parent's too, and each event is shown once.
  if (is_active() || readiness_ || option == ZMQ_FD) {
    if (const int why = obstacle(); why != 0) return fail(why);
  }
  switch (option) {
    case ZMQ_LAST_ENDPOINT:
      if (!last_endpoint_.empty()) return answer(last_endpoint_, value, size);
      break;
    case ZMQ_FD:
      // Also before there is an endpoint: an application may ask once and keep it.
      if (readiness() == nullptr) return fail(EMFILE);
      // Who received without it has taken the marks of what came before.
      if (!std::exchange(descriptor_given_, true)) readiness_->nudge();
      return answer(readiness_->descriptor(), value, size);
    case ZMQ_EVENTS:
      if (is_active() || readiness_) return answer(events(), value, size);
      break;
    case ZMQ_RCVMORE:
      if (is_active()) return answer(more_ ? 1 : 0, value, size);
      break;
    default:
      break;
  }
  return libzmq().getsockopt(socket_, option, value, size);
}

Readiness* Side::readiness() {
  if (readiness_) return &*readiness_;
  Result<Readiness> made = Readiness::make();
  if (!made) return nullptr;
  const int native = int_option(socket_, ZMQ_FD, -1);
  if (native >= 0 && !made->watch(native, true)) return nullptr;
  for (const auto& place : places_) {
    const Result<int> input = place->receiver ? place->receiver->fd() : -1;
    const Result<int> output = place->sender && place->sender->blocks() ? place->sender->fd() : -1;
    for (const Result<int>& descriptor : {input, output}) {
      if (!descriptor || (*descriptor >= 0 && !made->watch(*descriptor, false))) return nullptr;
    }
  }
  readiness_.emplace(std::move(*made));
  ready_to_end_.store(&*readiness_, std::memory_order_seq_cst);
  if (has_ended()) readiness_->end();
  is_armed_ = false;
  return &*readiness_;
}

bool Side::native_events(int& events) const noexcept {
  std::size_t size = sizeof(events);
  return libzmq().getsockopt(socket_, ZMQ_EVENTS, &events, &size) == 0;
}

int Side::events() {
  // The look comes first: what happens from here on makes the descriptor readable again.
  if (readiness_ && readiness_->look()) is_armed_ = false;
  int events = 0;
  static_cast<void>(native_events(events));  // always: libzmq's descriptor is readable until somebody asks
  if (is_active() && natives_ == 0) events = 0;
  if (!is_active()) return events;
  if (native_more_ || find_input(Arm::no) || (descriptor_given_ && find_input(Arm::yes))) events |= ZMQ_POLLIN;
  nudge_if_blind();
  // Either way out takes messages, but for a subscriber without room, which holds all back.
  const bool takes_messages = type_ == ZMQ_XSUB || (publishes(type_) && has_room());
  return takes_messages ? events | ZMQ_POLLOUT : events & ~ZMQ_POLLOUT;
}

// Ours serves every socket that can have a shm:// endpoint, from the start: one that comes later needs no other
// monitor. Other addresses than inproc:// are libzmq's to refuse.
int Side::monitor(const char* address, int events) {
  if (const int why = obstacle(); why != 0) return fail(why);
  monitor_.reset();
  if (address == nullptr) return libzmq().socket_monitor(socket_, nullptr, events);
  if (std::strncmp(address, "inproc://", 9) != 0) return libzmq().socket_monitor(socket_, address, events);
  monitor_ = Monitor::start(context_, socket_, type_, address, events);
  if (monitor_ == nullptr) return -1;
  const int error = unless_out_of_memory([this] {
    for (const auto& place : places_) monitor_->add(place->route, place->bound);
    return 0;
  });
  if (error == 0) return 0;
  monitor_.reset();
  return fail(error);
}

}  // namespace weir::zmq_plugin
