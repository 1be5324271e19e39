// Death at any point, and what survivors and successors make of it.
#include <chrono>
#include <stop_token>
#include <utility>

#include "transport/testing/model_run/scenarios.h"
#include "transport/testing/model_run/scene.h"

namespace weir::testing {
namespace {

using namespace std::chrono_literals;

constexpr Bounds one_death{.preemptions = 1, .delays = 0, .deaths = 1};
// Longer than any slice of a wait.
constexpr std::chrono::milliseconds long_enough = 250ms;

// Reads up to `end`, or until nothing has come for long enough.
void read_up_to(std::uint64_t end) {
  Reader& reader = *scene().reader;
  while (true) {
    reader.drain();
    if (reader.end().value_or(0) >= end) return;
    const Result<Wake> wake = reader.port().wait(after(long_enough), std::stop_token());
    expect(wake.has_value(), "the wait failed");
    if (*wake == Wake::deadline) return;
  }
}

// What was published by one who died arrives, by the slice if the bell was not rung; then nothing stays.
Scenario publisher_dies() {
  return {.name = "PublisherDies",
          .bounds = one_death,
          .set_up = [] { make_pair("depth=4&memory=16KiB&grant=block", "depth=4&policy=lossless", tiny); },
          .programs = {{.name = "publisher",
                        .act =
                            [] {
                              scene().writer->publish(3);
                              point("its end");
                            },
                        .may_die = true},
                       {.name = "subscriber", .act = [] { read_up_to(3); }}},
          .judge =
              [] {
                const std::uint64_t end = scene().reader->end().value_or(0);
                expect(end >= scene().ghost.published, "a sample that was published is lost");
                expect(end <= scene().ghost.begun, "a sample came from nowhere");
                expect_nothing_left_behind();
              }};
}

// Joins under the name of a publisher once that has died. Null: it came to its end.
void succeed(std::string_view options, std::size_t payload) {
  while (!somebody_died()) {
    if (scene().counter != 0) return;  // the first has come to its end
    pause();
  }
  std::optional<Writer>& successor = scene().successor;
  successor.emplace(options, payload, IfTaken::wait);  // until its locks are dropped
  const std::uint64_t next = successor->port().next_sequence();
  expect(next >= scene().ghost.published, "a number is used twice");
  expect(next <= scene().ghost.begun, "a number is left out");
  scene().ghost.begun = next;
  successor->publish(2);
}

// A durable publisher dies with a sample of its in somebody's hand; a successor goes on in its stream, in its memory.
Scenario publisher_is_succeeded(const std::string& name, std::size_t payload, const std::string& publisher,
                                const std::string& subscriber) {
  const std::string options = publisher + "&durability=persistent&name=keeper";
  return {.name = name,
          .bounds = one_death,
          .set_up =
              [=] {
                make_pair(options, subscriber, payload);
                go_on_as(writing);
                scene().writer->publish(1);
                go_on_as(reading);
                scene().reader->take();
              },
          .programs = {{.name = "publisher",
                        .act =
                            [] {
                              scene().writer->publish(2);
                              point("its end");
                              scene().counter = 1;
                            },
                        .may_die = true},
                       {.name = "subscriber",
                        .act =
                            [] {
                              for (int look = 0; look < 3; ++look) {
                                scene().reader->take();
                                scene().reader->release(1);
                              }
                            }},
                       {.name = "successor", .act = [=] { succeed(options, payload); }}},
          .judge =
              [] {
                go_on_as(reading);
                scene().reader->look_at_samples_in_hand();
                expect_all_read(scene().ghost.published);
              }};
}

// A subscriber dies, with samples in hand and while it holds the publisher back: the publisher goes on.
Scenario subscriber_dies(const std::string& name, std::size_t payload, const std::string& publisher,
                         const std::string& subscriber) {
  const auto read = [] {
    for (int look = 0; look < 2; ++look) {
      scene().reader->take();
      scene().reader->release(1);
    }
    scene().reader->take_until(6);
    point("its end");
  };
  return {.name = name,
          .bounds = one_death,
          .set_up =
              [=] {
                make_pair(publisher, subscriber, payload);
                go_on_as(writing);
                scene().writer->publish(1);
              },
          .programs = {{.name = "publisher",
                        .act =
                            [] {
                              for (int sample = 0; sample < 5; ++sample) {
                                expect(scene().writer->publish(after(std::chrono::seconds(1))),
                                       "held back by the dead");
                              }
                            }},
                       {.name = "subscriber", .act = read, .may_die = true}},
          .judge = [] { expect_nothing_left_behind(); }};
}

// A durable subscriber dies and comes back: nothing twice, and nothing lost but what it had just taken.
Scenario subscriber_returns() {
  const std::string options = "depth=4&policy=lossless&durability=persistent&name=reader";
  const auto read = [] {
    Reader& reader = *scene().reader;
    while (reader.end().value_or(0) < 2) {
      reader.take();
      reader.release();
    }
    point("its end");
    scene().counter = 1;
  };
  const auto come_back = [=] {
    while (!somebody_died()) {
      if (scene().counter != 0) return;
      pause();
    }
    const std::uint64_t taken = scene().reader->end().value_or(0);
    std::optional<Reader>& successor = scene().second_reader;
    // What it had taken when it died may have been noted, or not: then it is as good as taken.
    successor.emplace(options, tiny, Return{.earliest = taken, .latest = taken + 1});
    successor->drain();
  };
  return {.name = "SubscriberReturns",
          .bounds = one_death,
          .set_up =
              [=] {
                make_pair("depth=4&memory=16KiB&grant=block", options, tiny);
                go_on_as(writing);
                scene().writer->publish(2);
              },
          .programs = {{.name = "publisher", .act = [] { scene().writer->publish(1); }},
                       {.name = "subscriber", .act = read, .may_die = true},
                       {.name = "successor", .act = come_back}},
          .judge =
              [] {
                if (!has_died(reading)) return;
                go_on_as(third);
                scene().second_reader->drain();
                scene().second_reader->expect_end(scene().ghost.published);
              }};
}

// Two deaths, of the only publisher and the only subscriber, at any points of their work, while somebody joins and
// cleans up after them: whatever that janitor finds, it joins, and nothing is left in the end.
Scenario janitor_meets_two_deaths() {
  const auto come = [] {
    while (!somebody_died()) {
      if (scene().counter == 2) return;  // both have come to their ends
      pause();
    }
    std::optional<Reader>& visitor = scene().second_reader;
    visitor.emplace("depth=2", tiny);
    visitor->drain();
    visitor->leave();
    visitor.reset();
  };
  return {.name = "JanitorMeetsTwoDeaths",
          .bounds = {.preemptions = 0, .delays = 0, .deaths = 2},
          .set_up = [] { make_pair("depth=2&memory=16KiB", "depth=2", tiny); },
          .programs = {{.name = "publisher",
                        .act =
                            [] {
                              scene().writer->publish(1);
                              point("its end");
                              ++scene().counter;
                            },
                        .may_die = true},
                       {.name = "subscriber",
                        .act =
                            [] {
                              scene().reader->take();
                              scene().reader->release();
                              point("its end");
                              ++scene().counter;
                            },
                        .may_die = true},
                       {.name = "janitor", .act = come}},
          .judge = [] { expect_nothing_left_behind(); }};
}

}  // namespace

std::vector<Scenario> death_scenarios() {
  return {
      publisher_dies(),
      publisher_is_succeeded("PublisherIsSucceeded", tiny, "depth=2&history=1&memory=16KiB", "depth=2&held=3"),
      publisher_is_succeeded("PublisherIsSucceededInItsPages", of_a_page, "depth=1&history=1&memory=20KiB",
                             "depth=1&held=3"),
      subscriber_dies("HolderDies", of_a_page, "depth=1&memory=12KiB", "depth=1&held=2"),
      subscriber_dies("OneThatHoldsBackDies", of_a_page, "depth=2&memory=20KiB&grant=block",
                      "depth=2&held=2&policy=lossless"),
      subscriber_returns(),
      janitor_meets_two_deaths(),
  };
}

}  // namespace weir::testing
