// What victims do, and what survivors must find afterwards.
#include <algorithm>
#include <chrono>
#include <csignal>
#include <stdexcept>
#include <utility>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "transport/testing/scene.h"

namespace weir::testing {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t in_slot = 64;
constexpr std::size_t small = 200;
constexpr std::size_t medium = 5000;
constexpr std::size_t large = 70'000;

constexpr std::uint64_t unread = 5;  // of what was published before the victim came

const std::string publishing = "depth=16&history=8&grant=block&deadline=2s&memory=2MiB";
// Room for the ring and a few chunks of `medium` more: a chunk that is lost is missed.
const std::string bounded = "depth=16&history=8&grant=block&deadline=2s&memory=320KiB";
const std::string reading = "policy=lossless&depth=16&history=8&held=3";
const std::string durable_publisher = "&durability=persistent&name=keeper";
const std::string durable_subscriber = "&durability=persistent&name=reader";

// A message of those who visit the scene while the victim is stopped: it is nobody's concern later.
bool is_visitors(const Sample& sample) { return sample.payload().empty(); }

// Everything that is there, from `first` on without a gap; the first of it stays in `held`, if given. Returns one more
// than the last.
std::uint64_t drain_from(Subscriber& subscriber, std::uint64_t first, std::vector<Sample>* held = nullptr) {
  while (std::optional<Sample> sample = take(subscriber)) {
    if (is_visitors(*sample)) continue;
    if (sample->sequence() != first || sample->lost_before() != 0) {
      ADD_FAILURE() << "#" << sample->sequence() << " came with " << sample->lost_before() << " lost, for #" << first;
    }
    first = sample->sequence() + 1;
    if (held != nullptr && held->empty()) held->push_back(std::move(*sample));
  }
  return first;
}

// ---- A publisher ----

void be_publisher(Scene& scene, const std::string& options) {
  Publisher publisher = scene.publisher(options);
  for (const std::size_t size : {in_slot, medium, small, large}) publish(publisher, size, &scene.report());
  { const Loan dropped = must(publisher.loan(medium)); }
  must(publisher.fd());
  while (must(publisher.next_event())) {
  }
  publish(publisher, in_slot, &scene.report());
}

// `base`: what was published before the victim came. Its successor goes on where it stopped.
void judge_publisher(Scene& scene, const std::string& options, std::uint64_t base, bool persistent) {
  const std::uint64_t end = drain_from(*scene.in, scene.read, &scene.held);
  EXPECT_GE(end, base + scene.report().accepted) << "accepted, and lost";
  EXPECT_LE(end, base + scene.report().begun) << "never published";
  scene.out = scene.publisher(options);
  const std::uint64_t next = scene.out->next_sequence();
  EXPECT_EQ(next, persistent ? end : 0);
  must(scene.out->wait_for_subscribers(1, after(2s)));
  for (int message = 0; message < 40; ++message) {
    publish(*scene.out, medium);
    EXPECT_EQ(drain_from(*scene.in, next + static_cast<std::uint64_t>(message)),
              next + static_cast<std::uint64_t>(message) + 1);
  }
  for (const Sample& sample : scene.held) check(sample);
}

// Others come, exchange a message, and go, while the victim neither lives nor is dead.
void meet(Scene& scene) {
  Subscriber late = scene.subscriber("depth=16");
  Publisher other = scene.publisher("depth=16&history=8&grant=reject");
  must(other.wait_for_subscribers(1, after(2s)));
  publish(other, 0);
  EXPECT_EQ(must(late.wait(after(2s))), Wake::ready);
  bool received = false;
  while (const std::optional<Sample> sample = take(late)) {
    received = received || sample->publisher() == other.id();
  }
  EXPECT_TRUE(received) << "while another is stopped";
}

// ---- A subscriber ----

void be_subscriber(Scene& scene, const std::string& options) {
  Subscriber subscriber = scene.subscriber(options);
  const auto note = [&](const std::optional<Sample>& sample) {
    if (sample && !is_visitors(*sample)) scene.report().taken = sample->sequence() + 1;
  };
  std::optional<Sample> first = take(subscriber);
  note(first);
  if (first && !is_visitors(*first)) scene.report().holds = first->sequence() + 1;
  std::optional<Sample> second = take(subscriber);
  note(second);
  second.reset();
  must(subscriber.fd());
  must(subscriber.wait(after(1ms)));
  while (must(subscriber.next_event())) {
  }
  while (const std::optional<Sample> sample = take(subscriber)) note(sample);
  scene.report().holds = 0;
  first.reset();
  scene.report().leaves = true;
}

// What a successor is told: what the victim had in hand for certain, what its own predecessor left, and nothing that
// it had not taken.
void judge_list(Scene& scene, Subscriber& successor, std::uint64_t left_before) {
  const VictimReport& report = scene.report();
  const std::vector<InHand> list = must(successor.in_hand_at_death());
  const auto has = [&](std::uint64_t sequence) {
    return std::count(list.begin(), list.end(), InHand{.publisher = scene.out->id(), .sequence = sequence}) == 1;
  };
  if (report.victims < 2) {  // of two, more may be in hand than the list has room for
    EXPECT_TRUE(report.holds == 0 || has(report.holds - 1)) << "was in hand, and is not on the list";
    EXPECT_TRUE(left_before == 0 || report.leaves || has(left_before - 1)) << "was left, and is not on the list";
  }
  for (const InHand& one : list) {
    EXPECT_LT(one.sequence, report.taken + std::max<std::uint64_t>(report.victims, 1)) << "on the list, never taken";
    EXPECT_TRUE(has(one.sequence)) << "twice on the list";
  }
  EXPECT_EQ(must(successor.in_hand_at_death()), list);
}

void judge_subscriber(Scene& scene, const std::string& options, bool persistent, std::uint64_t left_before) {
  for (int message = 0; message < 100; ++message) {
    publish(*scene.out, medium);
    drain_from(*scene.in, scene.out->next_sequence() - 1);
  }
  Subscriber successor = scene.subscriber(options);
  if (persistent) judge_list(scene, successor, left_before);
  std::vector<Sample> in_hand;  // as many as may be: none of those that the victim had counts
  while (in_hand.size() < 3) {
    std::optional<Sample> sample = take(successor);
    if (!sample) break;
    if (!is_visitors(*sample)) in_hand.push_back(std::move(*sample));
  }
  if (const std::uint64_t taken = scene.report().taken; persistent && taken != 0 && !in_hand.empty()) {
    const std::uint64_t from = in_hand.front().sequence() - in_hand.front().lost_before();
    EXPECT_GE(from, taken) << "received twice";
    EXPECT_LE(from, taken + scene.report().victims) << "lost without a word";  // what each took when it was killed
  }
  EXPECT_EQ(in_hand.size(), 3U);
  in_hand.clear();
  while (take(successor)) {
  }
  must(scene.out->wait_for_subscribers(2, after(2s)));
  publish(*scene.out, small);
  EXPECT_EQ(must(successor.wait(after(2s))), Wake::ready);
  EXPECT_EQ(drain_from(successor, scene.out->next_sequence() - 1), scene.out->next_sequence());
}

void prepare_subscriber(Scene& scene, const std::string& options) {
  scene.in = scene.subscriber("policy=lossless&depth=16&history=8");
  scene.out = scene.publisher(options);
  must(scene.out->wait_for_subscribers(1, after(2s)));
  for (int message = 0; message < 5; ++message) publish(*scene.out, medium);
  EXPECT_EQ(drain_from(*scene.in, 0), 5U);
}

void remove_topic(Scene& scene) {
  scene.held.clear();
  scene.out.reset();
  scene.in.reset();
  must(scene.node().remove(scene.uri()));
}

Scenario publisher_scenario(const std::string& name, bool persistent, std::uint64_t base) {
  const std::string options = publishing + (persistent ? durable_publisher : "");
  return {.name = name,
          .prepare =
              [options, base](Scene& scene) {
                scene.in = scene.subscriber(reading);
                if (base == 0) return;
                // One in hand, and overwritten long since: its chunk is in no slot, and yet not free.
                scene.out = scene.publisher(options);
                must(scene.out->wait_for_subscribers(1, after(2s)));
                for (; scene.read < base - unread; ++scene.read) {
                  publish(*scene.out, medium);
                  drain_from(*scene.in, scene.read, &scene.held);
                }
                scene.out.reset();
                scene.past([&] {
                  Publisher publisher = scene.publisher(options);
                  must(publisher.wait_for_subscribers(1, after(2s)));
                  for (std::uint64_t message = 0; message < unread; ++message) publish(publisher, medium);
                  const Loan open = must(publisher.loan(medium));
                  ::raise(SIGKILL);
                });
              },
          .act = [options](Scene& scene) { be_publisher(scene, options); },
          .judge =
              [options, base, persistent](Scene& scene) {
                judge_publisher(scene, options, base, persistent);
                if (persistent) remove_topic(scene);
              },
          .while_stopped = meet,
          .again = persistent};
}

Scenario subscriber_scenario(const std::string& name, bool persistent, bool returns) {
  const std::string options = reading + (persistent ? durable_subscriber : "");
  return {.name = name,
          .prepare =
              [options, returns](Scene& scene) {
                prepare_subscriber(scene, bounded);
                if (returns) {
                  scene.past([&] {
                    Subscriber subscriber = scene.subscriber(options);
                    const std::optional<Sample> in_hand = take(subscriber);
                    must(subscriber.fd());
                    scene.report().taken = in_hand->sequence() + 1;
                    ::raise(SIGKILL);
                  });
                }
              },
          .act = [options](Scene& scene) { be_subscriber(scene, options); },
          .judge =
              [options, persistent, returns](Scene& scene) {
                judge_subscriber(scene, options, persistent, returns ? 1 : 0);
                if (persistent) remove_topic(scene);
              },
          .while_stopped = meet,
          .again = true};
}

Scenario cleanup_scenario() {
  return {.name = "CleanUp",
          .prepare =
              [](Scene& scene) {
                scene.past([&] {
                  Subscriber subscriber = scene.subscriber(reading);
                  must(subscriber.fd());
                  Publisher publisher = scene.publisher(publishing);
                  for (const std::size_t size : {small, medium, large}) publish(publisher, size);
                  const std::optional<Sample> in_hand = take(subscriber);
                  ::raise(SIGKILL);
                });
              },
          .act = [](Scene& scene) { const Subscriber visitor = scene.subscriber("depth=4"); },
          .judge =
              [](Scene& scene) {
                scene.in = scene.subscriber("depth=4");
                EXPECT_FALSE(take(*scene.in)) << "of the past";
                scene.out = scene.publisher(publishing);
                publish(*scene.out, medium);
                EXPECT_EQ(drain_from(*scene.in, 0), 1U);
              },
          .while_stopped = {},
          .again = true};
}

Scenario removal_scenario() {
  return {.name = "Removal",
          .prepare =
              [](Scene& scene) {
                scene.past([&] {
                  Publisher publisher = scene.publisher(publishing + durable_publisher);
                  const Subscriber subscriber = scene.subscriber(reading + durable_subscriber);
                  for (const std::size_t size : {small, medium, large}) publish(publisher, size);
                  ::raise(SIGKILL);
                });
              },
          .act = [](Scene& scene) { must(scene.node().remove(scene.uri())); },
          .judge =
              [](Scene& scene) {
                scene.out = scene.publisher(publishing + durable_publisher);
                const std::uint64_t next = scene.out->next_sequence();
                EXPECT_TRUE(next == 0 || next == 3) << next;
                scene.in = scene.subscriber("depth=16&history=8");
                EXPECT_EQ(drain_from(*scene.in, 0), next) << "half removed";
                publish(*scene.out, medium);
                EXPECT_EQ(drain_from(*scene.in, next), next + 1);
                remove_topic(scene);
              }};
}

}  // namespace

const std::vector<Scenario>& scenarios() {
  static const std::vector<Scenario> all{
      publisher_scenario("Publisher", false, 0),
      publisher_scenario("DurablePublisher", true, 0),
      publisher_scenario("ReturningPublisher", true, 45),
      subscriber_scenario("Subscriber", false, false),
      subscriber_scenario("DurableSubscriber", true, false),
      subscriber_scenario("ReturningSubscriber", true, true),
      cleanup_scenario(),
      removal_scenario(),
  };
  return all;
}

}  // namespace weir::testing
