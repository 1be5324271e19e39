// weir hz TOPIC: how often messages come, and how regularly.
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "tools/weir/commands.h"
#include "tools/weir/measuring.h"

namespace weir::tool {
namespace {

std::string frequency_text(const Rate& rate) {
  return fmt::format("{}, apart {} to {}, deviation {}", rate_text(rate.per_second()), duration_text(rate.shortest()),
                     duration_text(rate.longest()), duration_text(rate.deviation()));
}

Json frequency_json(const Rate& rate) {
  return {{"messages", rate.messages()}, {"seconds", rate.seconds()}, {"hz", rate.per_second()},
          {"shortest", rate.shortest()}, {"longest", rate.longest()}, {"deviation", rate.deviation()}};
}

}  // namespace

ExitCode run(Session& session, const HzOptions& options) {
  return measure(session, options, {.text = frequency_text, .json = frequency_json});
}

}  // namespace weir::tool
