#include "conformance/random/history.h"

#include <algorithm>
#include <array>
#include <utility>

#include <fmt/format.h>

#include "conformance/harness/failure.h"

namespace weir::conformance {
namespace {

constexpr std::uint64_t publisher_depth = 64;
constexpr std::uint64_t most_held = 20;

}  // namespace

RandomHistory::RandomHistory(Stage stage, std::uint64_t seed) : stage_(std::move(stage)), engine_(seed) {
  const bool lossless = stage_.capabilities.lossless_block || stage_.capabilities.lossless_reject;
  const bool drops = stage_.capabilities.drop_oldest || stage_.capabilities.drop_newest;
  const std::uint64_t count = 1 + below(3);
  for (std::uint64_t at = 0; at < count; ++at) {
    topics_.push_back({.name = fmt::format("random-{}-{}", seed, at),
                       .lossless = lossless && (!drops || below(2) == 0),
                       .history = stage_.capabilities.max_history >= 8 ? below(9) : 0});
  }
  actors_.resize(3 + below(3));
}

void RandomHistory::note(std::string line) { script_ += std::move(line) + '\n'; }

void RandomHistory::start(std::size_t actor) {
  actors_[actor] = {.peer = &stage_.peer(fmt::format("{}'s life {}", actor, ++lives_))};
}

template <class Members>
auto RandomHistory::open_member(Members& members, std::size_t actor) -> decltype(&members.front()) {
  std::vector<decltype(&members.front())> fitting;
  for (auto& member : members) {
    if (member.open && member.actor == actor) fitting.push_back(&member);
  }
  return fitting.empty() ? nullptr : fitting[below(fitting.size())];
}

void RandomHistory::join_publisher(std::size_t actor) {
  const std::size_t topic = below(topics_.size());
  const char* grant = !topics_[topic].lossless             ? "drop"
                      : stage_.capabilities.lossless_block ? "block&deadline=2ms"
                                                           : "reject";
  const std::string uri = stage_.uri(
      topics_[topic].name, fmt::format("depth={}&history={}&grant={}", publisher_depth, topics_[topic].history, grant));
  note(fmt::format("{} publishes on {}", actor, uri));
  ScriptedPeer* peer = actors_[actor].peer;
  publishers_.push_back({{.topic = topic, .actor = actor, .peer = peer}, peer->publisher(uri)});
}

void RandomHistory::join_subscriber(std::size_t actor) {
  const std::size_t topic = below(topics_.size());
  std::vector<SlowPolicy> policies;
  if (stage_.capabilities.drop_oldest) policies.push_back(SlowPolicy::drop_oldest);
  if (stage_.capabilities.drop_newest) policies.push_back(SlowPolicy::drop_newest);
  if (topics_[topic].lossless) policies.push_back(SlowPolicy::lossless);
  const SlowPolicy policy = policies[below(policies.size())];
  const std::uint64_t depth = std::array<std::uint64_t, 5>{1, 2, 5, 16, publisher_depth}.at(below(5));
  const std::uint64_t history = below(std::min(depth, topics_[topic].history) + 1);
  const std::string uri =
      stage_.uri(topics_[topic].name, fmt::format("depth={}&history={}&policy={}", depth, history, to_string(policy)));
  note(fmt::format("{} subscribes to {}", actor, uri));
  ScriptedPeer* peer = actors_[actor].peer;
  subscribers_.push_back({{.topic = topic, .actor = actor, .policy = policy, .peer = peer}, peer->subscriber(uri)});
}

void RandomHistory::leave(std::size_t actor) {
  if (below(2) == 0) {
    if (Publishing* leaving = open_member(publishers_, actor)) {
      note(fmt::format("{} closes publisher {}", actor, leaving->port.number()));
      leaving->port.close();
      leaving->open = false;
    }
  } else if (Subscribing* leaving = open_member(subscribers_, actor)) {
    note(fmt::format("{} closes subscriber {}", actor, leaving->port.number()));
    leaving->port.take_all();  // what it has not read then is nobody's
    leaving->port.close();
    leaving->open = false;
  }
}

void RandomHistory::publish(std::size_t actor, bool at_once) {
  Publishing* member = open_member(publishers_, actor);
  if (member == nullptr) return;
  PublishScript script{.count = 1 + below(at_once ? 20 : 300), .size = 64, .when = When::held_back_end};
  script.size_most = std::array<std::uint64_t, 3>{64, 3000, 60'000}.at(below(3));
  script.header_size = stage_.capabilities.user_header ? below(3) * 9 : 0;
  note(fmt::format("{} publishes {}{} on {}", actor, script.count, at_once ? "" : " meanwhile", member->port.number()));
  member->port.begin_publish(script);
  if (at_once) {
    member->peer->finish_well();
  } else {
    actors_[actor].busy = Busy::publishing;
  }
}

void RandomHistory::take(std::size_t actor) {
  Subscribing* member = open_member(subscribers_, actor);
  if (member == nullptr) return;
  const std::uint64_t count = 1 + below(30);
  note(fmt::format("{} takes {} from {}", actor, count, member->port.number()));
  member->port.take(count);
}

void RandomHistory::hold_or_release(std::size_t actor) {
  Subscribing* member = open_member(subscribers_, actor);
  if (member == nullptr) return;
  if (member->held > 0 && below(2) == 0) {
    note(fmt::format("{} releases what it holds of {}", actor, member->port.number()));
    member->port.release(member->held);
    member->held = 0;
  } else if (const std::uint64_t count = below(5); member->held + count <= most_held) {
    note(fmt::format("{} holds {} more of {}", actor, count, member->port.number()));
    member->port.hold(count);
    member->held += count;
  }
}

void RandomHistory::receive(std::size_t actor) {
  Subscribing* member = open_member(subscribers_, actor);
  if (member == nullptr) return;
  note(fmt::format("{} receives meanwhile from {}", actor, member->port.number()));
  member->port.begin_receive({.next = endless, .hold = member->held, .waiting = WaitMethod::spin});
  actors_[actor].busy = Busy::receiving;
}

void RandomHistory::stop_or_go_on(std::size_t actor) {
  Actor& target = actors_[actor];
  note(fmt::format("{} {}", actor, target.stopped ? "goes on" : "is stopped"));
  target.stopped ? target.peer->go_on() : target.peer->stop();
  target.stopped = !target.stopped;
}

void RandomHistory::kill(std::size_t actor) {
  note(fmt::format("{} is killed, and another comes", actor));
  actors_[actor].peer->kill();
  for (Publishing& member : publishers_) member.open = member.open && member.actor != actor;
  for (Subscribing& member : subscribers_) member.open = member.open && member.actor != actor;
  start(actor);
}

// Until it can be told something else.
void RandomHistory::settle(std::size_t actor) {
  Actor& target = actors_[actor];
  if (target.stopped) stop_or_go_on(actor);
  if (target.busy == Busy::receiving) target.peer->halt();
  if (target.busy != Busy::no) target.peer->finish_well();
  target.busy = Busy::no;
}

void RandomHistory::step() {
  const std::size_t actor = below(actors_.size());
  const bool processes = stage_.capabilities.across_processes;
  const std::uint64_t choice = below(100);
  if (processes && choice < 4) return kill(actor);
  if (processes && choice < 12) return stop_or_go_on(actor);
  settle(actor);
  if (choice < 26) return join_publisher(actor);
  if (choice < 42) return join_subscriber(actor);
  if (choice < 50) return leave(actor);
  if (choice < 65) return publish(actor, true);
  if (choice < 75) return publish(actor, false);
  if (choice < 87) return take(actor);
  if (choice < 94) return hold_or_release(actor);
  receive(actor);
}

void RandomHistory::perform() {
  for (std::size_t actor = 0; actor < actors_.size(); ++actor) start(actor);
  const std::uint64_t steps = 40 + below(60);
  for (std::uint64_t at = 0; at < steps; ++at) step();
  note("all come to rest, and take what is there");
  // Publishers first: then nothing comes any more.
  for (const Busy busy : {Busy::publishing, Busy::receiving, Busy::no}) {
    for (std::size_t actor = 0; actor < actors_.size(); ++actor) {
      if (actors_[actor].busy == busy) settle(actor);
    }
  }
  for (std::size_t topic = 0; topic < topics_.size(); ++topic) take_all(topic);
  note("each publisher publishes once more, to all who are there");
  for (Publishing& member : publishers_) {
    if (!member.open) continue;
    const auto there = std::count_if(subscribers_.begin(), subscribers_.end(), [&](const Subscribing& subscriber) {
      return subscriber.open && subscriber.topic == member.topic;
    });
    member.port.wait_for_subscribers(static_cast<std::uint64_t>(there));
    member.reached_all = member.port.publish({.when = When::held_back_end}) == 1;
    take_all(member.topic);  // before the next one, as all publishers may share one queue
  }
}

void RandomHistory::take_all(std::size_t topic) {
  for (Subscribing& member : subscribers_) {
    if (!member.open || member.topic != topic) continue;
    member.port.take_all();
    member.port.release(most_held + publisher_depth);
  }
}

Violations RandomHistory::judge() const {
  Violations all;
  for (const Publishing& publisher : publishers_) append(all, check_numbers(publisher.port.events()));
  for (const Subscribing& subscriber : subscribers_) {
    const auto events = subscriber.port.events();
    append(all, check_order(events));
    append(all, check_content(events));
    // Who is lossless must see no gap, whether or not the backend counts losses.
    if (stage_.capabilities.exact_loss || subscriber.policy == SlowPolicy::lossless) append(all, check_losses(events));
    std::vector<Event> all_sent;
    for (const Publishing& publisher : publishers_) {
      if (publisher.topic != subscriber.topic) continue;
      const auto sent = publisher.port.events();
      all_sent.insert(all_sent.end(), sent.begin(), sent.end());
      const auto accepted = of_kind(sent, EventKind::published);
      if (accepted.empty() || !subscriber.open) continue;
      const auto received = taken_from(events, accepted.front().peer);
      if (received.empty()) {
        if (!publisher.reached_all) continue;  // it may have come after all that was published
        all.push_back(fmt::format("{} received nothing of {:x}, which published when it was there",
                                  subscriber.peer->name(), accepted.front().peer));
        continue;
      }
      // It was attached, and has taken all there was: what came last is among it, but where the new is dropped or goes
      // with its publisher.
      const bool came_to_stay = stage_.capabilities.survives_publisher && subscriber.policy != SlowPolicy::drop_newest;
      if ((publisher.reached_all || came_to_stay) && received.back().sequence < accepted.back().sequence) {
        all.push_back(fmt::format("{} received up to #{}, where #{} was accepted of {:x}", subscriber.peer->name(),
                                  received.back().sequence, accepted.back().sequence, accepted.front().peer));
      }
    }
    append(all, check_origin(events, all_sent));
    if (subscriber.policy != SlowPolicy::lossless) continue;
    for (const Event& event : of_kind(events, EventKind::taken)) {
      if (event.lost_before == 0) continue;
      all.push_back(subscriber.peer->name() + " is lossless and lost: " + to_string(event));
    }
  }
  return all;
}

}  // namespace weir::conformance
