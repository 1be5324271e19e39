// weir bridge FROM TO: carries messages between transports until it is interrupted. docs/bridge.md is its manual.
#include "adapters/bridge/bridge.h"

#include <algorithm>
#include <chrono>
#include <memory>
#include <string>
#include <thread>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "tools/weir/commands.h"
#include "tools/weir/pace.h"
#include "tools/weir/target.h"

namespace weir::tool {
namespace {

void report(Console& console, const weir::bridge::Bridge& bridge, bool is_total) {
  Json json{{"total", is_total}, {"routes", Json::array()}};
  for (const auto& [route, counts] : bridge.routes()) {
    json["routes"].push_back({{"from", route.from},
                              {"to", route.to},
                              {"carried", counts.carried},
                              {"bytes", counts.bytes},
                              {"lost", counts.lost},
                              {"dropped", counts.dropped},
                              {"unfit", counts.unfit},
                              {"returns", counts.returns}});
    if (console.json()) continue;
    console.line(fmt::format("{} -> {}: carried {} messages, {}; lost {}, dropped {}, unfit {}; {} returns",
                             printable(route.from), printable(route.to), counts.carried,
                             bytes_text(static_cast<double>(counts.bytes)), counts.lost, counts.dropped, counts.unfit,
                             counts.returns));
  }
  if (console.json()) console.document(json);
}

}  // namespace

ExitCode run(Session& session, const BridgeOptions& options) {
  weir::bridge::Bridge::Rules rules;
  for (const auto& [from, to] : options.routes) {
    rules.push_back(
        {.from = uri_of(from),
         .to = uri_of(to),
         .when_full = options.drops_when_full ? weir::bridge::WhenFull::drop : weir::bridge::WhenFull::block});
  }
  const auto announce = [&session](const std::string& sentence) { session.console.note(sentence); };
  const auto bridge = weir::bridge::Bridge::open(session.node, rules, announce);
  if (!bridge) return session.console.error(bridge.error());
  for (const auto& rule : rules) session.console.note(fmt::format("carrying {} -> {}", rule.from, rule.to));
  {
    const std::jthread runner([&bridge](const std::stop_token& stop) { (*bridge)->run(stop); });
    const auto period = std::chrono::nanoseconds(static_cast<std::int64_t>(options.interval * 1e9));
    while (sleep_until(options.interval > 0 ? after(period) : never, session.interrupts)) {
      report(session.console, **bridge, false);
    }
  }
  report(session.console, **bridge, true);
  return ExitCode::done;
}

}  // namespace weir::tool
