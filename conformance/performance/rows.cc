// Which loads are measured with which measures, on every peer that can carry
// them, against what.
#include <array>
#include <chrono>
#include <string>
#include <utility>

#include <fmt/format.h>

#include "conformance/performance/programs.h"
#include "conformance/performance/row.h"

namespace weir::performance {
namespace {

constexpr std::size_t kibibyte = 1024;
constexpr std::size_t mebibyte = 1024 * kibibyte;
constexpr std::array<std::size_t, 7> latency_sizes = {64,       kibibyte,     4 * kibibyte, 64 * kibibyte,
                                                      mebibyte, 4 * mebibyte, 64 * mebibyte};
constexpr std::size_t slow_size = 64 * mebibyte;  // a round takes a second, and nothing small disturbs it
constexpr std::array<std::size_t, 4> stream_sizes = {64, 4 * kibibyte, 64 * kibibyte, mebibyte};

// The rows of one title.
class Section {
 public:
  Section(std::vector<Row>& rows, std::string load, std::string title, std::string unit)
      : rows_(rows), load_(std::move(load)), title_(std::move(title)), unit_(std::move(unit)) {}

  // A row for each peer that carries the task. `floor`: the peer among them
  // that others are compared with; of the same size if that carries it, else of
  // the smallest.
  void add(const Task& task, const std::string& detail, std::string_view floor) {
    const std::size_t first = rows_.size();
    std::optional<std::size_t> own_floor;
    for (const Peer& peer : peers()) {
      if (!carries(peer.abilities, task)) {
        continue;
      }
      if (peer.name == floor) {
        own_floor = rows_.size();
        first_floor_ = first_floor_ ? first_floor_ : own_floor;
      }
      rows_.push_back({.load = load_,
                       .title = title_,
                       .peer = peer.name,
                       .detail = detail,
                       .unit = unit_,
                       .kind = peer.kind,
                       .size = task.message.size,
                       .others = task.others,
                       .crew = crew_of(peer, task),
                       .most_rounds = task.message.size >= slow_size ? 3 : ~std::size_t{0}});
    }
    for (std::size_t row = first; row < rows_.size(); ++row) {
      rows_[row].floor = own_floor ? own_floor : first_floor_;
    }
  }

 private:
  static std::function<Crew(Budget)> crew_of(const Peer& peer, Task task) {
    return [&peer, task](Budget budget) {
      Task timed = task;
      timed.budget = budget;
      return peer.crew(timed);
    };
  }

  std::vector<Row>& rows_;
  std::string load_;
  std::string title_;
  std::string unit_;
  std::optional<std::size_t> first_floor_;
};

void add_latency(std::vector<Row>& rows, bool blocking) {
  for (const Touch touch : {Touch::nothing, Touch::everything}) {
    Section section(rows, blocking ? "blocking" : "latency",
                    fmt::format("{}, {}", blocking ? "round trip, blocking" : "one way, spinning",
                                touch == Touch::nothing ? "payload untouched" : "payload written and read"),
                    "ns");
    for (const std::size_t size : latency_sizes) {
      const char* const floor = blocking                                  ? "bare futex"
                                : touch == Touch::everything && size > 64 ? "bare memory"
                                                                          : "cache line";
      section.add({.message = {size, touch}, .blocking = blocking}, size_text(size), floor);
    }
  }
  if (blocking) {
    constexpr std::chrono::microseconds pause(100);
    Section section(rows, "blocking", "round trip, blocking, 100 us after the last", "ns");
    section.add({.message = {64, Touch::everything}, .blocking = true, .pause = pause}, size_text(64), "bare futex");
  }
}

void add_streams(std::vector<Row>& rows) {
  for (const bool blocking : {false, true}) {
    Section section(rows, "stream",
                    fmt::format("stream to one receiver, lossless, {}, payload written and read",
                                blocking ? "blocking" : "spinning"),
                    "ns a message");
    for (const std::size_t size : stream_sizes) {
      section.add({.load = Load::stream, .message = {size, Touch::everything}, .blocking = blocking}, size_text(size),
                  "raw ring");
    }
  }
}

void add_fans(std::vector<Row>& rows) {
  Section out(rows, "fan-out", "one sender to many receivers, lossless, blocking, 64 B", "ns a message");
  for (const std::uint64_t receivers : {1U, 4U, 8U, 64U}) {
    out.add({.load = Load::fan_out, .message = {64, Touch::everything}, .blocking = true, .others = receivers},
            fmt::format("to {}", receivers), "libzmq ipc");
  }
  constexpr std::uint64_t libzmq_default = 1000;
  Section deep(rows, "fan-out", "the same with queues of 1,000 messages", "ns a message");
  for (const std::uint64_t receivers : {8U, 64U}) {
    deep.add({.load = Load::fan_out,
              .message = {64, Touch::everything},
              .blocking = true,
              .others = receivers,
              .most_queued = libzmq_default},
             fmt::format("to {}", receivers), "libzmq ipc");
  }
  Section in(rows, "fan-in", "many senders to one receiver, lossless, blocking, 64 B", "ns a message");
  for (const std::uint64_t senders : {1U, 4U, 8U}) {
    in.add({.load = Load::fan_in, .message = {64, Touch::everything}, .blocking = true, .others = senders},
           fmt::format("from {}", senders), "libzmq ipc");
  }
}

void add_publish_cost(std::vector<Row>& rows) {
  Section section(rows, "publish-cost", "loan and publish 64 B, untouched, to idle subscribers that drop",
                  "ns of processor time");
  for (const std::uint64_t receivers : {0U, 1U, 8U, 64U}) {
    section.add({.load = Load::publish_cost, .others = receivers}, fmt::format("{} idle", receivers), "");
  }
}

void add_many_topics(std::vector<Row>& rows) {
  Section section(rows, "many-topics", "round trip, the receiver asleep on many topics, 64 B", "ns");
  for (const std::uint64_t topics : {1U, 1000U}) {
    section.add({.load = Load::many_topics, .message = {64, Touch::everything}, .blocking = true, .others = topics},
                topics == 1 ? "1 topic" : fmt::format("{} topics", topics), "");
  }
}

void add_recovery(std::vector<Row>& rows) {
  Section section(rows, "recovery",
                  "a lossless subscriber that holds its publisher back is "
                  "killed: until publish returns",
                  "ns");
  section.add({.load = Load::recovery, .message = {64, Touch::everything}, .blocking = true}, "64 B", "");
}

}  // namespace

std::vector<Row> all_rows() {
  std::vector<Row> rows;
  add_latency(rows, false);
  add_latency(rows, true);
  add_streams(rows);
  add_fans(rows);
  add_publish_cost(rows);
  add_many_topics(rows);
  add_recovery(rows);
  add_program_rows(rows);
  return rows;
}

const std::vector<std::string_view>& load_names() {
  static const std::vector<std::string_view> names = {"latency",  "blocking",     "stream",      "fan-out",
                                                      "fan-in",   "publish-cost", "many-topics", "recovery",
                                                      "start-up", "memory",       "instructions"};
  return names;
}

std::string size_text(std::size_t size) {
  if (size >= mebibyte && size % mebibyte == 0) {
    return fmt::format("{} MiB", size / mebibyte);
  }
  return size >= kibibyte && size % kibibyte == 0 ? fmt::format("{} KiB", size / kibibyte) : fmt::format("{} B", size);
}

}  // namespace weir::performance
