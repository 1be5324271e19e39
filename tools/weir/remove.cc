// weir remove TOPIC: erases a topic that nobody uses, with its history.
#include <memory>
#include <string>

#include <fmt/format.h>

#include "tools/weir/command.h"
#include "tools/weir/target.h"

namespace weir::tool {
namespace {

ExitCode remove_topic(Session& session, const std::string& word) {
  const Result<Endpoint> endpoint = topic_of(word);
  if (!endpoint) return session.console.error(endpoint.error());
  if (endpoint->scheme == "shm") {
    // Removing makes the root; a look before does not.
    if (const auto topic = observe_topic(*endpoint); !topic) return session.console.error(topic.error());
  }
  if (const Status removed = session.node.remove(endpoint->text()); !removed) {
    return session.console.error(removed.error());
  }
  if (session.console.json()) {
    session.console.document({{"removed", endpoint->topic}});
  } else {
    session.console.line(fmt::format("removed topic \"{}\"", printable(endpoint->topic)));
  }
  return ExitCode::done;
}

}  // namespace

void add_remove(CLI::App& program, Action& chosen) {
  CLI::App* command = program.add_subcommand("remove", "erases a topic that nobody uses, with its history");
  auto word = std::make_shared<std::string>();
  command->add_option("topic", *word, "a topic of shm, or the endpoint of any backend")->required();
  command->callback([word, &chosen] { chosen = [word](Session& session) { return remove_topic(session, *word); }; });
}

}  // namespace weir::tool
