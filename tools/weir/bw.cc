// weir bw TOPIC: how many bytes of payload come in a second.
#include <memory>

#include <fmt/format.h>

#include "tools/weir/measuring.h"

namespace weir::tool {
namespace {

std::string text_of(const Rate& rate) {
  return fmt::format("{}/s in {}, of {} to {}, on average {}", bytes_text(rate.bytes_per_second()),
                     rate_text(rate.per_second()), bytes_text(static_cast<double>(rate.smallest())),
                     bytes_text(static_cast<double>(rate.largest())), bytes_text(rate.mean_size()));
}

Json json_of(const Rate& rate) {
  return {{"messages", rate.messages()}, {"seconds", rate.seconds()},
          {"bytes", rate.bytes()},       {"bytes_per_second", rate.bytes_per_second()},
          {"smallest", rate.smallest()}, {"largest", rate.largest()},
          {"mean", rate.mean_size()}};
}

}  // namespace

void add_bw(CLI::App& program, Action& chosen) {
  CLI::App* command = program.add_subcommand("bw", "how many bytes come in a second");
  auto measuring = std::make_shared<Measuring>();
  measuring->add_to(*command);
  command->callback([measuring, &chosen] {
    chosen = [measuring](Session& session) { return measure(session, *measuring, {.text = text_of, .json = json_of}); };
  });
}

}  // namespace weir::tool
