// weir clean: takes away what dead processes left in a root. Nothing needs it, as who joins a topic does the same; it
// is for a person who wants the memory back now, or wants to see what there is.
#include <algorithm>
#include <set>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "tools/weir/commands.h"
#include "tools/weir/member.h"
#include "tools/weir/target.h"
#include "transport/shm/janitor.h"
#include "transport/shm/topic_directory.h"

namespace weir::tool {
namespace {

// Something that may go: a whole topic, or a dead member of one that somebody uses.
struct Leftover {
  std::string topic;
  std::string member;  // as a person reads it; empty for the whole topic
  std::uint64_t id = 0;
  std::uint64_t memory = 0;
};

template <class Members>
void add_dead(const shm::ObservedTopic& topic, const Members& members, std::vector<Leftover>& leftovers) {
  for (const auto& member : members) {
    if (member.condition == shm::Condition::dead && member.removable) {
      leftovers.push_back({topic.topic, describe(member), member.peer.id, member.memory});
    }
  }
}

bool keeps_something(const shm::ObservedTopic& topic) {
  const auto is_durable = [](const shm::ObservedMember& member) { return member.durable; };
  return std::any_of(topic.publishers.begin(), topic.publishers.end(), is_durable) ||
         std::any_of(topic.subscribers.begin(), topic.subscribers.end(), is_durable);
}

std::vector<Leftover> leftovers_in(const shm::Observer& observer) {
  std::vector<Leftover> leftovers;
  for (const shm::ObservedTopic& topic : observer.topics()) {
    if (!topic.problem.empty()) continue;
    if (!topic.in_use && !keeps_something(topic)) {
      leftovers.push_back({.topic = topic.topic, .member = {}, .memory = topic.memory});
    } else {
      add_dead(topic, topic.publishers, leftovers);
      add_dead(topic, topic.subscribers, leftovers);
    }
  }
  return leftovers;
}

// Whoever joins a topic's directory takes away what the dead left in it.
void clean(const shm::Place& any, const shm::Observer& observer, const std::vector<Leftover>& leftovers) {
  std::set<std::string> topics;
  for (const Leftover& leftover : leftovers) {
    if (!leftover.member.empty()) topics.insert(leftover.topic);
  }
  for (const std::string& topic : topics) {
    const std::string name = shm::directory_of(topic);
    if (!observer.topic(name)) continue;  // gone meanwhile
    (void)shm::TopicDirectory::join({.root = any.root, .topic = topic, .name = name});
  }
  if (const Result<shm::File> root = shm::open_root(any.root)) shm::sweep(root->get());
}

bool is_among(const Leftover& leftover, const std::vector<Leftover>& others) {
  return std::any_of(others.begin(), others.end(), [&](const Leftover& other) {
    return other.topic == leftover.topic && other.id == leftover.id && other.member.empty() == leftover.member.empty();
  });
}

}  // namespace

ExitCode run(Session& session, const CleanOptions& options) {
  const Result<Endpoint> backend = backend_of(options.backend);
  if (!backend) return session.console.error(backend.error());
  if (backend->scheme != "shm") {
    return session.console.error(
        Error(ErrorCode::unsupported,
              fmt::format("weir clean cannot work on {}: only shm:// keeps files that it could take away; what a dead "
                          "iceoryx process held is freed by RouDi, and ZeroMQ keeps nothing",
                          backend->text())));
  }
  const auto observer = observe(*backend);
  if (!observer) return session.console.error(observer.error());
  std::vector<Leftover> found;
  std::vector<Leftover> left;
  if (*observer) {
    found = leftovers_in(**observer);
    if (!options.dry_run) {
      Endpoint any = *backend;
      any.topic = "any";
      clean(*shm::place_of(any), **observer, found);
      left = leftovers_in(**observer);
    }
  }
  Json json{{"dry_run", options.dry_run}, {"removed", Json::array()}, {"stayed", Json::array()}, {"memory", 0}};
  std::uint64_t memory = 0;
  bool all_gone = true;
  for (const Leftover& leftover : found) {
    const bool stayed = is_among(leftover, left);
    all_gone = all_gone && !stayed;
    memory += stayed ? 0 : leftover.memory;
    Json entry{{"topic", leftover.topic}, {"memory", leftover.memory}};
    if (!leftover.member.empty()) entry["member"] = id_text(leftover.id);
    json[stayed ? "stayed" : "removed"].push_back(entry);
    if (session.console.json()) continue;
    const std::string what = leftover.member.empty() ? "the whole of it, as nobody uses it" : leftover.member;
    session.console.line(fmt::format("{} topic \"{}\": {} ({})",
                                     stayed            ? "stays for now:"
                                     : options.dry_run ? "would remove from"
                                                       : "removed from",
                                     printable(leftover.topic), what,
                                     bytes_text(static_cast<double>(leftover.memory))));
  }
  json["memory"] = memory;
  if (session.console.json()) {
    session.console.document(json);
  } else {
    session.console.note(found.empty() ? std::string("nothing to clean")
                                       : fmt::format("{} {}", bytes_text(static_cast<double>(memory)),
                                                     options.dry_run ? "would be freed" : "freed"));
  }
  if (all_gone) return ExitCode::done;
  return session.console.error(Error(
      ErrorCode::unavailable,
      "not all that dead processes left could be removed: a reader that stands still may want it yet (it goes when "
      "that reader goes on or ends), or it belongs to another user, who can run weir clean"));
}

}  // namespace weir::tool
