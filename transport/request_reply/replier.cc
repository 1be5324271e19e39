#include "transport/request_reply/replier.h"

#include <algorithm>
#include <utility>

namespace weir {

using request_reply::Envelope;
using request_reply::Kind;

Replier::Replier(Subscriber requests, Publisher replies, const ReplierOptions& options)
    : requests_(std::move(requests)), replies_(std::move(replies)), options_(options) {}

Result<Replier> Replier::open(Node& node, std::string_view requests, std::string_view replies,
                              const ReplierOptions& options) {
  if (options.remembered == 0) {
    return failure(ErrorCode::invalid_argument,
                   "remembered=0: a replier that keeps no reply would execute retries again: keep one at least");
  }
  // The mouth first: who is heard by us can hear us.
  Result<Publisher> mouth = node.publisher(replies);
  if (!mouth) return tl::unexpected(mouth.error());
  Result<Subscriber> ear = node.subscriber(requests);
  if (!ear) return tl::unexpected(ear.error());
  Replier replier(std::move(*ear), std::move(*mouth), options);
  // Requesters that knew a former one learn that it was replaced.
  if (Status said = replier.say(Kind::present, 0, 0); !said) return tl::unexpected(said.error());
  return replier;
}

Result<Wake> Replier::serve(const Handler& handler, Deadline deadline, const std::stop_token& stop) {
  bool served = false;
  while (!served) {
    Result<Wake> wake = requests_.wait(deadline, stop);
    if (!wake || *wake != Wake::ready) return wake;
    while (true) {
      const Result<Sample> sample = requests_.take();
      if (!sample) return tl::unexpected(sample.error());
      if (!*sample) break;
      const Result<bool> executed = answer(*sample, handler);
      if (!executed) return tl::unexpected(executed.error());
      served = served || *executed;
    }
  }
  return Wake::ready;
}

Result<bool> Replier::answer(const Sample& sample, const Handler& handler) {
  const auto envelope = request_reply::read(sample.payload());
  if (!envelope || envelope->requester == 0) return false;
  const auto told = [](Status status) { return status.map([] { return false; }); };
  if (envelope->kind == Kind::hello) {
    remember(envelope->requester);
    return told(say(Kind::present, envelope->requester, 0));
  }
  if (envelope->kind != Kind::request) return false;
  if (envelope->replier != id_ || !known_.contains(envelope->requester)) {
    return told(say(Kind::stranger, envelope->requester, envelope->number));
  }
  Known& known = remember(envelope->requester);
  if (envelope->number < known.number) return false;  // its requester has gone on
  if (envelope->number == known.number) {
    ++repeated_;
    return told(send(replies_, known.head, known.answer));
  }
  return execute(known, *envelope, sample.payload().subspan(sizeof(Envelope)), handler).map([] { return true; });
}

Status Replier::execute(Known& known, const Envelope& envelope, std::span<const std::byte> request,
                        const Handler& handler) {
  known.number = envelope.number;  // before the handler: whatever it does, it is not called again for this
  known.head = {.kind = Kind::reply, .requester = envelope.requester, .replier = id_, .number = envelope.number};
  Result<std::vector<std::byte>> answer = spi::guarded([&] { return handler(request); });
  if (answer) {
    known.answer = std::move(*answer);
  } else {
    known.head.kind = Kind::refusal;
    known.head.code = answer.error().code();
    const auto text = std::as_bytes(std::span(answer.error().message()));
    known.answer.assign(text.begin(), text.end());
  }
  Status sent = send(replies_, known.head, known.answer);
  // A reply that is too large for the topic would be missed for ever: its requester is told so instead.
  if (!sent && (sent.error().code() == ErrorCode::limit_exceeded)) {
    known.head.kind = Kind::refusal;
    known.head.code = sent.error().code();
    const auto text = std::as_bytes(std::span(sent.error().message()));
    known.answer.assign(text.begin(), text.end());
    return send(replies_, known.head, known.answer);
  }
  // What could not be sent now is sent when the requester asks again.
  if (!sent &&
      (sent.error().code() == ErrorCode::back_pressure || sent.error().code() == ErrorCode::resource_exhausted)) {
    return {};
  }
  return sent;
}

Replier::Known& Replier::remember(request_reply::Id requester) {
  if (const auto known = known_.find(requester); known != known_.end()) {
    silent_.splice(silent_.end(), silent_, known->second.turn);
    return known->second;
  }
  if (known_.size() >= options_.remembered) {
    known_.erase(silent_.front());
    silent_.pop_front();
  }
  silent_.push_back(requester);
  Known& known = known_[requester];
  known.turn = std::prev(silent_.end());
  return known;
}

Status Replier::say(Kind kind, request_reply::Id requester, std::uint64_t number) {
  const Envelope envelope{.kind = kind, .requester = requester, .replier = id_, .number = number};
  Status said = send(replies_, envelope, {});
  // Lost is as good as not sent: requesters ask again.
  return !said && said.error().code() == ErrorCode::back_pressure ? Status() : said;
}

}  // namespace weir
