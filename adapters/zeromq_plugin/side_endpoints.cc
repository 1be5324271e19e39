// A side's endpoints: bind, connect and their ends, and what follows from subscriptions.
#include <algorithm>
#include <cerrno>
#include <random>
#include <utility>

#include "adapters/zeromq_plugin/side.h"

namespace weir::zmq_plugin {
namespace {

// ZMQ_SNDHWM and ZMQ_RCVHWM of 0 mean no limit, which a ring has.
constexpr int messages_without_limit = 32'767;

int high_water_mark(void* socket, int option) noexcept {
  const int mark = int_option(socket, option, 0);
  return mark > 0 ? mark : messages_without_limit;
}

}  // namespace

Side::Side(void* context, void* socket, int type) : context_(context), socket_(socket), type_(type) {
  spi::adopt_process();
  process_ = spi::process_generation();  // NOLINT(cppcoreguidelines-prefer-member-initializer): after adopt_process()
}

Side::~Side() {
  if (monitor_ && monitor_->is_inherited()) static_cast<void>(monitor_.release());  // its thread is our parent's
  for (const auto& place : places_) close_place(*place);
}

// As over inproc://: what the sender and what the receiver may queue. Each side has only its own marks, so it takes
// both of them for the whole way.
std::uint64_t Side::capacity() const noexcept {
  if (publishes(type_) && int_option(socket_, ZMQ_CONFLATE, 0) != 0) return 1;
  const std::uint64_t both = static_cast<std::uint64_t>(high_water_mark(socket_, ZMQ_SNDHWM)) +
                             static_cast<std::uint64_t>(high_water_mark(socket_, ZMQ_RCVHWM));
  return std::min(both, most_messages);
}

int Side::attach(const char* text, bool binds) {
  if (text == nullptr) return binds ? libzmq().bind(socket_, text) : libzmq().connect(socket_, text);
  if (const int why = is_active() ? obstacle() : 0; why != 0) return fail(why);
  const Route route = route_of(text, type_, settings());
  int error = 0;
  if (route.any_port) {
    error = binds ? attach_to_any_port(route) : EINVAL;
  } else if (route.leads == Leads::nowhere) {
    error = route.error;
  } else if (route.leads == Leads::to_libzmq) {
    error = attach_natively(route, binds);
  } else {
    error = attach_by(route, binds);
  }
  return error == 0 ? 0 : fail(error);
}

int Side::attach_natively(const Route& route, bool binds) {
  last_endpoint_.reserve(route.text.size());  // before anything is bound that cannot be noted
  const int result =
      binds ? libzmq().bind(socket_, route.native.c_str()) : libzmq().connect(socket_, route.native.c_str());
  if (result != 0) return errno;
  ++natives_;
  last_endpoint_ = route.text;
  note_sole();
  return 0;
}

int Side::attach_to_any_port(const Route& route) {
  thread_local std::mt19937 numbers(std::random_device{}());
  std::uniform_int_distribution<unsigned> ephemeral(49'152, 65'535);
  constexpr int most_tries = 1000;
  for (int tries = 0; tries < most_tries; ++tries) {
    const Route chosen = with_port(route, ephemeral(numbers), settings());
    const int error = chosen.leads == Leads::to_shm ? attach_by(chosen, true) : attach_natively(chosen, true);
    if (error != EADDRINUSE) return error;
  }
  return EADDRINUSE;
}

int Side::attach_by(const Route& route, bool binds) {
  if (const int why = obstacle(); why != 0) return why;
  // A socket that was made while its context ended may not have been told.
  if (int events = 0; !native_events(events)) return errno;
  if (is_manual_ || has_welcome_) return ENOCOMPATPROTO;
  // A second connection to the same endpoint is none, as libzmq has it for these kinds of socket.
  const bool is_there = std::any_of(places_.begin(), places_.end(), [&](const std::unique_ptr<Place>& place) {
    return place->route.topic == route.topic && place->bound == binds;
  });
  if (is_there) return binds ? EADDRINUSE : 0;
  auto place = std::make_unique<Place>();
  const int error = unless_out_of_memory([&] {
    places_.reserve(places_.size() + 1);
    last_endpoint_.reserve(route.text.size());
    place->route = route;
    place->bound = binds;
    if (const int failed = open_place(*place); failed != 0) return failed;
    if (monitor_) monitor_->add(route, binds);
    return 0;
  });
  if (error != 0) {
    close_place(*place);
    return error;
  }
  places_.push_back(std::move(place));
  last_endpoint_ = route.text;
  note_sole();
  if (readiness_) readiness_->nudge();
  return 0;
}

int Side::open_place(Place& place) {
  if (place.bound) {
    Result<Binding> binding = Binding::make(place.route.topic);
    if (!binding) return error_number(binding.error());
    place.binding.emplace(std::move(*binding));
  }
  if (publishes(type_)) {
    // Before the sender, which it watches: XPUB sockets wait for subscriptions as well as for room.
    if (type_ == ZMQ_XPUB && readiness() == nullptr) return EMFILE;
    if (const int error = open_sender(place.route, place.sender); error != 0) return error;
    if (type_ != ZMQ_XPUB) return 0;
    Result<Listener> listener = Listener::open(place.route.subscriptions);
    if (!listener) return error_number(listener.error());
    place.listener.emplace(std::move(*listener));
    const Result<int> descriptor = place.listener->fd();
    return descriptor && readiness_->watch(*descriptor, false) ? 0 : EMFILE;
  }
  if (wants_messages()) {
    if (const int error = open_receiver(place); error != 0) return error;
  }
  Result<Announcer> announcer = Announcer::open(place.route.subscriptions, subscriptions_);
  if (!announcer) return error_number(announcer.error());
  place.announcer.emplace(std::move(*announcer));
  return 0;
}

int Side::open_sender(const Route& route, Ref<Sender>& sender) {
  Result<Ref<Sender>> opened = Sender::open(route.topic, {.depth = capacity(),
                                                          .blocks = never_drops_ || settings().publishers_block,
                                                          .copies = settings().copies_sent,
                                                          .memory = settings().memory});
  if (!opened) return error_number(opened.error());
  if (readiness_ && (*opened)->blocks()) {
    const Result<int> descriptor = (*opened)->fd();
    if (!descriptor || !readiness_->watch(*descriptor, false)) {
      (*opened)->close();
      return EMFILE;
    }
  }
  sender = std::move(*opened);
  return 0;
}

// What the old ones sent stays for those who are attached, and comes before what follows unless they fall behind.
int Side::reopen_senders() {
  const bool block = never_drops_ || settings().publishers_block;
  std::vector<Ref<Sender>> anew(places_.size());
  int error = 0;
  for (std::size_t index = 0; index < anew.size() && error == 0; ++index) {
    const Place& place = *places_[index];
    if (!place.sender || place.sender->blocks() == block) continue;
    error = unless_out_of_memory([&] { return open_sender(place.route, anew[index]); });
  }
  for (std::size_t index = 0; index < anew.size(); ++index) {
    if (!anew[index]) continue;
    if (error == 0) std::swap(places_[index]->sender, anew[index]);
    anew[index]->close();
  }
  return error;
}

int Side::open_receiver(Place& place) {
  Result<Ref<Receiver>> receiver =
      Receiver::open(place.route.topic, {.depth = capacity(), .copies = settings().copies_received});
  if (!receiver) return error_number(receiver.error());
  if (readiness_) {
    const Result<int> descriptor = (*receiver)->fd();
    if (!descriptor || !readiness_->watch(*descriptor, false)) {
      (*receiver)->close();
      return EMFILE;
    }
    readiness_->nudge();
  }
  is_armed_ = false;
  place.receiver = std::move(*receiver);
  return 0;
}

void Side::close_place(Place& place) noexcept {
  if (place.announcer) place.announcer->close();
  if (place.listener) place.listener->close();
  if (place.receiver) place.receiver->close();
  if (place.sender) place.sender->close();
}

int Side::detach(const char* text, bool binds) {
  const auto native = [&](const char* endpoint) {
    const int result = binds ? libzmq().unbind(socket_, endpoint) : libzmq().disconnect(socket_, endpoint);
    if (result == 0 && natives_ > 0) --natives_;
    note_sole();
    return result;
  };
  if (text == nullptr) return native(text);
  if (const int why = is_active() ? obstacle() : 0; why != 0) return fail(why);
  const auto found = std::find_if(places_.begin(), places_.end(), [&](const std::unique_ptr<Place>& place) {
    return place->bound == binds && place->route.text == text;
  });
  if (found == places_.end()) {
    const Route route = route_of(text, type_, settings());
    return route.leads == Leads::to_libzmq && !route.any_port ? native(route.native.c_str()) : fail(ENOENT);
  }
  if (monitor_) monitor_->remove((*found)->route, binds);
  close_place(**found);
  places_.erase(found);
  turn_ = 0;
  note_sole();
  return 0;
}

void Side::note_sole() noexcept { sole_ = places_.size() == 1 && natives_ == 0 ? places_.front().get() : nullptr; }

// Tells all that can be told; the first error.
int Side::announce() {
  int first_error = 0;
  for (const auto& place : places_) {
    int error = 0;
    if (wants_messages() && !place->receiver) {
      error = open_receiver(*place);
    } else if (!wants_messages() && place->receiver) {
      place->receiver->close();
      place->receiver = {};
    }
    if (error == 0) {
      // After that: whoever hears of the subscription and publishes is heard.
      const Status said = place->announcer->announce(subscriptions_);
      if (!said) error = error_number(said.error());
    }
    if (first_error == 0) first_error = error;
  }
  return first_error;
}

int Side::subscribe(std::string_view prefix) {
  const auto add = [&] {
    subscriptions_.add(prefix);
    return 0;
  };
  if (const int error = unless_out_of_memory(add); error != 0) return error;
  const int error = unless_out_of_memory([this] { return announce(); });
  if (error != 0) static_cast<void>(unsubscribe(prefix));
  return error;
}

// Never refused: who has not heard of it sends what is passed over here, and hears with the next change.
int Side::unsubscribe(std::string_view prefix) {
  if (subscriptions_.remove(prefix)) static_cast<void>(unless_out_of_memory([this] { return announce(); }));
  return 0;
}

int Side::invert(bool inverts) {
  const bool before = std::exchange(inverts_, inverts);
  const int error = subscribes(type_) ? unless_out_of_memory([this] { return announce(); }) : 0;
  if (error == 0) return 0;
  inverts_ = before;
  static_cast<void>(unless_out_of_memory([this] { return announce(); }));
  return error;
}

int Side::keep_all(bool never_drops) {
  const bool before = std::exchange(never_drops_, never_drops);
  const int error = unless_out_of_memory([this] { return reopen_senders(); });
  if (error != 0) never_drops_ = before;
  return error;
}

void Side::end() noexcept {
  if (is_inherited()) return;
  ended_.store(true, std::memory_order_seq_cst);
  if (Readiness* const readiness = ready_to_end_.load(std::memory_order_seq_cst); readiness != nullptr) {
    readiness->end();
  }
}

}  // namespace weir::zmq_plugin
