#include "adapters/zeromq/subscriber.h"

#include <cerrno>
#include <utility>

#include <fmt/format.h>

#include "adapters/zeromq/failure.h"
#include "adapters/zeromq/promises.h"

namespace weir::zeromq {

Subscriber::Subscriber(const Capabilities& capabilities, Options options, const SubscriberQos& qos, Socket socket,
                       int mailbox)
    : capabilities_(capabilities),
      options_(std::move(options)),
      qos_(qos),
      socket_(std::move(socket)),
      native_(socket_.ref()),
      waiter_(mailbox, options_.endpoint) {}

Result<std::unique_ptr<spi::SubscriberPort>> Subscriber::open(const Endpoint& endpoint, const SubscriberQos& qos) {
  Result<Options> options = read_options(endpoint, Role::subscriber, qos.extra);
  if (!options) return tl::unexpected(options.error());
  if (qos.type) {
    return failure(ErrorCode::unsupported,
                   fmt::format("endpoint \"{}\": ZeroMQ peers do not say what their bytes are, so type={} cannot be "
                               "checked: leave it out",
                               options->endpoint, qos.type->name));
  }
  Result<Socket> socket = open_socket(options->endpoint, ZMQ_SUB);
  if (!socket) return tl::unexpected(socket.error());
  int mailbox = -1;
  try {
    zmq::socket_ref native = socket->ref();
    native.set(zmq::sockopt::rcvhwm, static_cast<int>(qos.depth));
    for (const std::string& filter : options->filters) native.set(zmq::sockopt::subscribe, filter);
    mailbox = native.get(zmq::sockopt::fd);
  } catch (const zmq::error_t& thrown) {
    return socket_failure(options->endpoint, "setting up a SUB socket", thrown.num());
  }
  Result<Attachment> attachment = attach(socket->ref(), *options);
  if (!attachment) return tl::unexpected(attachment.error());
  const bool filtered = options->filters != std::vector<std::string>(1);
  const Capabilities capabilities =
      promises(endpoint.scheme != "zmq+inproc", options->envelope, filtered, options->frames);
  std::unique_ptr<Subscriber> subscriber(
      new Subscriber(capabilities, std::move(*options), qos, std::move(*socket), mailbox));
  subscriber->attachment_ = std::move(*attachment);
  if (!subscriber->attachment_.bound().empty()) tell_bound_endpoints(subscriber->id_, subscriber->attachment_.bound());
  return subscriber;
}

void Subscriber::close() noexcept {
  if (socket_.ref().handle() == nullptr) return;
  if (!attachment_.bound().empty()) tell_bound_endpoints(id_, {});
  attachment_.release();
  waiter_.close();
  socket_.close();
}

Error Subscriber::fault_error(std::string_view what, int fault) const {
  return socket_error(options_.endpoint, what, fault);
}

// ---- Taking ----

Incoming* Subscriber::get_unused() {
  if (unused_ == nullptr) unused_ = released_.exchange(nullptr, std::memory_order_acquire);
  if (unused_ == nullptr) [[unlikely]]
    unused_ = &samples_.emplace_back();
  return std::exchange(unused_, unused_->next);
}

Result<bool> Subscriber::take(spi::SampleRecord& record) {
  if (taken - balance.load(std::memory_order_relaxed) >= static_cast<std::int64_t>(qos_.held)) [[unlikely]] {
    return at_the_limit();
  }
  Incoming* sample = get_unused();
  while (zmq_msg_recv(sample->payload().handle(), native_.handle(), ZMQ_DONTWAIT) < 0) {
    if (zmq_errno() != EINTR) return take_nothing(sample);
  }
  waiter_.show(true);
  record.token = reinterpret_cast<std::uint64_t>(sample);
  record.publisher = 0;
  record.sequence = spi::no_sequence;
  record.lost_before = 0;
  record.time = 0;
  if (sample->payload().more()) return take_frames(sample, record);
  if (!sample->show_payload(options_.alignment, record)) [[unlikely]] {
    return out_of_memory(sample);
  }
  return true;
}

Result<bool> Subscriber::take_nothing(Incoming* unused) {
  const int fault = zmq_errno();
  give_back(unused);
  if (fault == EAGAIN) {
    waiter_.show(false);
    return false;
  }
  return tl::unexpected(fault_error("receiving", fault));
}

Result<bool> Subscriber::take_frames(Incoming* sample, spi::SampleRecord& record) {
  frames_.clear();
  frames_.push_back(std::move(sample->payload()));
  while (frames_.back().more()) {
    // libzmq has all frames of a message before it hands out the first.
    if (zmq_msg_recv(frames_.emplace_back().handle(), native_.handle(), 0) < 0) {
      const int fault = zmq_errno();
      frames_.pop_back();
      if (fault == EINTR) continue;
      give_back(sample);
      return tl::unexpected(fault_error("receiving the frames of a message", fault));
    }
  }
  if (options_.envelope) read_trailer(record);
  if (!sample->show_frames(frames_, options_.frames, options_.alignment, record)) return out_of_memory(sample);
  return true;
}

void Subscriber::read_trailer(spi::SampleRecord& record) {
  const zmq::message_t& last = frames_.back();
  const auto envelope = read_envelope({last.data<std::byte>(), last.size()});
  if (!envelope) return;
  frames_.pop_back();
  record.publisher = envelope->publisher;
  record.sequence = envelope->sequence;
  if (capabilities_.exact_loss) record.lost_before = losses_.account(envelope->publisher, envelope->sequence);
  // The clock of another machine says nothing here.
  if (envelope->clock == this_clock()) record.time = envelope->time;
}

Result<bool> Subscriber::out_of_memory(Incoming* sample) {
  const std::size_t size = sample->payload().size();
  sample->clear();
  give_back(sample);
  return tl::unexpected(fault_error(fmt::format("copying a message of {} bytes, which is lost", size), ENOMEM));
}

Result<bool> Subscriber::at_the_limit() {
  if (!has_something()) {
    waiter_.show(false);
    return false;
  }
  return failure(
      ErrorCode::limit_exceeded,
      fmt::format("endpoint \"{}\": {} samples are in hand, the limit is held={}: release one, or raise that "
                  "option",
                  options_.endpoint, taken - balance.load(), qos_.held));
}

void Subscriber::release(spi::SampleRecord& record) noexcept {
  auto* sample = reinterpret_cast<Incoming*>(record.token);
  sample->clear();
  sample->next = released_.load(std::memory_order_relaxed);
  while (!released_.compare_exchange_weak(sample->next, sample, std::memory_order_release, std::memory_order_relaxed)) {
  }
}

// ---- Waiting ----

bool Subscriber::has_something() noexcept {
  int events = 0;
  std::size_t size = sizeof(events);
  const bool known = zmq_getsockopt(native_.handle(), ZMQ_EVENTS, &events, &size) == 0;
  fault_ = known || zmq_errno() == EINTR ? 0 : zmq_errno();
  return (events & ZMQ_POLLIN) != 0;
}

Result<Wake> Subscriber::wait(Deadline deadline, const std::stop_token& stop) {
  const Result<Wake> woke = waiter_.wait(deadline, stop, [this] { return has_something() || fault_ != 0; });
  if (fault_ != 0) return tl::unexpected(fault_error("waiting", fault_));
  if (woke && *woke == Wake::ready) waiter_.show(true);
  return woke;
}

Result<int> Subscriber::fd() {
  Result<int> descriptor = waiter_.fd();
  if (descriptor) waiter_.show(has_something());
  return descriptor;
}

Result<std::optional<MembershipEvent>> Subscriber::next_event() {
  return failure(ErrorCode::unsupported,
                 fmt::format("endpoint \"{}\": ZeroMQ does not tell a subscriber who publishes", options_.endpoint));
}

Result<std::vector<Peer>> Subscriber::peers() {
  return failure(ErrorCode::unsupported,
                 fmt::format("endpoint \"{}\": ZeroMQ does not tell a subscriber who publishes", options_.endpoint));
}

}  // namespace weir::zeromq
