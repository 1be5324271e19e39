#include "transport/request_reply/replier.h"

#include <algorithm>
#include <utility>

namespace weir {

using request_reply::Envelope;
using request_reply::Kind;

namespace {

// What cannot be sent for the moment is as good as lost: requesters ask again, and are then told what was kept.
Status unless_momentary(const Status& sent) {
  const bool is_momentary = !sent && (sent.error().code() == ErrorCode::back_pressure ||
                                      sent.error().code() == ErrorCode::resource_exhausted);
  return is_momentary ? Status() : sent;
}

bool never_fits(const Status& sent) { return !sent && sent.error().code() == ErrorCode::limit_exceeded; }

}  // namespace

Replier::Replier(Subscriber requests, Publisher replies, const ReplierOptions& options)
    : requests_(std::move(requests)), replies_(std::move(replies)), options_(options) {}

Result<Replier> Replier::open(Node& node, std::string_view requests, std::string_view replies,
                              const ReplierOptions& options) {
  return spi::guarded([&]() -> Result<Replier> {
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
  });
}

Result<Wake> Replier::serve(const Handler& handler, Deadline deadline, const std::stop_token& stop) {
  return spi::guarded([&]() -> Result<Wake> {
    while (!stop.stop_requested()) {  // a wait for what is there already does not look
      Result<Wake> wake = requests_.wait(deadline, stop);
      if (!wake || *wake != Wake::ready) return wake;
      const Result<Sample> sample = requests_.take();
      if (!sample) return tl::unexpected(sample.error());
      const Result<bool> executed = *sample ? answer(*sample, handler) : false;
      if (!executed) return tl::unexpected(executed.error());
      if (*executed) return Wake::ready;
      if (passed(deadline)) return Wake::deadline;
    }
    return Wake::interrupted;
  });
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
    return told(unless_momentary(send(replies_, known.head, known.answer)));
  }
  return execute(known, *envelope, sample.payload().subspan(sizeof(Envelope)), handler).map([] { return true; });
}

Status Replier::execute(Known& known, const Envelope& envelope, std::span<const std::byte> request,
                        const Handler& handler) {
  known.number = envelope.number;  // before the handler: whatever it does, it is not called again for this
  known.head = {.kind = Kind::reply, .requester = envelope.requester, .replier = id_, .number = envelope.number};
  known.answer.clear();
  Result<std::vector<std::byte>> answer = spi::guarded([&] { return handler(request); });
  if (answer) {
    known.answer = std::move(*answer);
  } else {
    refuse(known, answer.error());
  }
  Status sent = send(replies_, known.head, known.answer);
  // A reply that is too large for the topic would be missed for ever: its requester is told so instead.
  if (never_fits(sent)) {
    refuse(known, sent.error());
    sent = send(replies_, known.head, known.answer);
  }
  if (never_fits(sent)) {
    known.answer.clear();  // the code alone, where not even the text fits
    sent = send(replies_, known.head, known.answer);
  }
  return unless_momentary(sent);
}

void Replier::refuse(Known& known, const Error& error) {
  known.answer.clear();
  known.head.kind = Kind::refusal;
  known.head.code = ErrorCode::resource_exhausted;  // what a retry is answered if there is no memory for the text
  const auto text = std::as_bytes(std::span(error.message()));
  known.answer.assign(text.begin(), text.end());
  known.head.code = error.code();
}

Replier::Known& Replier::remember(request_reply::Id requester) {
  if (const auto known = known_.find(requester); known != known_.end()) {
    silent_.splice(silent_.end(), silent_, known->second.turn);
    return known->second;
  }
  std::list<request_reply::Id> turn{requester};  // all memory first: then nothing is half remembered
  Known& known = known_[requester];
  silent_.splice(silent_.end(), turn);
  known.turn = std::prev(silent_.end());
  if (known_.size() > options_.remembered) {
    known_.erase(silent_.front());
    silent_.pop_front();
  }
  return known;
}

Status Replier::say(Kind kind, request_reply::Id requester, std::uint64_t number) {
  const Envelope envelope{.kind = kind, .requester = requester, .replier = id_, .number = number};
  return unless_momentary(send(replies_, envelope, {}));
}

}  // namespace weir
