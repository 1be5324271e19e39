#include "adapters/zeromq/publisher.h"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <limits>
#include <utility>

#include <fmt/format.h>

#include "adapters/zeromq/failure.h"
#include "adapters/zeromq/promises.h"

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

Publisher::Publisher(const Capabilities& capabilities, Options options, const PublisherQos& qos, Socket socket,
                     int mailbox)
    : capabilities_(capabilities),
      options_(std::move(options)),
      qos_(qos),
      socket_(std::move(socket)),
      native_(socket_.ref()),
      waiter_(mailbox, options_.endpoint),
      until_listening_(publishes_between_listening(qos.depth)) {}

Result<std::unique_ptr<spi::PublisherPort>> Publisher::open(const Endpoint& endpoint, const PublisherQos& qos) {
  Result<Options> options = read_options(endpoint, Role::publisher, qos.extra);
  if (!options) return tl::unexpected(options.error());
  if (qos.type) {
    return failure(ErrorCode::unsupported,
                   fmt::format("endpoint \"{}\": ZeroMQ peers do not say what their bytes are, so type={} cannot be "
                               "checked: leave it out",
                               options->endpoint, qos.type->name));
  }
  Result<Socket> socket = open_socket(options->endpoint, ZMQ_XPUB);
  if (!socket) return tl::unexpected(socket.error());
  int mailbox = -1;
  try {
    zmq::socket_ref native = socket->ref();
    native.set(zmq::sockopt::sndhwm, high_water_mark(qos.depth));
    native.set(zmq::sockopt::xpub_verboser, true);
    native.set(zmq::sockopt::xpub_nodrop, qos.grant != Grant::drop);
    mailbox = native.get(zmq::sockopt::fd);
  } catch (const zmq::error_t& thrown) {
    return socket_failure(options->endpoint, "setting up an XPUB socket", thrown.num());
  }
  Result<Attachment> attachment = attach(socket->ref(), *options);
  if (!attachment) return tl::unexpected(attachment.error());
  const Capabilities capabilities =
      promises(endpoint.scheme != "zmq+inproc", options->envelope, false, options->frames);
  std::unique_ptr<Publisher> publisher(
      new Publisher(capabilities, std::move(*options), qos, std::move(*socket), mailbox));
  publisher->attachment_ = std::move(*attachment);
  if (!publisher->attachment_.bound().empty()) tell_bound_endpoints(publisher->id_, publisher->attachment_.bound());
  return publisher;
}

void Publisher::close() noexcept {
  if (socket_.ref().handle() == nullptr) return;
  if (!attachment_.bound().empty()) tell_bound_endpoints(id_, {});
  attachment_.release();
  waiter_.close();
  socket_.close();
}

Error Publisher::fault_error(std::string_view what, int fault) const {
  return socket_error(options_.endpoint, what, fault);
}

// ---- Loans ----

Status Publisher::refuse(const spi::LoanRequest& request) const {
  if (request.header_size != 0 && options_.frames == Frames::payload) {
    return failure(ErrorCode::unsupported,
                   fmt::format("endpoint \"{}\": a ZeroMQ message of one frame has no user header: say frames=topic to "
                               "send it as the first of two frames",
                               options_.endpoint));
  }
  return failure(
      ErrorCode::limit_exceeded,
      fmt::format("endpoint \"{}\": a message of {} bytes does not fit, as {} of memory={} bytes are in loans "
                  "and in queues: wait until some are sent, or raise that option",
                  options_.endpoint, request.size, lent_ + budget_->load(), qos_.memory));
}

Status Publisher::loan(const spi::LoanRequest& request, spi::LoanRecord& record) {
  const std::uint64_t used = lent_ + budget_->load(std::memory_order_relaxed);
  if ((request.header_size != 0 && options_.frames == Frames::payload) || used > qos_.memory ||
      request.size > qos_.memory - used) [[unlikely]] {
    return refuse(request);
  }
  if (unused_.empty()) [[unlikely]] {
    unused_.reserve(loans_.size() + 1);
    unused_.push_back(&loans_.emplace_back());
  }
  Outgoing* loan = unused_.back();
  if (!loan->lend(request, budget_, record)) [[unlikely]] {
    return tl::unexpected(fault_error(fmt::format("a message of {} bytes", request.size), ENOMEM));
  }
  unused_.pop_back();
  lent_ += loan->lent_of_libzmq();
  record.token = reinterpret_cast<std::uint64_t>(loan);
  return {};
}

void Publisher::drop(spi::LoanRecord& record) noexcept {
  Outgoing& loan = loan_of(record);
  lent_ -= loan.lent_of_libzmq();
  loan.drop();
  unused_.push_back(&loan);
}

// ---- Publishing ----

int Publisher::send_with_envelope(Outgoing& loan, const spi::LoanRecord& record) {
  const auto now = std::chrono::steady_clock::now().time_since_epoch();
  zmq::message_t trailer(envelope_size);
  write_envelope(std::span<std::byte, envelope_size>(trailer.data<std::byte>(), envelope_size),
                 {.publisher = id_,
                  .sequence = next_sequence_,
                  .time = static_cast<std::uint64_t>(std::chrono::nanoseconds(now).count()),
                  .clock = this_clock()});
  return loan.send_frames(native_.handle(), record, options_.frames, &trailer, scratch_);
}

int Publisher::send(Outgoing& loan, const spi::LoanRecord& record) {
  if (options_.envelope) return send_with_envelope(loan, record);
  if (options_.frames == Frames::payload) [[likely]] {
    return loan.send_payload(native_.handle(), record, scratch_);
  }
  return loan.send_frames(native_.handle(), record, options_.frames, nullptr, scratch_);
}

std::uint64_t Publisher::accepted(const spi::LoanRecord& record) noexcept {
  unused_.push_back(&loan_of(record));
  refused_ = false;
  waiter_.show(false);
  return next_sequence_++;
}

Result<std::uint64_t> Publisher::publish(spi::LoanRecord& record, std::optional<Deadline> deadline) {
  Outgoing& loan = loan_of(record);
  const std::uint64_t lent = loan.lent_of_libzmq();
  if (--until_listening_ == 0) [[unlikely]] {
    until_listening_ = publishes_between_listening(qos_.depth);
    listen();
  }
  if (const int fault = send(loan, record); fault != 0) [[unlikely]] {
    return publish_again(record, fault, deadline);
  }
  lent_ -= lent;
  return accepted(record);
}

Result<std::uint64_t> Publisher::publish_again(spi::LoanRecord& record, int fault, std::optional<Deadline> deadline) {
  Outgoing& loan = loan_of(record);
  const std::uint64_t lent = loan.lent_of_libzmq();
  const bool waits = qos_.grant == Grant::block;
  if (fault == EAGAIN || fault == EINTR) {
    // libzmq seldom looks at what its subscribers have taken, unless it is told to.
    const Result<Wake> woke = waiter_.wait(waits ? deadline.value_or(after(qos_.deadline)) : at_once, {}, [&] {
      listen();
      fault = send(loan, record);
      return fault != EAGAIN && fault != EINTR;
    });
    if (!woke) return tl::unexpected(woke.error());
  }
  if (fault == 0) {
    lent_ -= lent;
    return accepted(record);
  }
  if (fault == EPROTO) {
    return failure(ErrorCode::invalid_argument,
                   fmt::format("endpoint \"{}\": the user header is no table of frames that add up to the payload's {} "
                               "bytes: make it with make_frame_table()",
                               options_.endpoint, record.size));
  }
  if (fault != EAGAIN) return tl::unexpected(fault_error("sending", fault));
  refused_ = true;
  maybe_space_ = false;
  waiter_.show(false);
  return failure(ErrorCode::back_pressure,
                 fmt::format("endpoint \"{}\": a subscriber has not taken what fits into depth={} and the buffers on "
                             "the way{}: wait for space and publish again, or give it a larger depth",
                             options_.endpoint, qos_.depth, waits ? " at the deadline" : ""));
}

// ---- Subscribers and space ----

int Publisher::listen() noexcept {
  zmq::message_t message;
  while (zmq_msg_recv(message.handle(), native_.handle(), ZMQ_DONTWAIT) >= 0) {
    // A subscription is 1 or 0 and the prefix; native programs may send other things upstream.
    if (message.size() == 0) continue;
    const std::byte kind = *message.data<std::byte>();
    if (kind == std::byte{1}) ++subscriptions_;
    if (kind == std::byte{0} && subscriptions_ > 0) --subscriptions_;
  }
  const int fault = zmq_errno();
  fault_ = fault == EAGAIN || fault == EINTR ? 0 : fault;
  return fault_;
}

bool Publisher::look_for_space() noexcept {
  if (waiter_.stirs()) {
    maybe_space_ = true;
    listen();
  }
  return maybe_space_ || fault_ != 0;
}

Status Publisher::wait_for_subscribers(std::uint64_t count, Deadline deadline, const std::stop_token& stop) {
  maybe_space_ = true;  // what is taken in here may free space, unseen
  const Result<Wake> woke = waiter_.wait(deadline, stop, [&] { return listen() != 0 || subscriptions_ >= count; });
  if (!woke) return tl::unexpected(woke.error());
  if (fault_ != 0) return tl::unexpected(fault_error("waiting for subscribers", fault_));
  if (*woke == Wake::ready) return {};
  const bool interrupted = *woke == Wake::interrupted;
  return failure(
      interrupted ? ErrorCode::interrupted : ErrorCode::timed_out,
      fmt::format("endpoint \"{}\": {} of {} subscribers have subscribed {}", options_.endpoint, subscriptions_, count,
                  interrupted ? "and the stop token was triggered" : "at the deadline: start them, or wait longer"));
}

Result<Wake> Publisher::wait(Deadline deadline, const std::stop_token& stop) {
  if (!refused_) {
    listen();
    maybe_space_ = true;
  }
  const Result<Wake> woke = waiter_.wait(deadline, stop, [this] { return look_for_space(); });
  if (fault_ != 0) return tl::unexpected(fault_error("waiting for space", fault_));
  return woke;
}

Result<int> Publisher::fd() {
  Result<int> descriptor = waiter_.fd();
  if (descriptor) waiter_.show(refused_ && look_for_space());
  if (!refused_) listen();
  return descriptor;
}

Result<std::optional<MembershipEvent>> Publisher::next_event() {
  static_cast<void>(look_for_space());
  waiter_.show(refused_ && maybe_space_);
  return failure(ErrorCode::unsupported,
                 fmt::format("endpoint \"{}\": ZeroMQ tells a publisher how many subscribe, not who: use "
                             "wait_for_subscribers",
                             options_.endpoint));
}

Result<std::vector<Peer>> Publisher::peers() {
  return failure(ErrorCode::unsupported,
                 fmt::format("endpoint \"{}\": ZeroMQ tells a publisher how many subscribe, not who: use "
                             "wait_for_subscribers",
                             options_.endpoint));
}

}  // namespace weir::zeromq
