// Answers requests (requester.h).
//
//   auto replier = weir::Replier::open(node, "shm://sum/requests", "shm://sum/replies");
//   while (true) {
//     auto wake = replier->serve([](std::span<const std::byte> request) { return sum_of(request); }, weir::never,
//     stop); if (!wake || *wake != weir::Wake::ready) break;
//   }
//
// A request is handed to the handler at most once: its retries are answered with the reply that was kept, one for each
// requester. A request that was meant for a replier before this one, or whose requester has been forgotten, is not
// executed, and its requester is told.
//
// Thread-compatible. While the handler works, requesters wait; a handler that never returns holds them until their
// deadlines.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <list>
#include <map>
#include <span>
#include <stop_token>
#include <string_view>
#include <vector>

#include "transport/node.h"
#include "transport/request_reply/envelope.h"

namespace weir {

struct ReplierOptions {
  // Requesters whose last reply is kept. The one that was silent longest is forgotten first.
  std::size_t remembered = 1024;
};

class Replier {
 public:
  // What it returns is the reply; an error goes to the requester as its error. What it throws becomes `internal`.
  using Handler = std::function<Result<std::vector<std::byte>>(std::span<const std::byte> request)>;

  // Errors: those of Node::publisher and Node::subscriber.
  [[nodiscard]] static Result<Replier> open(Node& node, std::string_view requests, std::string_view replies,
                                            const ReplierOptions& options = {});

  // Waits for a request and answers it. Returns `ready` once the handler was called, else why it ended; a stop token
  // that is triggered ends it also while requests wait.
  // Errors: what the transport meets, other than that a reply cannot be sent for the moment. A request that was
  // executed is not executed again, though its reply could not be sent: its retry is answered.
  [[nodiscard]] Result<Wake> serve(const Handler& handler, Deadline deadline, const std::stop_token& stop = {});

  // How many retries were answered with what was kept.
  [[nodiscard]] std::uint64_t repeated() const noexcept { return repeated_; }

 private:
  // What is known of a requester.
  struct Known {
    std::uint64_t number = 0;      // of its last request; 0: none
    request_reply::Envelope head;  // of the answer
    std::vector<std::byte> answer;
    std::list<request_reply::Id>::iterator turn;  // in silent_
  };

  Replier(Subscriber requests, Publisher replies, const ReplierOptions& options);
  // True: the handler was called.
  Result<bool> answer(const Sample& sample, const Handler& handler);
  Status execute(Known& known, const request_reply::Envelope& envelope, std::span<const std::byte> request,
                 const Handler& handler);
  // The error as the answer that is kept.
  static void refuse(Known& known, const Error& error);
  Known& remember(request_reply::Id requester);
  Status say(request_reply::Kind kind, request_reply::Id requester, std::uint64_t number);

  Subscriber requests_;
  Publisher replies_;
  ReplierOptions options_;
  request_reply::Id id_ = request_reply::make_id();
  std::map<request_reply::Id, Known> known_;
  std::list<request_reply::Id> silent_;  // requesters, the one that was silent longest first
  std::uint64_t repeated_ = 0;
};

}  // namespace weir
