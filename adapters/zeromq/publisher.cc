#include "adapters/zeromq/publisher.h"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <limits>
#include <span>
#include <string>
#include <utility>

#include <fmt/format.h>

#include "adapters/zeromq/envelope.h"
#include "adapters/zeromq/plain_publisher.h"

namespace weir::zeromq {
namespace {

// libzmq looks for what its subscribers have taken at most once in a millisecond, and would drop messages meanwhile for
// which there is room; and it keeps subscription messages until they are fetched. So the mailbox is emptied now and
// then.
std::uint32_t publishes_between_listening(std::uint64_t depth) {
  constexpr std::uint64_t seldom = 64;
  return static_cast<std::uint32_t>(std::clamp<std::uint64_t>(depth / 2, 1, seldom));
}

// libzmq is told of free places in steps of (mark + 1) / 2, so all but one of a step may be free unknown to it, and
// with them what was taken since the last listening. This mark leaves `depth` places that are known to be free whenever
// the subscriber has taken everything.
int high_water_mark(std::uint64_t depth) {
  constexpr auto most = static_cast<std::uint64_t>(std::numeric_limits<int>::max());
  return static_cast<int>(std::min(2 * (depth + publishes_between_listening(depth)) - 3, most));
}

}  // namespace

Publisher::Publisher(Connection connection, const PublisherQos& qos)
    : connection_(std::move(connection)), socket_(connection_.socket().handle()), qos_(qos), loans_(qos.loans) {}

Result<std::unique_ptr<spi::PublisherPort>> Publisher::open(const Endpoint& endpoint, const PublisherQos& qos) {
  const auto prepare = [&qos](zmq::socket_ref socket, const Options& options) {
    socket.set(zmq::sockopt::linger, static_cast<int>(options.linger.count()));
    socket.set(zmq::sockopt::sndhwm, high_water_mark(qos.depth));
    socket.set(zmq::sockopt::xpub_verboser, true);
    socket.set(zmq::sockopt::xpub_nodrop, qos.grant != Grant::drop);
  };
  return Connection::open(endpoint, Role::publisher, qos.type, qos.extra, prepare).map([&qos](Connection&& connection) {
    const bool is_plain = PlainPublisher::serves(connection.options(), qos);
    return std::unique_ptr<spi::PublisherPort>(is_plain ? new PlainPublisher(std::move(connection), qos)
                                                        : new Publisher(std::move(connection), qos));
  });
}

// ---- Loans ----

Status Publisher::loan(const spi::LoanRequest& request, spi::LoanRecord& record) {
  Outgoing& loan = loans_.current();
  if (!loan.is_free() || request.size > plain_limit_ || request.header_size != 0 ||
      request.alignment > Outgoing::natural_alignment) [[unlikely]] {
    return loan_slowly(request, record);
  }
  record.token = reinterpret_cast<std::uint64_t>(&loan);
  if (!loan.lend_plain(request.size, record)) [[unlikely]] {
    return not_lent(record);
  }
  Status lent;  // `return {}` would write zeros first
  return lent;
}

Status Publisher::loan_slowly(const spi::LoanRequest& request, spi::LoanRecord& record) {
  if (request.header_size != 0 && connection_.options().frames == Frames::payload) {
    return connection_.unsupported(
        "a ZeroMQ message of one frame has no user header: say frames=topic to send it as the first of two frames");
  }
  const std::uint64_t used = lent_memory();
  if (used > qos_.memory || request.size > qos_.memory - used) return refuse(request, used);
  // There is a free one: the handles refuse more loans than the publisher may have.
  if (!loans_.current().is_free()) static_cast<void>(loans_.find_free());
  Outgoing& loan = loans_.current();
  record.token = reinterpret_cast<std::uint64_t>(&loan);
  if (!loan.lend(request, budget_, record)) return tl::unexpected(no_memory(request.size));
  // What is left, shared among all loans that can be open: they need not be counted until one is larger.
  const std::uint64_t left = qos_.memory - used - request.size;
  plain_limit_ = std::min<std::uint64_t>(left / qos_.loans, Outgoing::largest_plain);
  return {};
}

Status Publisher::not_lent(const spi::LoanRecord& record) {
  loan_of(record).forget();
  return tl::unexpected(no_memory(record.size));
}

Error Publisher::no_memory(std::size_t size) const {
  return connection_.error(fmt::format("a message of {} bytes", size), ENOMEM);
}

std::uint64_t Publisher::lent_memory() const noexcept {
  std::uint64_t bytes = budget_->load(std::memory_order_relaxed);
  loans_.for_each([&bytes](const Outgoing& loan) { bytes += loan.lent_of_libzmq(); });
  return bytes;
}

Status Publisher::refuse(const spi::LoanRequest& request, std::uint64_t used) const {
  return failure(
      request.size > qos_.memory ? ErrorCode::limit_exceeded : ErrorCode::resource_exhausted,
      fmt::format("endpoint \"{}\": a message of {} bytes does not fit, as {} of memory={} bytes are in loans "
                  "and in queues: wait until some are sent, or raise that option",
                  connection_.options().endpoint, request.size, used, qos_.memory));
}

void Publisher::drop(spi::LoanRecord& record) noexcept { loan_of(record).drop(); }

// ---- Publishing ----

Result<std::uint64_t> Publisher::publish(spi::LoanRecord& record, std::optional<Deadline> deadline) {
  if (until_listening_-- <= 1) {
    until_listening_ = publishes_between_listening(qos_.depth);
    listen();
  }
  const int fault = send(loan_of(record), record);
  return fault == 0 ? accepted() : publish_again(record, fault, deadline);
}

Result<std::uint64_t> Publisher::publish_plain_again(const Outgoing& loan) {
  spi::LoanRecord record{};
  record.size = loan.plain_size();
  record.token = reinterpret_cast<std::uint64_t>(&loan);
  return publish_again(record, zmq_errno(), {});
}

Result<std::uint64_t> Publisher::publish_again(spi::LoanRecord& record, int fault, std::optional<Deadline> deadline) {
  Outgoing& loan = loan_of(record);
  const bool waits = qos_.grant == Grant::block;
  if (fault == EAGAIN || fault == EINTR) {
    // libzmq seldom looks at what its subscribers have taken, unless it is told to.
    const Deadline until = waits ? deadline.value_or(after(qos_.deadline)) : at_once;
    Result<Wake> woke = connection_.waiter().wait(until, {}, [&] {
      listen();
      fault = send(loan, record);
      return fault != EAGAIN && fault != EINTR;
    });
    if (!woke) return tl::unexpected(woke.error());
  }
  const std::string& endpoint = connection_.options().endpoint;
  switch (fault) {
    case 0:
      return accepted();
    case EAGAIN:
      refused_ = true;
      maybe_space_ = false;
      connection_.waiter().show(false);
      return failure(
          ErrorCode::back_pressure,
          fmt::format("endpoint \"{}\": a subscriber has not taken what fits into depth={} and the buffers on the "
                      "way{}: wait for space and publish again, or give it a larger depth",
                      endpoint, qos_.depth, waits ? " at the deadline" : ""));
    case EPROTO:
      return failure(ErrorCode::invalid_argument,
                     fmt::format("endpoint \"{}\": the user header is no table of frames that add up to the payload's "
                                 "{} bytes: make it with make_frame_table()",
                                 endpoint, record.size));
    default:
      return tl::unexpected(connection_.error("sending", fault));
  }
}

int Publisher::send(Outgoing& loan, const spi::LoanRecord& record) {
  const Options& options = connection_.options();
  if (!options.envelope) return loan.send(socket_, record, options.frames, nullptr, scratch_);
  const auto now = std::chrono::steady_clock::now().time_since_epoch();
  zmq::message_t trailer(envelope_size);
  write_envelope(std::span<std::byte, envelope_size>(trailer.data<std::byte>(), envelope_size),
                 {.publisher = connection_.id(),
                  .sequence = next_sequence_,
                  .time = static_cast<std::uint64_t>(std::chrono::nanoseconds(now).count()),
                  .clock = this_clock()});
  return loan.send(socket_, record, options.frames, &trailer, scratch_);
}

Result<std::uint64_t> Publisher::accepted() noexcept {
  refused_ = false;
  connection_.waiter().show(false);
  return next_sequence_++;
}

// ---- Subscribers and space ----

int Publisher::listen() noexcept {
  zmq::message_t message;
  while (zmq_msg_recv(message.handle(), socket_, ZMQ_DONTWAIT) >= 0) {
    // A subscription is 1 or 0 and the prefix; native programs may send other things upstream.
    if (message.empty()) continue;
    const std::byte kind = *message.data<std::byte>();
    if (kind == std::byte{1}) ++subscriptions_;
    if (kind == std::byte{0} && subscriptions_ > 0) --subscriptions_;
  }
  const int fault = zmq_errno();
  fault_ = fault == EAGAIN || fault == EINTR ? 0 : fault;
  return fault_;
}

bool Publisher::look_for_space() noexcept {
  if (connection_.waiter().stirs()) {
    maybe_space_ = true;
    listen();
  }
  return maybe_space_ || fault_ != 0;
}

Status Publisher::wait_for_subscribers(std::uint64_t count, Deadline deadline, const std::stop_token& stop) {
  maybe_space_ = true;  // what is taken in here may free space, unseen
  const Result<Wake> woke =
      connection_.waiter().wait(deadline, stop, [&] { return listen() != 0 || subscriptions_ >= count; });
  if (!woke) return tl::unexpected(woke.error());
  if (fault_ != 0) return tl::unexpected(connection_.error("waiting for subscribers", fault_));
  if (*woke == Wake::ready) return {};
  const bool interrupted = *woke == Wake::interrupted;
  return failure(
      interrupted ? ErrorCode::interrupted : ErrorCode::timed_out,
      fmt::format("endpoint \"{}\": {} of {} subscribers have subscribed {}", connection_.options().endpoint,
                  subscriptions_, count,
                  interrupted ? "and the stop token was triggered" : "at the deadline: start them, or wait longer"));
}

Result<Wake> Publisher::wait(Deadline deadline, const std::stop_token& stop) {
  if (!refused_) {
    listen();
    maybe_space_ = true;
  }
  Result<Wake> woke = connection_.waiter().wait(deadline, stop, [this] { return look_for_space(); });
  if (fault_ != 0) return tl::unexpected(connection_.error("waiting for space", fault_));
  return woke;
}

Result<int> Publisher::fd() {
  Result<int> descriptor = connection_.waiter().fd();
  if (descriptor) connection_.waiter().show(refused_ && look_for_space());
  if (!refused_) listen();
  return descriptor;
}

Result<std::optional<MembershipEvent>> Publisher::next_event() {
  static_cast<void>(look_for_space());
  connection_.waiter().show(refused_ && maybe_space_);
  return connection_.unsupported("ZeroMQ tells a publisher how many subscribe, not who: use wait_for_subscribers");
}

Result<std::vector<Peer>> Publisher::peers() {
  return connection_.unsupported("ZeroMQ tells a publisher how many subscribe, not who: use wait_for_subscribers");
}

}  // namespace weir::zeromq
