#include "adapters/bridge/bridge.h"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <system_error>
#include <utility>

#include <fmt/format.h>

namespace weir::bridge {
namespace {

// After so many listings without a publisher a topic is let go: publishers that are restarted are met again.
constexpr int patience = 10;

std::size_t stars(std::string_view text) { return static_cast<std::size_t>(std::count(text.begin(), text.end(), '*')); }

// Where the topics of an endpoint are listed.
std::string backend_of(const Endpoint& endpoint) {
  Endpoint backend{.scheme = endpoint.scheme, .topic = "", .options = {}};
  if (const auto root = endpoint.options.find("root"); root != endpoint.options.end()) backend.options.insert(*root);
  return backend.text();
}

// Whether the rule is a pattern. zmq+tcp://*:5555 is none: that is how ZeroMQ names all interfaces.
Result<bool> is_pattern(const Node& node, const RouteOptions& rule) {
  const auto from = Endpoint::parse(rule.from);
  if (!from) return tl::unexpected(from.error());
  const auto to = Endpoint::parse(rule.to);
  if (!to) return tl::unexpected(to.error());
  const std::size_t in_from = stars(from->topic);
  const std::size_t in_to = stars(to->topic) - (to->scheme == "zmq+tcp" && to->topic.starts_with('*') ? 1 : 0);
  if (from->scheme == "zmq+tcp" || in_from + in_to == 0) return false;
  if (in_from != 1 || in_to != 1) {
    return failure(ErrorCode::invalid_argument,
                   fmt::format("{} -> {}: a pattern has one * in both topics", rule.from, rule.to));
  }
  if (backend_of(*from) == backend_of(*to) && !map_topic(from->topic, to->topic, to->topic).empty()) {
    return failure(ErrorCode::invalid_argument,
                   fmt::format("{} -> {}: what it carries fits the pattern again, and would be carried on without end: "
                               "choose a target that does not fit, or another root",
                               rule.from, rule.to));
  }
  const auto capabilities = node.capabilities(rule.from);
  if (!capabilities) return tl::unexpected(capabilities.error());
  if (!capabilities->lists_topics) {
    return failure(ErrorCode::unsupported,
                   fmt::format("{}: this backend does not list its topics, so that none can be found for *: name each "
                               "in a route of its own",
                               rule.from));
  }
  return true;
}

}  // namespace

std::string map_topic(std::string_view from, std::string_view to, std::string_view topic) {
  const std::size_t star = from.find('*');
  const std::string_view before = from.substr(0, star);
  const std::string_view behind = from.substr(star + 1);
  if (topic.size() <= before.size() + behind.size() || !topic.starts_with(before) || !topic.ends_with(behind))
    return {};
  std::string mapped(to);
  return mapped.replace(to.find('*'), 1, topic.substr(before.size(), topic.size() - before.size() - behind.size()));
}

Bridge::Bridge(Node& node, Announce announce, Pace pace)
    : node_(node),
      announce_([this, say = std::move(announce)](const std::string& sentence) {
        const std::lock_guard lock(announcing_);
        say(sentence);
      }),
      pace_(pace) {}

Bridge::~Bridge() {
  while (!running_.empty()) end(running_.begin());
}

Result<std::unique_ptr<Bridge>> Bridge::open(Node& node, const Rules& rules, Announce announce, Pace pace) {
  std::unique_ptr<Bridge> bridge(new Bridge(node, std::move(announce), pace));
  for (const RouteOptions& rule : rules) {
    const Result<bool> pattern = is_pattern(node, rule);
    if (!pattern) return tl::unexpected(pattern.error());
    if (*pattern) {
      bridge->patterns_.push_back(rule);
    } else if (Status started = bridge->start(rule, ""); !started) {
      return tl::unexpected(started.error());
    }
  }
  return bridge;
}

Status Bridge::start(const RouteOptions& options, const std::string& topic) {
  Result<Claim> claim = Claim::make(node_, options.from, options.to);
  if (!claim) return tl::unexpected(claim.error());
  auto route = Route::open(node_, options, announce_);
  if (!route) return tl::unexpected(route.error());
  Route& runner = **route;
  std::jthread thread;
  try {
    thread = std::jthread([&runner](const std::stop_token& stop) { runner.run(stop); });
  } catch (const std::system_error& error) {
    return failure(ErrorCode::resource_exhausted,
                   fmt::format("{} -> {}: there is no thread for it: {}: raise the limit of processes (ulimit -u, "
                               "pids.max) or end some",
                               options.from, options.to, error.what()));
  }
  const std::lock_guard lock(lock_);
  running_.emplace(topic.empty() ? options.from + ' ' + options.to : topic,
                   Running{.claim = std::move(*claim), .route = std::move(*route), .thread = std::move(thread)});
  return {};
}

void Bridge::end(std::map<std::string, Running>::iterator route) {
  route->second.thread.request_stop();
  route->second.thread.join();
  const std::lock_guard lock(lock_);
  ended_.push_back({route->second.route->options(), route->second.route->counts()});
  running_.erase(route);
}

void Bridge::discover(const RouteOptions& rule) {
  Endpoint from = *Endpoint::parse(rule.from);
  Endpoint to = *Endpoint::parse(rule.to);
  const std::string pattern = from.topic;
  const std::string target = to.topic;
  const auto listed = node_.topics(backend_of(from));
  if (!listed)
    return announce_(fmt::format("{}: its topics cannot be listed: {}", rule.from, listed.error().message()));
  for (const TopicDescription& each : *listed) {
    const std::string mapped = map_topic(pattern, target, each.topic);
    const bool published = std::any_of(each.peers.begin(), each.peers.end(),
                                       [](const Peer& peer) { return peer.role == Role::publisher && peer.alive; });
    if (mapped.empty() || each.topic.starts_with(claim_prefix)) continue;
    from.topic = each.topic;
    to.topic = mapped;
    const std::string key = from.text() + ' ' + to.text();
    if (const auto route = running_.find(key); route != running_.end()) {
      route->second.absent = published ? 0 : route->second.absent + 1;
      if (route->second.absent > patience && route->second.route->idle()) end(route);
      continue;
    }
    const auto refused = refused_.find(key);
    const bool was_refused = refused != refused_.end();
    if (!published || (was_refused && !passed(refused->second))) continue;
    const Status started = start({.from = from.text(), .to = to.text(), .when_full = rule.when_full}, key);
    if (started) {
      refused_.erase(key);
      announce_(fmt::format("{} -> {}: found", from.text(), to.text()));
      continue;
    }
    refused_[key] = after(pace_.retry);
    if (!was_refused) announce_(fmt::format("{} is not carried: {}", from.text(), started.error().message()));
  }
}

void Bridge::run(const std::stop_token& stop) {
  std::mutex mutex;
  std::condition_variable_any never_notified;
  std::unique_lock lock(mutex);
  while (!stop.stop_requested()) {
    for (const RouteOptions& rule : patterns_) discover(rule);
    if (patterns_.empty()) {
      never_notified.wait(lock, stop, [] { return false; });
    } else {
      never_notified.wait_for(lock, stop, pace_.listing, [] { return false; });
    }
  }
  for (auto& [key, route] : running_) route.thread.request_stop();
  while (!running_.empty()) end(running_.begin());
}

std::vector<Bridge::State> Bridge::routes() const {
  const std::lock_guard lock(lock_);
  std::vector<State> all = ended_;
  for (const auto& [key, running] : running_) all.push_back({running.route->options(), running.route->counts()});
  return all;
}

}  // namespace weir::bridge
