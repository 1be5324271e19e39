// weir hz TOPIC: how often messages come, and how regularly.
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "tools/weir/commands.h"
#include "tools/weir/measuring.h"

namespace weir::tool {
namespace {

std::string text_of(const Rate& rate) {
  return fmt::format("{}, apart {} to {}, deviation {}", rate_text(rate.per_second()), duration_text(rate.shortest()),
                     duration_text(rate.longest()), duration_text(rate.deviation()));
}

Json json_of(const Rate& rate) {
  return {{"messages", rate.messages()}, {"seconds", rate.seconds()}, {"hz", rate.per_second()},
          {"shortest", rate.shortest()}, {"longest", rate.longest()}, {"deviation", rate.deviation()}};
}

}  // namespace

ExitCode run(Session& session, const HzOptions& options) {
  return measure(session, options, {.text = text_of, .json = json_of});
}

}  // namespace weir::tool
