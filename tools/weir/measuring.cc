#include "tools/weir/measuring.h"

#include <algorithm>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "tools/weir/target.h"

namespace weir::tool {
namespace {

void say(Console& console, const Rate& rate, const Wording& wording, bool is_total) {
  if (console.json()) {
    Json json = wording.json(rate);
    json["lost"] = rate.lost();
    json["total"] = is_total;
    console.document(json);
    return;
  }
  std::string line = rate.has_spans()       ? wording.text(rate)
                     : rate.messages() == 0 ? "no messages"
                                            : "one alone has no rate";
  if (rate.lost() != 0) line += console.coloured(fmt::format(", {} lost", rate.lost()), Colour::red);
  console.line(is_total ? fmt::format("in all: {} messages: {}", rate.messages(), line) : line);
}

}  // namespace

ExitCode measure(Session& session, const MeasuringOptions& options, const Wording& wording) {
  const Listening& listening = options.listening;
  Result<Subscriber> subscriber = listen_to(session.node, listening.topic, listening.wait);
  if (!subscriber) return session.console.error(subscriber.error());
  Rate total;
  Rate interval;
  const auto use = [&](const Sample& sample) {
    const auto moment = moment_of(sample, subscriber->capabilities());
    total.add(moment, sample.payload().size(), sample.lost_before());
    interval.add(moment, sample.payload().size(), sample.lost_before());
    return total.messages() != listening.count;
  };
  const auto tick = [&] {
    say(session.console, interval, wording, false);
    interval = interval.following();
  };
  const std::chrono::nanoseconds period(static_cast<std::int64_t>(options.interval * 1e9));
  const auto ending = receive(session, *subscriber, listening.deadline(), {.use = use, .period = period, .tick = tick});
  if (!ending) return session.console.error(ending.error());
  say(session.console, total, wording, true);
  return judge(session, *ending, listening, total.messages());
}

}  // namespace weir::tool
