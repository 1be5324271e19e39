// Asks, and waits for the answer: requests and replies over two topics, of any backend.
//
//   auto requester = weir::Requester::open(node, "shm://sum/requests", "shm://sum/replies");
//   auto reply = requester->request(bytes, weir::after(1s));
//   if (!reply) return reply.error();       // also the replier's own error, with its code and message
//   use(reply->payload());
//
// A request is executed once or not at all, or the error says that this is not known. Lost messages are sent again; the
// replier answers a retry of what it has done with the reply that it kept. Errors of request():
//
//   timed_out    the deadline has passed. The message says whether nobody was there, so that nothing was executed; or
//                whether somebody still receives requests, so that the replier may still execute it
//   closed       the replier that had the request has died, left, or was started anew: whether it executed the request
//                is not known. The next request goes to whoever is there then
//   interrupted  by the stop token, as for timed_out
//   others       what the replier returned, or what the transport met: after the request had been sent, with the words
//                that it is not known whether it was executed
//
// Death of the replier is noticed as soon as the backend shows it: at once over shm and inproc; over ZeroMQ and
// iceoryx, at once and after 1.5 s, if nobody else subscribes to the requests, as these do not show who publishes
// replies. One replier serves a topic; any number of requesters may ask.
//
// Over ZeroMQ each endpoint has one binder, the replier: "zmq+ipc:///tmp/requests?bind=subscriber" and
// "zmq+ipc:///tmp/replies". Thread-compatible; one request at a time.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>

#include "transport/node.h"
#include "transport/request_reply/envelope.h"

namespace weir {

struct RequesterOptions {
  // After so long without an answer a request is sent again. It costs a message, and executes nothing twice.
  std::chrono::nanoseconds retry_interval = std::chrono::milliseconds(100);
};

// The answer, in the memory in which it came.
class Reply {
 public:
  explicit Reply(Sample sample) : sample_(std::move(sample)) {}
  [[nodiscard]] std::span<const std::byte> payload() const noexcept {
    return sample_.payload().subspan(sizeof(request_reply::Envelope));
  }

 private:
  Sample sample_;
};

class Requester {
 public:
  // Errors: those of Node::publisher and Node::subscriber.
  [[nodiscard]] static Result<Requester> open(Node& node, std::string_view requests, std::string_view replies,
                                              const RequesterOptions& options = {});

  // Sends and waits. Errors: see above.
  [[nodiscard]] Result<Reply> request(std::span<const std::byte> payload, Deadline deadline,
                                      const std::stop_token& stop = {});

  // How often requests were sent again: 0 as long as nothing was lost and replies came in time.
  [[nodiscard]] std::uint64_t retries() const noexcept { return retries_; }

 private:
  Requester(Publisher requests, Subscriber replies, const RequesterOptions& options);

  // Waits until a replier has said who it is.
  Status meet(Deadline deadline, const std::stop_token& stop);
  // Sends the request, again and again, until its answer is there.
  Result<Reply> ask(std::span<const std::byte> payload, Deadline deadline, const std::stop_token& stop);
  // Waits for what comes until `until`, and takes it all. Empty: no answer to the present request yet.
  Result<Sample> listen(Deadline until, const std::stop_token& stop);
  // Takes what is there. What it says about repliers is noted; the answer to the present request is returned.
  Result<Sample> take_answer();
  [[nodiscard]] Result<Reply> read_answer(Sample answer);
  [[nodiscard]] bool replier_is_there();
  [[nodiscard]] Error replaced() const;
  // The error of a request that had been sent.
  [[nodiscard]] Error unsettled(const Error& error) const noexcept;

  Publisher requests_;
  Subscriber replies_;
  RequesterOptions options_;
  request_reply::Id id_ = request_reply::make_id();
  request_reply::Id replier_ = 0;  // 0: not met
  bool was_replaced_ = false;      // another than replier_ has appeared since
  std::uint64_t number_ = 0;       // of the present request, or the last
  std::uint64_t retries_ = 0;
  // Made beforehand: when it is needed there may be nothing left to make it of.
  Error unsettled_without_memory_{ErrorCode::resource_exhausted,
                                  "the process is out of memory; whether the request was executed is not known"};
};

}  // namespace weir
