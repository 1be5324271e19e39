// weir remove TOPIC: erases a topic that nobody uses, with its history.
#include <string>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "tools/weir/commands.h"
#include "tools/weir/target.h"

namespace weir::tool {

ExitCode run(Session& session, const RemoveOptions& options) {
  const Result<Endpoint> endpoint = topic_of(options.topic);
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

}  // namespace weir::tool
