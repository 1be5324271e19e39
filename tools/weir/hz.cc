// weir hz TOPIC: how often messages come, and how regularly.
#include <memory>

#include <fmt/format.h>

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

void add_hz(CLI::App& program, Action& chosen) {
  CLI::App* command = program.add_subcommand("hz", "how often messages come, and how regularly");
  auto measuring = std::make_shared<Measuring>();
  measuring->add_to(*command);
  command->callback([measuring, &chosen] {
    chosen = [measuring](Session& session) { return measure(session, *measuring, {.text = text_of, .json = json_of}); };
  });
}

}  // namespace weir::tool
