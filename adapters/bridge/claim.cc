#include "adapters/bridge/claim.h"

#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <utility>
#include <vector>

#include <fmt/format.h>

namespace weir::bridge {
namespace {

constexpr std::string_view arrow = " -> ";

struct Carried {
  std::string from;
  std::string to;
  std::vector<Peer> bridges;  // those that live
};

// The routes that living bridges claim.
Result<std::vector<Carried>> claims_of(Node& node) {
  return node.topics("shm://").map([](const std::vector<TopicDescription>& topics) {
    std::vector<Carried> all;
    for (const TopicDescription& each : topics) {
      const std::string_view topic = each.topic;
      const std::size_t middle = topic.find(arrow);
      if (!topic.starts_with(claim_prefix) || middle == std::string_view::npos) continue;
      Carried carried{.from = std::string(topic.substr(claim_prefix.size(), middle - claim_prefix.size())),
                      .to = std::string(topic.substr(middle + arrow.size())),
                      .bridges = {}};
      std::copy_if(each.peers.begin(), each.peers.end(), std::back_inserter(carried.bridges),
                   [](const Peer& peer) { return peer.alive; });
      if (!carried.bridges.empty()) all.push_back(std::move(carried));
    }
    return all;
  });
}

// The way from one place to another over the routes there are; empty if there is none.
std::vector<const Carried*> way(const std::vector<Carried>& routes, const std::string& from, const std::string& to,
                                std::set<std::string>& seen) {
  for (const Carried& route : routes) {
    if (route.from != from || !seen.insert(route.to).second) continue;
    if (route.to == to) return {&route};
    if (auto rest = way(routes, route.to, to, seen); !rest.empty()) {
      rest.insert(rest.begin(), &route);
      return rest;
    }
  }
  return {};
}

std::string describe(const Carried& route) {
  return fmt::format("process {} carries {} -> {}", route.bridges.front().pid, route.from, route.to);
}

}  // namespace

Result<std::string> place_of(std::string_view uri) {
  return Endpoint::parse(uri).map([](const Endpoint& endpoint) {
    std::string topic = endpoint.topic;
    if (endpoint.scheme == "zmq+tcp") {
      const std::size_t colon = std::min(topic.rfind(':'), topic.size());
      constexpr std::array<std::string_view, 5> here{"*", "0.0.0.0", "127.0.0.1", "localhost", "[::1]"};
      if (std::find(here.begin(), here.end(), std::string_view(topic).substr(0, colon)) != here.end()) {
        topic = "localhost" + topic.substr(colon);
      }
    }
    const auto root = endpoint.options.find("root");
    return fmt::format("{}://{}{}", endpoint.scheme, topic,
                       root == endpoint.options.end() ? "" : " in " + root->second);
  });
}

Result<Claim> Claim::make(Node& node, std::string_view from, std::string_view to) {
  const auto source = place_of(from);
  if (!source) return tl::unexpected(source.error());
  const auto target = place_of(to);
  if (!target) return tl::unexpected(target.error());
  if (*source == *target) {
    return failure(
        ErrorCode::invalid_argument,
        fmt::format("a bridge from {} to itself would carry each message for ever: choose another target", *source));
  }
  const Endpoint topic{
      .scheme = "shm", .topic = fmt::format("{}{}{}{}", claim_prefix, *source, arrow, *target), .options = {}};
  // Claimed first, looked afterwards: of two that come at the same time at least one sees the other.
  Result<Publisher> publisher = node.publisher(topic.text(), {.name = "bridge", .depth = 1, .max_payload = 0});
  if (!publisher) return tl::unexpected(publisher.error());
  const auto routes = claims_of(node);
  if (!routes) return tl::unexpected(routes.error());
  for (const Carried& route : *routes) {
    if (route.from != *source || route.to != *target) continue;
    for (const Peer& bridge : route.bridges) {
      if (bridge.id == publisher->id()) continue;
      return failure(
          ErrorCode::name_taken,
          fmt::format("process {} carries {} -> {} already, so each message would come twice: end that bridge "
                      "first",
                      bridge.pid, *source, *target));
    }
  }
  std::set<std::string> seen;
  if (const auto circle = way(*routes, *target, *source, seen); !circle.empty()) {
    std::string story;
    for (const Carried* route : circle) story += (story.empty() ? "" : ", ") + describe(*route);
    return failure(
        ErrorCode::invalid_argument,
        fmt::format("a bridge from {} to {} would close a circle in which messages go round for ever, as {}: "
                    "end one of them, or choose another target",
                    *source, *target, story));
  }
  return Claim(std::move(*publisher));
}

}  // namespace weir::bridge
