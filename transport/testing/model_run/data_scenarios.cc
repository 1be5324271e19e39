// Publish, take, hold, release, reclaim: with one publisher and one or two subscribers that have joined.
#include "transport/testing/model_run/scenarios.h"
#include "transport/testing/model_run/scene.h"

namespace weir::testing {
namespace {

struct Shape {
  std::string name;
  std::size_t payload;
  std::string publisher;
  std::string subscriber;
  std::uint64_t before;  // samples that were published and read before
  std::uint64_t unread;  // and samples that were only published
  std::uint64_t count;
  std::size_t held;  // by the subscriber, all the time
};

Scenario publish_and_take(const Shape& shape) {
  const auto publish = [shape] { scene().writer->publish(shape.count); };
  const auto take = [shape] {
    for (std::uint64_t look = 0; look < shape.unread + shape.count; ++look) {
      scene().reader->take();
      scene().reader->release(shape.held);
    }
  };
  return {.name = shape.name,
          .bounds = {.preemptions = 2, .delays = 1},
          .set_up =
              [shape] {
                make_pair(shape.publisher, shape.subscriber, shape.payload);
                for (std::uint64_t sample = 0; sample < shape.before; ++sample) {
                  go_on_as(writing);
                  scene().writer->publish(1);
                  go_on_as(reading);
                  scene().reader->drain();
                }
                go_on_as(writing);
                scene().writer->publish(shape.unread);
              },
          .programs = {{.name = "publisher", .act = publish}, {.name = "subscriber", .act = take}},
          .judge = [shape] { expect_all_read(shape.before + shape.unread + shape.count); }};
}

}  // namespace

void make_pair(const std::string& publisher, const std::string& subscriber, std::size_t payload) {
  make_scene();
  go_on_as(writing);
  scene().writer.emplace(publisher, payload);
  go_on_as(reading);
  scene().reader.emplace(subscriber, payload);
}

void expect_all_read(std::uint64_t end) {
  go_on_as(reading);
  scene().reader->release();
  scene().reader->drain();
  scene().reader->expect_end(end);
}

std::vector<Scenario> data_scenarios() {
  return {
      publish_and_take({.name = "TinyMessages",
                        .payload = tiny,
                        .publisher = "depth=1&memory=16KiB",
                        .subscriber = "depth=1",
                        .before = 2,
                        .unread = 1,
                        .count = 2,
                        .held = 0}),
      // Eight chunks, of which the ring keeps four: the last free one is in use when the processes begin.
      publish_and_take({.name = "ChunksUsedAgain",
                        .payload = eighth,
                        .publisher = "depth=1&memory=16KiB",
                        .subscriber = "depth=1&held=2",
                        .before = 7,
                        .unread = 0,
                        .count = 3,
                        .held = 1}),
      publish_and_take({.name = "PagesUsedAgain",
                        .payload = of_a_page,
                        .publisher = "depth=1&memory=12KiB",
                        .subscriber = "depth=1&held=2",
                        .before = 3,
                        .unread = 0,
                        .count = 4,
                        .held = 1}),
      publish_and_take({.name = "LosslessPagesUsedAgain",
                        .payload = of_a_page,
                        .publisher = "depth=3&memory=20KiB&grant=block",
                        .subscriber = "depth=3&held=2&policy=lossless",
                        .before = 4,
                        .unread = 0,
                        .count = 3,
                        .held = 1}),
  };
}

}  // namespace weir::testing
