// What a scenario of the model run is made of: one topic, one stream of samples that a publisher and its successors
// write, subscribers that read it, and the promises that each call is checked against.
//
// The ports are used as the interface's handles use them (backend.h). A message's content tells who wrote it and as
// which sample, in its first and its last word, so that a torn one and one that changes in hand are seen.
//
// Ghost state, which no process could know: how many samples were begun and how many published, to judge losses and
// depths exactly.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "transport/backend.h"

namespace weir::testing {

// Of the stream, in samples.
struct Ghost {
  std::uint64_t begun = 0;      // one more than the last whose publish() was called
  std::uint64_t published = 0;  // one more than the last whose publish() returned well
  std::uint64_t writers = 0;
};

// When a living member has the name of one that wants to join.
enum class IfTaken : bool { fail, wait };

// Where a durable subscriber goes on: the first sample that it has not taken lies from `earliest` to `latest`. What was
// published in its absence may be gone.
struct Return {
  std::uint64_t earliest;
  std::uint64_t latest;
};

// A publisher, for the process that makes it.
class Writer {
 public:
  // `options` as in an endpoint: "depth=1&history=1".
  Writer(std::string_view options, std::size_t payload, IfTaken if_taken = IfTaken::fail);

  // False: back-pressure.
  bool publish(std::optional<Deadline> deadline = std::nullopt);
  void publish(std::uint64_t count);
  [[nodiscard]] spi::PublisherPort& port() noexcept { return *port_; }
  // Leaves the topic and is gone.
  void leave();

 private:
  std::unique_ptr<spi::PublisherPort> port_;
  std::size_t payload_;
  std::uint64_t writer_;
};

// A subscriber, for the process that makes it. Checks what it is given.
class Reader {
 public:
  Reader(std::string_view options, std::size_t payload, std::optional<Return> returns = std::nullopt);
  Reader(const Reader&) = delete;
  Reader& operator=(const Reader&) = delete;
  ~Reader() = default;

  // False: nothing was there. The sample is in hand until it is released.
  bool take();
  // Releases the samples in hand, but for the newest `keep`, after a look whether they are as they were.
  void release(std::size_t keep = 0);
  // Takes and releases until nothing is there.
  void drain();
  // Sleeps when there is nothing.
  void take_until(std::uint64_t end);
  [[nodiscard]] spi::SubscriberPort& port() noexcept { return *port_; }
  void leave();

  // One more than the last sample that was taken or announced as lost; nothing if none was.
  [[nodiscard]] std::optional<std::uint64_t> end() const noexcept { return end_; }
  // A violation unless all up to `end` were taken or announced as lost.
  void expect_end(std::uint64_t end) const;
  void look_at_samples_in_hand() const;
  // One more than the last sample that it may have taken already, for gates.
  [[nodiscard]] std::uint64_t may_have_taken() const noexcept;
  [[nodiscard]] std::uint64_t depth() const noexcept { return depth_; }
  [[nodiscard]] bool lossless() const noexcept { return lossless_; }
  [[nodiscard]] bool has_left() const noexcept { return leaves_; }

 private:
  void check(const spi::SampleRecord& sample, std::uint64_t published_before);

  std::unique_ptr<spi::SubscriberPort> port_;
  std::size_t payload_;
  std::uint64_t depth_ = 0;
  bool lossless_ = false;
  std::optional<std::uint64_t> end_;
  std::uint64_t earliest_ = 0;  // the first sample's number, without loss, is from here
  std::uint64_t latest_ = 0;    // to here
  bool taking_ = false;
  bool leaves_ = false;
  bool returned_ = false;
  struct InHand {
    spi::SampleRecord record;
    std::uint64_t content;
  };
  std::vector<InHand> in_hand_;
};

// All of one scenario. Made by its set-up, one for each execution.
struct Scene {
  Ghost ghost;
  std::optional<Writer> writer;
  std::optional<Writer> successor;
  std::optional<Reader> reader;
  std::optional<Reader> second_reader;
  std::uint64_t counter = 0;

  Scene(const Scene&) = delete;
  Scene& operator=(const Scene&) = delete;
  ~Scene() = default;
  Scene() = default;
};
[[nodiscard]] Scene& scene() noexcept;
void make_scene();

// A violation unless it holds.
void expect(bool holds, std::string_view what);
// The readers and writers that are still there leave, and then nobody shall find anything.
void expect_nothing_left_behind();

}  // namespace weir::testing
