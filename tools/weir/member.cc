#include "tools/weir/member.h"

#include <fstream>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace weir::tool {
namespace {

// The name of a process, as the kernel has it; empty if there is none here with this number.
std::string program_of(std::int64_t pid) {
  std::ifstream file(fmt::format("/proc/{}/comm", pid));
  std::string name;
  std::getline(file, name);
  return name;
}

Json json_of(const TypeInfo& type) {
  return {{"name", type.name},
          {"size", type.size},
          {"alignment", type.alignment},
          {"fingerprint", id_text(type.fingerprint)}};
}

Json common(const shm::ObservedMember& member) {
  Json json{{"id", id_text(member.peer.id)},
            {"name", member.peer.name},
            {"pid", member.peer.pid},
            {"state", to_string(member.condition)},
            {"durability", member.durable ? "persistent" : "volatile"},
            {"depth", member.depth},
            {"history", member.history},
            {"memory", member.memory}};
  if (member.type) json["type"] = json_of(*member.type);
  return json;
}

}  // namespace

Json json_of(const shm::ObservedPublisher& publisher) {
  Json json = common(publisher);
  json["grant"] = to_string(publisher.grant);
  json["published"] = publisher.published;
  json["waits"] = publisher.waits;
  if (publisher.last) {
    json["last_seconds_ago"] =
        std::chrono::duration<double>(std::chrono::steady_clock::now() - *publisher.last).count();
  }
  return json;
}

Json json_of(const shm::ObservedSubscriber& subscriber, const shm::ObservedTopic& topic) {
  Json json = common(subscriber);
  json["policy"] = to_string(subscriber.policy);
  json["held"] = subscriber.held;
  json["behind"] = Json::array();
  for (const auto& publisher : topic.publishers) {
    const shm::Backlog backlog = backlog_of(subscriber, publisher);
    json["behind"].push_back(
        {{"publisher", id_text(publisher.peer.id)}, {"unread", backlog.unread}, {"overrun", backlog.overrun}});
  }
  return json;
}

Json json_of(const shm::ObservedTopic& topic) {
  Json json{{"topic", topic.topic}, {"directory", topic.directory}, {"version", topic.version}};
  if (!topic.problem.empty()) {
    json["problem"] = topic.problem;
    return json;
  }
  json["in_use"] = topic.in_use;
  json["memory"] = topic.memory;
  json["publishers"] = Json::array();
  json["subscribers"] = Json::array();
  for (const auto& publisher : topic.publishers) json["publishers"].push_back(json_of(publisher));
  for (const auto& subscriber : topic.subscribers) json["subscribers"].push_back(json_of(subscriber, topic));
  return json;
}

std::string describe(const shm::ObservedMember& member) {
  std::string text = fmt::format("{} {}", to_string(member.peer.role), id_text(member.peer.id));
  if (!member.peer.name.empty()) text += fmt::format(" \"{}\"", printable(member.peer.name));
  text += fmt::format(", pid {}", member.peer.pid);
  if (const std::string program = program_of(member.peer.pid); member.peer.alive && !program.empty()) {
    text += fmt::format(" ({})", printable(program));
  }
  if (!member.peer.alive) text += fmt::format(", {}", to_string(member.condition));
  return text;
}

std::string process_text(const shm::ObservedMember& member) {
  std::string text = member.peer.name.empty() ? std::string() : fmt::format("\"{}\" ", printable(member.peer.name));
  const std::string program = member.peer.alive ? program_of(member.peer.pid) : std::string();
  if (!program.empty()) text += printable(program) + " ";
  return text + std::to_string(member.peer.pid);
}

std::string short_name(const shm::ObservedMember& member) {
  return member.peer.name.empty() ? id_text(member.peer.id) : fmt::format("\"{}\"", printable(member.peer.name));
}

}  // namespace weir::tool
