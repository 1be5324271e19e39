#include "transport/request_reply/requester.h"

#include <algorithm>
#include <cstring>
#include <random>

#include <fmt/format.h>

namespace weir {

using request_reply::Envelope;
using request_reply::Kind;

request_reply::Id request_reply::make_id() {
  std::random_device random;
  Id id = 0;
  while (id == 0) id = static_cast<Id>(random()) << 32U | random();
  return id;
}

namespace {

// How often the replier's life is looked at while its answer is awaited.
constexpr std::chrono::milliseconds life_interval(50);

}  // namespace

Requester::Requester(Publisher requests, Subscriber replies, const RequesterOptions& options)
    : requests_(std::move(requests)), replies_(std::move(replies)), options_(options) {}

Result<Requester> Requester::open(Node& node, std::string_view requests, std::string_view replies,
                                  const RequesterOptions& options) {
  return spi::guarded([&]() -> Result<Requester> {
    // The ear first: who hears us can be heard.
    Result<Subscriber> ear = node.subscriber(replies);
    if (!ear) return tl::unexpected(ear.error());
    Result<Publisher> mouth = node.publisher(requests);
    if (!mouth) return tl::unexpected(mouth.error());
    return Requester(std::move(*mouth), std::move(*ear), options);
  });
}

Result<Reply> Requester::request(std::span<const std::byte> payload, Deadline deadline, const std::stop_token& stop) {
  return spi::guarded([&]() -> Result<Reply> {
    ++number_;
    // What came meanwhile may say that another replier is there.
    if (const auto late = take_answer(); !late) return tl::unexpected(late.error());
    if (was_replaced_ || !replier_is_there()) replier_ = 0;
    was_replaced_ = false;
    if (Status met = meet(deadline, stop); !met) return tl::unexpected(met.error());
    Result<Reply> reply = ask(payload, deadline, stop);
    if (!reply && reply.error().code() == ErrorCode::closed) replier_ = 0;
    return reply;
  });
}

Status Requester::meet(Deadline deadline, const std::stop_token& stop) {
  while (replier_ == 0) {
    // Lost if nobody is there yet; so it is said again.
    const Envelope hello{.kind = Kind::hello, .requester = id_};
    Status sent = send(requests_, hello, {});
    if (!sent && sent.error().code() != ErrorCode::back_pressure) return sent;
    const auto heard = listen(std::min(deadline, after(options_.retry_interval)), stop);
    if (!heard) return tl::unexpected(heard.error());
    if (replier_ != 0) break;
    if (stop.stop_requested()) return failure(ErrorCode::interrupted, "the search for a replier was interrupted");
    if (passed(deadline)) {
      return failure(ErrorCode::timed_out,
                     fmt::format("no replier was there before the deadline, so request {} was not executed: start one, "
                                 "or see that both use the same two endpoints",
                                 number_));
    }
  }
  was_replaced_ = false;
  return {};
}

Result<Reply> Requester::ask(std::span<const std::byte> payload, Deadline deadline, const std::stop_token& stop) try {
  Envelope envelope{.kind = Kind::request, .requester = id_, .replier = replier_, .number = number_};
  bool there = true;
  while (true) {
    const Status sent = send(requests_, envelope, payload);
    // What was sent before may be what a retry finds no memory beside.
    const bool is_momentary = !sent && (sent.error().code() == ErrorCode::back_pressure ||
                                        (envelope.attempt > 0 && sent.error().code() == ErrorCode::resource_exhausted));
    if (!sent && !is_momentary) {
      return tl::unexpected(envelope.attempt > 0 ? unsettled(sent.error()) : sent.error());
    }
    const Deadline retry = after(options_.retry_interval);
    do {
      there = replier_is_there();  // before the look, so that what the dead has sent is found
      Result<Sample> answer =
          listen(std::min({deadline, retry, after(there ? life_interval : decltype(life_interval)(0))}), stop);
      if (!answer) return tl::unexpected(unsettled(answer.error()));
      if (*answer) return read_answer(std::move(*answer));
      if (!there || was_replaced_) return tl::unexpected(replaced());
      if (stop.stop_requested() || passed(deadline)) {
        return failure(stop.stop_requested() ? ErrorCode::interrupted : ErrorCode::timed_out,
                       fmt::format("request {} was sent {} times and is not answered {}; somebody still receives "
                                   "requests, so its replier may still execute it: wait longer, or ask for what it has "
                                   "done",
                                   number_, envelope.attempt + 1,
                                   stop.stop_requested() ? "as the wait was interrupted" : "at the deadline"));
      }
    } while (!passed(retry));
    ++envelope.attempt;
    ++retries_;
  }
} catch (...) {  // behind the first send, which throws nothing
  return tl::unexpected(unsettled(spi::caught()));
}

Result<Sample> Requester::listen(Deadline until, const std::stop_token& stop) {
  const bool meeting = replier_ == 0;
  while (true) {
    Result<Sample> answer = take_answer();
    if (!answer || *answer || was_replaced_ || (meeting && replier_ != 0)) return answer;
    const Result<Wake> wake = replies_.wait(until, stop);
    if (!wake) return tl::unexpected(wake.error());
    if (*wake != Wake::ready) return Sample();
  }
}

Result<Sample> Requester::take_answer() {
  while (true) {
    Result<Sample> sample = replies_.take();
    if (!sample || !*sample) return sample;
    const auto envelope = request_reply::read(sample->payload());
    if (!envelope || (envelope->requester != id_ && envelope->requester != 0)) continue;
    if (envelope->kind == Kind::present) {
      // Only one that answers our greeting knows us.
      if (replier_ == 0 && envelope->requester == id_) replier_ = envelope->replier;
      was_replaced_ = was_replaced_ || (replier_ != 0 && envelope->replier != replier_);
    } else if (envelope->number == number_) {  // others are late: their request is given up
      if (envelope->kind != Kind::stranger && envelope->replier == replier_) return sample;
      was_replaced_ = true;
    }
  }
}

Result<Reply> Requester::read_answer(Sample answer) {
  const std::span<const std::byte> message = answer.payload();
  const auto read = request_reply::read(message);  // again: it lies in the replier's memory
  if (!read) return failure(ErrorCode::corrupt, fmt::format("the answer to request {} was overwritten", number_));
  const Envelope envelope = *read;
  if (envelope.kind == Kind::reply) return Reply(std::move(answer));
  const auto text = message.subspan(sizeof(Envelope));
  if (text.empty()) {
    return failure(envelope.code, fmt::format("request {} was executed, but its answer was not kept", number_));
  }
  return failure(envelope.code, std::string(reinterpret_cast<const char*>(text.data()), text.size()));
}

bool Requester::replier_is_there() {
  const Status heard = requests_.wait_for_subscribers(1, at_once);
  if (!heard && heard.error().code() == ErrorCode::timed_out) return false;  // other errors tell nothing of it
  if (replies_.capabilities().membership != MembershipView::full) return true;
  // Others may listen to requests, but only the replier publishes replies.
  const Result<std::vector<Peer>> repliers = replies_.peers();
  return !repliers || std::any_of(repliers->begin(), repliers->end(), [](const Peer& peer) { return peer.alive; });
}

Error Requester::unsettled(const Error& error) const noexcept try {
  return {error.code(),
          fmt::format("{}; request {} had been sent: whether it was executed is not known", error.message(), number_)};
} catch (...) {
  return unsettled_without_memory_;
}

Error Requester::replaced() const {
  return {ErrorCode::closed,
          fmt::format("the replier {:x} that had request {} has died, left, or was started anew before it answered: "
                      "whether it executed the request is not known; ask for that before you send it again",
                      replier_, number_)};
}

}  // namespace weir
