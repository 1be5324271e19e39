// Sleep and wake. Time never passes here: whoever is not woken sleeps for ever, and is found.
#include <stop_token>

#include "transport/testing/model_run/machine.h"
#include "transport/testing/model_run/scenarios.h"
#include "transport/testing/model_run/scene.h"

namespace weir::testing {
namespace {

Scenario wake_a_sleeper(const std::string& name, std::uint64_t messages, const Bounds& bounds) {
  return {.name = name,
          .bounds = bounds,
          .set_up = [] { make_pair("depth=4&memory=16KiB", "depth=4", tiny); },
          .programs = {{.name = "publisher", .act = [=] { scene().writer->publish(messages); }},
                       {.name = "subscriber", .act = [=] { scene().reader->take_until(messages); }}},
          .judge = [=] { expect_all_read(messages); }};
}

// By the descriptor that event loops watch.
Scenario wake_by_descriptor() {
  const auto read = [] {
    Reader& reader = *scene().reader;
    const Result<int> descriptor = reader.port().fd();
    expect(descriptor.has_value(), "there is no descriptor");
    while (!reader.end() || *reader.end() < 3) {
      expect(!machine().sleep_on_epoll(*descriptor), "time passed");
      reader.drain();
    }
  };
  return {.name = "DescriptorIsReadable",
          .bounds = {.preemptions = 2, .delays = 1},
          .set_up = [] { make_pair("depth=4&memory=16KiB", "depth=4", tiny); },
          .programs = {{.name = "publisher", .act = [] { scene().writer->publish(3); }},
                       {.name = "subscriber", .act = read}},
          .judge = [] { expect_all_read(3); }};
}

// The publisher is held back by the depth of a lossless subscriber, and woken when there is space.
Scenario wake_a_publisher() {
  return {.name = "HeldBackPublisherIsWoken",
          .bounds = {.preemptions = 2, .delays = 1},
          .set_up = [] { make_pair("depth=1&memory=16KiB&grant=block", "depth=1&policy=lossless", tiny); },
          .programs = {{.name = "publisher",
                        .act =
                            [] {
                              for (int sample = 0; sample < 3; ++sample)
                                expect(scene().writer->publish(never), "refused");
                            }},
                       {.name = "subscriber", .act = [] { scene().reader->take_until(3); }}},
          .judge = [] { expect_all_read(3); }};
}

Scenario wake_a_refused_publisher() {
  const auto publish = [] {
    for (std::uint64_t sample = 0; sample < 3;) {
      if (scene().writer->publish()) {
        ++sample;
      } else {
        expect(scene().writer->port().wait(never, std::stop_token()).has_value(), "the wait failed");
      }
    }
  };
  return {.name = "RefusedPublisherIsWoken",
          .bounds = {.preemptions = 2, .delays = 1},
          .set_up = [] { make_pair("depth=1&memory=16KiB&grant=reject", "depth=1&policy=lossless", tiny); },
          .programs = {{.name = "publisher", .act = publish},
                       {.name = "subscriber", .act = [] { scene().reader->take_until(3); }}},
          .judge = [] { expect_all_read(3); }};
}

}  // namespace

std::vector<Scenario> waiting_scenarios() {
  return {wake_a_sleeper("SleeperIsWoken", 3, {.preemptions = 2, .delays = 1}),
          wake_a_sleeper("SleeperIsWokenTwice", 2, {.preemptions = 3, .delays = 0}), wake_by_descriptor(),
          wake_a_publisher(), wake_a_refused_publisher()};
}

}  // namespace weir::testing
