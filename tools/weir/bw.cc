// weir bw TOPIC: how many bytes of payload come in a second.
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "tools/weir/commands.h"
#include "tools/weir/measuring.h"

namespace weir::tool {
namespace {

std::string bandwidth_text(const Rate& rate) {
  return fmt::format("{}/s in {}, of {} to {}, on average {}", bytes_text(rate.bytes_per_second()),
                     rate_text(rate.per_second()), bytes_text(static_cast<double>(rate.smallest())),
                     bytes_text(static_cast<double>(rate.largest())), bytes_text(rate.mean_size()));
}

Json bandwidth_json(const Rate& rate) {
  return {{"messages", rate.messages()}, {"seconds", rate.seconds()},
          {"bytes", rate.bytes()},       {"bytes_per_second", rate.bytes_per_second()},
          {"smallest", rate.smallest()}, {"largest", rate.largest()},
          {"mean", rate.mean_size()}};
}

}  // namespace

ExitCode run(Session& session, const BwOptions& options) {
  return measure(session, options, {.text = bandwidth_text, .json = bandwidth_json});
}

}  // namespace weir::tool
