// weir info TOPIC: all that is known of one topic, or of what its backend promises.
#include <array>
#include <string>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "tools/weir/commands.h"
#include "tools/weir/member.h"
#include "tools/weir/target.h"

namespace weir::tool {
namespace {

Json promises_of(const Capabilities& capabilities) {
  static constexpr std::array<std::string_view, 4> views{"none", "any_or_none", "subscriptions", "full"};
  return {{"zero_copy", capabilities.zero_copy},
          {"across_processes", capabilities.across_processes},
          {"sequence", capabilities.sequence},
          {"exact_loss", capabilities.exact_loss},
          {"publish_time", capabilities.publish_time},
          {"user_header", capabilities.user_header},
          {"types", capabilities.types},
          {"drop_oldest", capabilities.drop_oldest},
          {"drop_newest", capabilities.drop_newest},
          {"lossless_block", capabilities.lossless_block},
          {"lossless_reject", capabilities.lossless_reject},
          {"negotiates_policy", capabilities.negotiates_policy},
          {"exact_depth", capabilities.exact_depth},
          {"survives_publisher", capabilities.survives_publisher},
          {"persistence", capabilities.persistence},
          {"in_hand_list", capabilities.in_hand_list},
          {"death_events", capabilities.death_events},
          {"lists_topics", capabilities.lists_topics},
          {"acknowledgement", capabilities.acknowledgement},
          {"membership", views.at(static_cast<std::size_t>(capabilities.membership))}};
}

std::string type_text(const std::optional<TypeInfo>& type) {
  return type ? fmt::format("; type {} ({} bytes, fingerprint {})", printable(type->name), type->size,
                            id_text(type->fingerprint))
              : std::string();
}

void print(Console& console, const shm::ObservedTopic& topic) {
  console.line(fmt::format("topic \"{}\": {}, {} in {} files of {}", printable(topic.topic),
                           topic.in_use ? "in use" : "used by nobody", bytes_text(static_cast<double>(topic.memory)),
                           topic.files, printable(topic.directory)));
  for (const auto& publisher : topic.publishers) {
    console.line(describe(publisher));
    std::string last;
    if (publisher.last) {
      const std::chrono::duration<double> age = std::chrono::steady_clock::now() - *publisher.last;
      last = fmt::format(", the newest {} ago", duration_text(age.count()));
    }
    console.line(fmt::format("  published {}{}{}", publisher.published, last,
                             publisher.waits ? "; waits for a lossless subscriber" : ""));
    console.line(fmt::format("  depth={}, history={}, grant={}, durability={}{}; {}", publisher.depth,
                             publisher.history, to_string(publisher.grant),
                             publisher.durable ? "persistent" : "volatile", type_text(publisher.type),
                             bytes_text(static_cast<double>(publisher.memory))));
  }
  for (const auto& subscriber : topic.subscribers) {
    console.line(describe(subscriber));
    for (const auto& publisher : topic.publishers) {
      const shm::Backlog backlog = backlog_of(subscriber, publisher);
      console.line(fmt::format("  {} unread of {}{}", backlog.unread - backlog.overrun, short_name(publisher),
                               backlog.overrun == 0 ? "" : fmt::format(", {} lost since", backlog.overrun)));
    }
    console.line(fmt::format("  depth={}, history={}, policy={}, durability={}{}; holds {} messages; {}",
                             subscriber.depth, subscriber.history, to_string(subscriber.policy),
                             subscriber.durable ? "persistent" : "volatile", type_text(subscriber.type),
                             subscriber.held, bytes_text(static_cast<double>(subscriber.memory))));
  }
}

ExitCode info_shm(Session& session, const Endpoint& endpoint) {
  const Result<shm::ObservedTopic> topic = observe_topic(endpoint);
  if (!topic) return session.console.error(topic.error());
  if (session.console.json()) {
    session.console.document(json_of(*topic));
    return topic->problem.empty() ? ExitCode::done : ExitCode::corrupt;
  }
  if (!topic->problem.empty()) {
    return session.console.error(
        Error(ErrorCode::corrupt, fmt::format("topic \"{}\": {}", endpoint.topic, topic->problem)));
  }
  print(session.console, *topic);
  return ExitCode::done;
}

// Of a backend that shows no more, its promises.
ExitCode info_any(Session& session, const Endpoint& endpoint) {
  const auto capabilities = session.node.capabilities(endpoint.text());
  if (!capabilities) return session.console.error(capabilities.error());
  const Json promises = promises_of(*capabilities);
  if (session.console.json()) {
    session.console.document({{"topic", endpoint.topic}, {"backend", endpoint.scheme}, {"promises", promises}});
    return ExitCode::done;
  }
  session.console.line(fmt::format("\"{}\" is a topic of {}, which shows its members to nobody outside; it promises:",
                                   printable(endpoint.topic), endpoint.scheme));
  for (const auto& [name, value] : promises.items()) {
    if (value != Json(false)) {
      session.console.line(value.is_string() ? fmt::format("  {}: {}", name, value.get<std::string>()) : "  " + name);
    }
  }
  return ExitCode::done;
}

}  // namespace

ExitCode run(Session& session, const InfoOptions& options) {
  const Result<Endpoint> endpoint = topic_of(options.topic);
  if (!endpoint) return session.console.error(endpoint.error());
  return endpoint->scheme == "shm" ? info_shm(session, *endpoint) : info_any(session, *endpoint);
}

}  // namespace weir::tool
