// weir list: the topics of a backend, who is on them, who is dead, and what other versions of weir have beside them.
#include <string>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "tools/weir/commands.h"
#include "tools/weir/member.h"
#include "tools/weir/table.h"
#include "tools/weir/target.h"

namespace weir::tool {
namespace {

template <class Members>
std::size_t count_of(const Members& members, shm::Condition condition) {
  std::size_t count = 0;
  for (const auto& member : members) count += member.condition == condition ? 1U : 0U;
  return count;
}

Json document_of(const shm::ObservedTopic& topic) {
  Json json = json_of(topic);
  json["dead"] = count_of(topic.publishers, shm::Condition::dead) + count_of(topic.subscribers, shm::Condition::dead);
  return json;
}

std::string state_of(const shm::ObservedTopic& topic) {
  if (!topic.problem.empty()) return topic.problem;
  const std::size_t dead =
      count_of(topic.publishers, shm::Condition::dead) + count_of(topic.subscribers, shm::Condition::dead);
  const std::size_t away =
      count_of(topic.publishers, shm::Condition::away) + count_of(topic.subscribers, shm::Condition::away);
  std::string state;
  if (dead != 0) state = fmt::format("{} dead", dead);
  if (away != 0) state += fmt::format("{}{} away", state.empty() ? "" : ", ", away);
  if (state.empty() && !topic.in_use) state = "unused";
  return state;
}

ExitCode list_shm(Session& session, const Endpoint& backend, const ListOptions& options) {
  const Result<std::optional<shm::Observer>> observer = observe(backend);
  if (!observer) return session.console.error(observer.error());
  const auto topics = *observer ? (*observer)->topics() : std::vector<shm::ObservedTopic>();
  const auto others = *observer ? (*observer)->other_layouts() : std::vector<shm::OtherLayout>();
  if (session.console.json()) {
    Json json{{"backend", "shm"}, {"topics", Json::array()}, {"other_layouts", Json::array()}};
    for (const auto& topic : topics) json["topics"].push_back(document_of(topic));
    for (const auto& other : others) json["other_layouts"].push_back({{"name", other.name}, {"entries", other.topics}});
    session.console.document(json);
    return ExitCode::done;
  }
  Table table({"TOPIC", ">PUB", ">SUB", ">MESSAGES", ">MEMORY", "STATE"});
  for (const auto& topic : topics) {
    std::uint64_t messages = 0;
    for (const auto& publisher : topic.publishers) messages += publisher.published;
    table.row({printable(topic.topic), std::to_string(count_of(topic.publishers, shm::Condition::alive)),
               std::to_string(count_of(topic.subscribers, shm::Condition::alive)), std::to_string(messages),
               bytes_text(static_cast<double>(topic.memory)), printable(state_of(topic))});
  }
  if (table.empty()) session.console.note("no topics");
  const auto lines = table.lines(terminal_width());
  if (!table.empty()) session.console.line(session.console.coloured(lines[0], Colour::bold));
  for (std::size_t index = 0; index < topics.size(); ++index) {
    session.console.line(lines[index + 1]);
    if (!options.peers) continue;
    for (const auto& member : topics[index].publishers) session.console.line("  " + describe(member));
    for (const auto& member : topics[index].subscribers) session.console.line("  " + describe(member));
  }
  for (const auto& other : others) {
    session.console.line(
        fmt::format("beside them: {} topics of another version of weir ({}), which this one neither "
                    "reads nor removes",
                    other.topics, printable(other.name)));
  }
  return ExitCode::done;
}

// A backend that is known by the interface alone.
ExitCode list_any(Session& session, const Endpoint& backend) {
  const auto topics = session.node.topics(backend.text());
  if (!topics) return session.console.error(topics.error());
  Json json{{"backend", backend.scheme}, {"topics", Json::array()}};
  Table table({"TOPIC", ">PUB", ">SUB"});
  for (const TopicDescription& topic : *topics) {
    std::size_t publishers = 0;
    for (const Peer& peer : topic.peers) publishers += peer.role == Role::publisher ? 1U : 0U;
    json["topics"].push_back(
        {{"topic", topic.topic}, {"publishers", publishers}, {"subscribers", topic.peers.size() - publishers}});
    table.row({printable(topic.topic), std::to_string(publishers), std::to_string(topic.peers.size() - publishers)});
  }
  if (session.console.json()) {
    session.console.document(json);
  } else {
    for (const std::string& line : table.lines(terminal_width())) session.console.line(line);
  }
  return ExitCode::done;
}

}  // namespace

ExitCode run(Session& session, const ListOptions& options) {
  const Result<Endpoint> backend = backend_of(options.backend);
  if (!backend) return session.console.error(backend.error());
  return backend->scheme == "shm" ? list_shm(session, *backend, options) : list_any(session, *backend);
}

}  // namespace weir::tool
