// Join and leave, while others publish and read.
#include <stop_token>

#include "transport/testing/model_run/scenarios.h"
#include "transport/testing/model_run/scene.h"

namespace weir::testing {
namespace {

struct LateJoin {
  std::string name;
  std::size_t payload;
  std::string publisher;
  std::string subscriber;
  std::uint64_t before;
  std::uint64_t count;
  Bounds bounds;
};

// A subscriber joins while the publisher goes on, takes a sample and keeps it in hand.
Scenario join_late(const LateJoin& shape) {
  return {.name = shape.name,
          .bounds = shape.bounds,
          .set_up =
              [shape] {
                make_scene();
                go_on_as(writing);
                scene().writer.emplace(shape.publisher, shape.payload);
                scene().writer->publish(shape.before);
              },
          .programs = {{.name = "publisher", .act = [shape] { scene().writer->publish(shape.count); }},
                       {.name = "subscriber",
                        .act =
                            [shape] {
                              scene().reader.emplace(shape.subscriber, shape.payload);
                              scene().reader->take();
                              scene().reader->look_at_samples_in_hand();
                            }}},
          .judge =
              [shape] {
                go_on_as(reading);
                scene().reader->look_at_samples_in_hand();
                expect_all_read(shape.before + shape.count);
              }};
}

// A lossless subscriber joins while the publisher goes on; from then on it holds the publisher back.
Scenario join_lossless() {
  const auto publish = [] {
    for (int sample = 0; sample < 3; ++sample) expect(scene().writer->publish(never), "a sample was refused");
  };
  const auto read = [] {
    scene().reader.emplace("depth=1&history=1&policy=lossless", of_a_page);
    scene().reader->take_until(6);
  };
  return {.name = "LateLosslessJoiner",
          .bounds = {.preemptions = 2, .delays = 0},
          .set_up =
              [] {
                make_scene();
                go_on_as(writing);
                scene().writer.emplace("depth=1&history=1&memory=16KiB&grant=block", of_a_page);
                scene().writer->publish(3);
              },
          .programs = {{.name = "publisher", .act = publish}, {.name = "subscriber", .act = read}},
          .judge = [] { expect_all_read(6); }};
}

// A durable subscriber returns to samples that are behind the floor by now, and keeps one in hand.
Scenario absent_reader_returns() {
  const std::string options = "depth=1&policy=lossless&durability=persistent&name=reader";
  const auto come_back = [options] {
    scene().reader.emplace(options, eighth, Return{.earliest = 0, .latest = 0});
    scene().reader->take();
  };
  return {.name = "AbsentReaderReturns",
          .bounds = {.preemptions = 2, .delays = 1},
          .set_up =
              [options] {
                make_pair("depth=1&memory=16KiB&grant=reject", options, eighth);
                scene().reader->leave();
                scene().reader.reset();
                go_on_as(writing);
                scene().writer->publish(7);
              },
          .programs = {{.name = "publisher",
                        .act =
                            [] {
                              for (int sample = 0; sample < 2; ++sample) scene().writer->publish();
                            }},
                       {.name = "subscriber", .act = come_back}},
          .judge =
              [] {
                go_on_as(reading);
                scene().reader->look_at_samples_in_hand();
                expect_all_read(scene().ghost.published);
              }};
}

// What is published after wait_for_subscribers() returned is received.
Scenario both_join(const std::string& name, const std::string& publisher, const std::string& subscriber) {
  const auto publish = [=] {
    scene().writer.emplace(publisher, tiny);
    expect(scene().writer->port().wait_for_subscribers(1, never, std::stop_token()).has_value(), "nobody came");
    scene().counter = 1;
    scene().writer->publish(2);
  };
  const auto read = [=] {
    scene().reader.emplace(subscriber, tiny);
    scene().reader->take_until(2);
  };
  return {.name = name,
          .bounds = {.preemptions = 1, .delays = 1},
          .set_up = [] { make_scene(); },
          .programs = {{.name = "publisher", .act = publish}, {.name = "subscriber", .act = read}},
          .judge =
              [] {
                expect_all_read(2);
                expect_nothing_left_behind();
              },
          .deviations = 3,
          .random_schedules = 10'000};
}

// A publisher leaves; what it sent stays for who was attached, and then nothing stays.
Scenario publisher_leaves() {
  const auto publish = [] {
    scene().writer->publish(2);
    scene().writer->leave();
    scene().writer.reset();
  };
  const auto read = [] {
    for (int look = 0; look < 3; ++look) {
      scene().reader->take();
      scene().reader->release();
    }
  };
  return {.name = "PublisherLeaves",
          .bounds = {.preemptions = 2, .delays = 1},
          .set_up = [] { make_pair("depth=4&memory=16KiB", "depth=4", tiny); },
          .programs = {{.name = "publisher", .act = publish}, {.name = "subscriber", .act = read}},
          .judge =
              [] {
                expect_all_read(2);
                expect_nothing_left_behind();
              }};
}

// A subscriber leaves with a sample in hand; the publisher goes on and needs its memory.
Scenario subscriber_leaves() {
  const auto read = [] {
    scene().reader->take();
    scene().reader->leave();
    scene().reader.reset();
  };
  return {.name = "SubscriberLeaves",
          .bounds = {.preemptions = 2, .delays = 1},
          .set_up =
              [] {
                make_pair("depth=1&memory=12KiB&grant=block", "depth=1&policy=lossless&held=2", of_a_page);
                go_on_as(writing);
                scene().writer->publish(1);
              },
          .programs = {{.name = "publisher",
                        .act =
                            [] {
                              for (int sample = 0; sample < 3; ++sample)
                                expect(scene().writer->publish(never), "refused");
                            }},
                       {.name = "subscriber", .act = read}},
          .judge = [] { expect_nothing_left_behind(); }};
}

}  // namespace

std::vector<Scenario> membership_scenarios() {
  return {
      join_late({.name = "LateJoinerSeesHistory",
                 .payload = tiny,
                 .publisher = "depth=1&history=1&memory=16KiB",
                 .subscriber = "depth=1&history=1",
                 .before = 2,
                 .count = 3,
                 .bounds = {.preemptions = 2, .delays = 1}}),
      join_late({.name = "LateJoinerHoldsAChunk",
                 .payload = eighth,
                 .publisher = "depth=1&history=1&memory=16KiB",
                 .subscriber = "depth=1&history=1",
                 .before = 8,
                 .count = 6,
                 .bounds = {.preemptions = 1, .delays = 1}}),
      join_lossless(),
      absent_reader_returns(),
      both_join("BothJoin", "depth=2&memory=16KiB", "depth=2"),
      both_join("BothJoinLossless", "depth=2&memory=16KiB&grant=block", "depth=2&policy=lossless"),
      publisher_leaves(),
      subscriber_leaves(),
  };
}

}  // namespace weir::testing
