#include "tools/weir/target.h"

#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <utility>
#include <vector>

#include <fmt/format.h>

namespace weir::tool {
namespace {

constexpr std::uint64_t default_depth = 255;  // with fit=any it is what the publisher has, if that is less

bool exists(const std::string& path) {
  struct stat status {};
  return stat(path.c_str(), &status) == 0 || errno != ENOENT;
}

// Topics to choose from, for a person who mistyped one.
std::string known_topics(const shm::Observer& observer) {
  constexpr std::size_t most = 5;
  std::string names;
  std::vector<shm::ObservedTopic> topics = observer.topics();
  for (std::size_t index = 0; index < std::min(topics.size(), most); ++index) {
    names += fmt::format("{}\"{}\"", index == 0 ? "" : ", ", topics[index].topic);
  }
  if (topics.size() > most) names += fmt::format(" and {} more", topics.size() - most);
  return names.empty() ? "there is no topic at all" : "there are " + names;
}

}  // namespace

std::string uri_of(std::string_view word) {
  return word.find("://") == std::string_view::npos ? fmt::format("shm://{}", word) : std::string(word);
}

Result<Endpoint> topic_of(std::string_view word) { return Endpoint::parse(uri_of(word)); }

Result<Endpoint> backend_of(std::string_view word) {
  return Endpoint::parse_backend(word.find("://") == std::string_view::npos ? fmt::format("{}://", word)
                                                                            : std::string(word));
}

Result<std::string> root_of(const Endpoint& backend) {
  Endpoint any = backend;
  any.topic = "any";
  const Result<shm::Place> place = shm::place_of(any);
  if (!place) return tl::unexpected(place.error());
  return place->root;
}

Result<std::optional<shm::Observer>> observe(const Endpoint& endpoint) {
  Endpoint any = endpoint;
  if (any.topic.empty()) any.topic = "any";
  const Result<shm::Place> place = shm::place_of(any);
  if (!place) return tl::unexpected(place.error());
  Result<shm::Observer> observer = shm::Observer::open(place->root);
  if (observer) return std::optional<shm::Observer>(std::move(*observer));
  if (observer.error().code() != ErrorCode::not_found) return tl::unexpected(observer.error());
  // The default root appears with the first user; one that somebody has named is there, or the name is wrong.
  const char* variable = std::getenv("WEIR_ROOT");
  const bool is_named =
      any.topic.starts_with('/') || any.options.contains("root") || (variable != nullptr && *variable != '\0');
  const std::string named = any.topic.starts_with('/') ? place->root : place->root.substr(0, place->root.rfind('/'));
  if (is_named && !exists(named)) {
    return failure(
        ErrorCode::not_found,
        fmt::format("the root {} is not there: see how it is spelled, in the option root= or in WEIR_ROOT", named));
  }
  return std::optional<shm::Observer>();
}

Result<shm::ObservedTopic> observe_topic(const Endpoint& endpoint) {
  const Result<std::optional<shm::Observer>> observer = observe(endpoint);
  if (!observer) return tl::unexpected(observer.error());
  const Result<shm::Place> place = shm::place_of(endpoint);
  if (!place) return tl::unexpected(place.error());
  if (*observer) {
    if (auto topic = (*observer)->topic(place->name)) return std::move(*topic);
  }
  return failure(ErrorCode::not_found,
                 fmt::format("topic \"{}\": nobody has made it under {}; {}", endpoint.topic, place->root,
                             *observer ? known_topics(**observer) : "nobody has used this root yet"));
}

Result<Subscriber> listen_to(Node& node, std::string_view word, bool wait_for_it) {
  const Result<Endpoint> endpoint = topic_of(word);
  if (!endpoint) return tl::unexpected(endpoint.error());
  SubscriberOptions options;
  if (endpoint->scheme == "shm") {
    if (!wait_for_it) {
      if (const auto topic = observe_topic(*endpoint); !topic) {
        return failure(topic.error().code(), topic.error().message() + " (--wait waits for it)");
      }
    }
    if (!endpoint->options.contains("fit")) options.extra["fit"] = "any";
    if (!endpoint->options.contains("depth")) options.depth = default_depth;
  }
  return node.subscriber(endpoint->text(), options);
}

}  // namespace weir::tool
