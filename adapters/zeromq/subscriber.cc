#include "adapters/zeromq/subscriber.h"

#include <algorithm>
#include <cerrno>
#include <string>
#include <utility>

#include <fmt/format.h>

#include "adapters/zeromq/envelope.h"

namespace weir::zeromq {
namespace {

// Light samples stay where they are until the next message is received there (incoming.h). With two such places in turn
// malloc gives out again just what was freed last; a single one would cost it more for payloads of some KiB.
constexpr std::uint64_t kept_samples = 2;

}  // namespace

Subscriber::Subscriber(Connection connection, const SubscriberQos& qos)
    : connection_(std::move(connection)),
      socket_(connection_.socket().handle()),
      slow_bits_(connection_.options().alignment - 1),
      qos_(qos),
      samples_(qos.held, kept_samples) {}

Result<std::unique_ptr<spi::SubscriberPort>> Subscriber::open(const Endpoint& endpoint, const SubscriberQos& qos) {
  const auto prepare = [&qos](zmq::socket_ref socket, const Options& options) {
    socket.set(zmq::sockopt::linger, 0);  // it sends nothing but subscriptions, which end with the connection
    socket.set(zmq::sockopt::rcvhwm, static_cast<int>(qos.depth));
    for (const std::string& filter : options.filters) socket.set(zmq::sockopt::subscribe, filter);
  };
  return Connection::open(endpoint, Role::subscriber, qos.type, qos.extra, prepare)
      .map([&qos](Connection&& connection) {
        return std::unique_ptr<spi::SubscriberPort>(new Subscriber(std::move(connection), qos));
      });
}

// ---- Taking ----

Result<bool> Subscriber::take(spi::SampleRecord& record) {
  Incoming& sample = samples_.current();
  if (!sample.is_free()) [[unlikely]] {
    return take_elsewhere(record);
  }
  const int received = zmq_msg_recv(sample.frame(), socket_, ZMQ_DONTWAIT);
  if (static_cast<unsigned>(received) > Incoming::largest_light) [[unlikely]] {  // or -1
    return received < 0 ? take_again(record) : take_slowly(record);
  }
  record.size = static_cast<unsigned>(received);
  record.payload = static_cast<const std::byte*>(zmq_msg_data(sample.frame()));
  if ((reinterpret_cast<std::uintptr_t>(record.payload) & slow_bits_) != 0 || zmq_msg_more(sample.frame()) != 0)
      [[unlikely]] {
    return take_slowly(record);
  }
  sample.hand_out();
  samples_.advance();
  record.header = nullptr;
  record.header_size = 0;
  record.publisher = 0;
  record.sequence = spi::no_sequence;
  record.lost_before = 0;
  record.time = 0;
  record.token = reinterpret_cast<std::uint64_t>(&sample);
  return true;
}

Result<bool> Subscriber::take_elsewhere(spi::SampleRecord& record) {
  if (samples_.find_free()) return take(record);
  if (!has_something()) {
    show_readable(false);
    return false;
  }
  return failure(
      ErrorCode::limit_exceeded,
      fmt::format("endpoint \"{}\": {} samples are in hand, the limit is held={}: release one, or raise that option",
                  connection_.options().endpoint, samples_.size(), qos_.held));
}

Result<bool> Subscriber::take_again(spi::SampleRecord& record) {
  switch (const int fault = zmq_errno(); fault) {
    case EINTR:
      return take(record);
    case EAGAIN:
      show_readable(false);
      return false;
    default:
      return tl::unexpected(connection_.error("receiving", fault));
  }
}

Result<bool> Subscriber::take_slowly(spi::SampleRecord& record) {
  Incoming& sample = samples_.current();
  show_readable(true);
  try {
    return take_frames(sample, record);
  } catch (...) {
    drop_message(sample);  // for want of memory
    throw;
  }
}

Result<bool> Subscriber::take_frames(Incoming& sample, spi::SampleRecord& record) {
  record.publisher = 0;
  record.sequence = spi::no_sequence;
  record.lost_before = 0;
  record.time = 0;
  record.token = reinterpret_cast<std::uint64_t>(&sample);
  if (zmq_msg_more(sample.frame()) != 0) {
    if (const int fault = receive_more(sample); fault != 0) {
      return tl::unexpected(connection_.error("receiving the frames of a message", fault));
    }
    if (connection_.options().envelope) read_trailer(record);
  }
  if (!show(sample, record)) {
    const std::size_t size = sample.size();
    sample.clear();
    return tl::unexpected(connection_.error(fmt::format("copying a message of {} bytes, which is lost", size), ENOMEM));
  }
  sample.hand_out();
  samples_.advance();
  return true;
}

bool Subscriber::show(Incoming& sample, spi::SampleRecord& record) {
  const Options& options = connection_.options();
  if (frames_.empty()) return sample.show_payload(options.alignment, record);
  const bool shown = sample.show_frames(frames_, options.frames, options.alignment, record);
  frames_.clear();
  return shown;
}

int Subscriber::receive_more(Incoming& sample) {
  zmq_msg_move(frames_.emplace_back().handle(), sample.frame());
  while (frames_.back().more()) {
    // libzmq has all frames of a message before it hands out the first.
    if (zmq_msg_recv(frames_.emplace_back().handle(), socket_, 0) < 0) {
      const int fault = zmq_errno();
      frames_.pop_back();
      if (fault == EINTR) continue;
      frames_.clear();
      return fault;
    }
  }
  return 0;
}

void Subscriber::drop_message(Incoming& sample) noexcept {
  zmq::message_t rest;
  int more = 0;
  std::size_t size = sizeof(more);
  while (zmq_getsockopt(socket_, ZMQ_RCVMORE, &more, &size) == 0 && more != 0) {
    if (zmq_msg_recv(rest.handle(), socket_, 0) < 0 && zmq_errno() != EINTR) break;
  }
  frames_.clear();
  sample.clear();
}

void Subscriber::read_trailer(spi::SampleRecord& record) {
  const zmq::message_t& last = frames_.back();
  const auto envelope = read_envelope({last.data<std::byte>(), last.size()});
  if (!envelope) return;
  frames_.pop_back();
  record.publisher = envelope->publisher;
  record.sequence = envelope->sequence;
  if (capabilities().exact_loss) record.lost_before = losses_.account(envelope->publisher, envelope->sequence);
  // The clock of another machine says nothing here.
  if (envelope->clock == this_clock()) record.time = envelope->time;
}

void Subscriber::release(spi::SampleRecord& record) noexcept { reinterpret_cast<Incoming*>(record.token)->release(); }

// ---- Waiting ----

void Subscriber::show_readable(bool readable) noexcept {
  connection_.waiter().show(readable);
  slow_bits_ = connection_.waiter().is_hidden() ? ~std::uintptr_t{0} : connection_.options().alignment - 1;
}

bool Subscriber::has_something() noexcept {
  int events = 0;
  std::size_t size = sizeof(events);
  const bool known = zmq_getsockopt(socket_, ZMQ_EVENTS, &events, &size) == 0;
  fault_ = known || zmq_errno() == EINTR ? 0 : zmq_errno();
  return (events & ZMQ_POLLIN) != 0;
}

Result<Wake> Subscriber::wait(Deadline deadline, const std::stop_token& stop) {
  Result<Wake> woke = connection_.waiter().wait(deadline, stop, [this] { return has_something() || fault_ != 0; });
  if (fault_ != 0) return tl::unexpected(connection_.error("waiting", fault_));
  if (woke && *woke == Wake::ready) show_readable(true);
  return woke;
}

Result<int> Subscriber::fd() {
  Result<int> descriptor = connection_.waiter().fd();
  if (descriptor) show_readable(has_something());
  return descriptor;
}

Result<std::optional<MembershipEvent>> Subscriber::next_event() {
  return connection_.unsupported("ZeroMQ does not tell a subscriber who publishes: let the messages say it");
}

Result<std::vector<Peer>> Subscriber::peers() {
  return connection_.unsupported("ZeroMQ does not tell a subscriber who publishes: let the messages say it");
}

}  // namespace weir::zeromq
