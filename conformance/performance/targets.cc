#include "conformance/performance/targets.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include <fmt/format.h>

#include "conformance/performance/statistics.h"

namespace weir::performance {
namespace {

constexpr const char* touched = "one way, spinning, payload written and read";
constexpr const char* untouched = "one way, spinning, payload untouched";
constexpr const char* blocking = "round trip, blocking, payload written and read";
constexpr const char* paused = "round trip, blocking, 100 us after the last";
constexpr const char* stream = "stream to one receiver, lossless, spinning, payload written and read";
constexpr const char* fan_out = "one sender to many receivers, lossless, blocking, 64 B";
constexpr const char* publish = "loan and publish 64 B, untouched, to idle subscribers that drop";
constexpr const char* recovery =
    "a lossless subscriber that holds its publisher back is killed: until "
    "publish returns";
constexpr double millisecond = 1e6;
constexpr double kibibyte = 1024;

std::optional<std::size_t> find(const std::vector<Row>& rows, const Target::Of& of) {
  const auto found = std::find_if(rows.begin(), rows.end(), [&](const Row& row) {
    return row.title == of.title && row.peer == of.peer && row.detail == of.detail;
  });
  return found == rows.end() ? std::nullopt : std::optional(static_cast<std::size_t>(found - rows.begin()));
}

bool has_reference(const Target& target) { return target.measure != Target::Measure::figure; }

double value_of_round(Target::Measure measure, double figure, double reference) {
  switch (measure) {
    case Target::Measure::ratio:
      return figure / reference;
    case Target::Measure::rate_ratio:
      return reference / figure;
    case Target::Measure::excess:
      return figure - reference;
    case Target::Measure::figure:
      break;
  }
  return figure;
}

std::string text_of(const Target& target, double value) {
  if (target.measure == Target::Measure::ratio || target.measure == Target::Measure::rate_ratio) {
    return fmt::format("{:.2f}", value);
  }
  if (target.measure == Target::Measure::excess) {
    return (value < 0 ? "-" : "+") + figure_text(std::abs(value), target.unit);
  }
  return figure_text(value, target.unit);
}

}  // namespace

const std::vector<Target>& targets() {
  using Measure = Target::Measure;
  static const std::vector<Target> all = {
      {.what = "one way 64 B, spinning, concrete types, to the floor",
       .others = "raw ring 1.8, Aeron 2.1, kickmsg 4.7, iceoryx 14 to 16",
       .limit = 1.5,
       .row = {touched, "shm concrete", "64 B"},
       .reference = {touched, "cache line", "64 B"}},
      {.what = "the same through the URI interface",
       .others = "",
       .limit = 1.8,
       .row = {touched, "shm", "64 B"},
       .reference = {touched, "cache line", "64 B"}},
      {.what = "one way 4 MiB untouched, to 64 B",
       .others = "iceoryx 1.1, zmq ipc 33",
       .limit = 1.3,
       .row = {untouched, "shm", "4 MiB"},
       .reference = {untouched, "shm", "64 B"}},
      {.what = "instructions of loan, publish, take, release, concrete types",
       .others = "raw ring 82, Boost mq 381, zmq ipc 5,422, iceoryx 11,128",
       .measure = Measure::figure,
       .limit = 120,
       .unit = "instructions",
       .row = {"instructions of a message", "shm concrete", "64 B"}},
      {.what = "publish beside 64 idle subscribers, to none",
       .others = "iceoryx 600 + 125 ns each, kickmsg 140 + 40 ns each",
       .limit = 1.5,
       .row = {publish, "shm", "64 idle"},
       .reference = {publish, "shm", "0 idle"}},
      {.what = "messages of 64 B a second, no loss, to the raw ring",
       .others = "Aeron 22 M/s, zmq ipc 4.2 M/s, iceoryx 1 M/s",
       .measure = Measure::rate_ratio,
       .at_least = true,
       .limit = 0.8,
       .row = {stream, "shm concrete", "64 B"},
       .reference = {stream, "raw ring", "64 B"}},
      {.what = "blocking round trip, to bare futex",
       .others = "iceoryx WaitSet 1.1, zmq ipc 2",
       .limit = 1.1,
       .row = {blocking, "shm", "64 B"},
       .reference = {blocking, "bare futex", "64 B"}},
      {.what = "the same 100 us after the last, when both surely sleep",
       .others = "",
       .limit = 1.1,
       .row = {paused, "shm", "64 B"},
       .reference = {paused, "bare futex", "64 B"}},
      {.what = "messages of 64 B to 8 receivers, blocking, no loss, to zmq ipc",
       .others = "zmq 629 k/s, iceoryx 44 k/s",
       .measure = Measure::rate_ratio,
       .at_least = true,
       .limit = 5,
       .row = {fan_out, "shm", "to 8"},
       .reference = {fan_out, "libzmq ipc", "to 8"}},
      {.what = "process start to first message, both at once, above a bare start",
       .others = "iceoryx 3.9 ms (306 with RouDi), zmq 6 ms",
       .measure = Measure::excess,
       .limit = millisecond,
       .row = {"start of both processes to first message", "shm", "64 B"},
       .reference = {"start of both processes to first message", "bare process", "64 B"}},
      {.what = "resident memory of an idle topic, one publisher, one subscriber",
       .others = "RouDi 206 MiB",
       .measure = Measure::figure,
       .limit = 256 * kibibyte,
       .unit = "bytes",
       .row = {"resident memory of an idle topic", "shm", "first topic"}},
      {.what = "killed lossless subscriber stalls its publisher",
       .others = "zmq 5.6 ms, iceoryx 1.3 to 1.6 s",
       .measure = Measure::figure,
       .limit = 5 * millisecond,
       .row = {recovery, "shm", "64 B"}},
  };
  return all;
}

std::vector<bool> rows_of_targets(const std::vector<Row>& rows) {
  std::vector<bool> needed(rows.size());
  for (const Target& target : targets()) {
    for (const Target::Of& of : {target.row, target.reference}) {
      if (const auto row = find(rows, of)) {
        needed[*row] = true;
      }
    }
  }
  return needed;
}

std::optional<double> value_of(const Report& report, const Target& target) {
  const auto row = find(report.rows, target.row);
  const auto reference = has_reference(target) ? find(report.rows, target.reference) : row;
  if (!row || !reference) {
    return std::nullopt;
  }
  const std::vector<double> figures = figures_of(report, *row);
  const std::vector<double> references = figures_of(report, *reference);
  if (figures.empty() || figures.size() != references.size()) {
    return std::nullopt;
  }
  std::vector<double> values(figures.size());
  std::transform(figures.begin(), figures.end(), references.begin(), values.begin(),
                 [&](double figure, double other) { return value_of_round(target.measure, figure, other); });
  return median(std::move(values));
}

bool is_met(const Target& target, double value) noexcept {
  return target.at_least ? value >= target.limit : value <= target.limit;
}

std::string limit_text(const Target& target) {
  return fmt::format("{} {}", target.at_least ? ">=" : "<=", text_of(target, target.limit));
}

std::string value_text(const Report& report, const Target& target) {
  const std::optional<double> value = value_of(report, target);
  return value ? text_of(target, *value) : "-";
}

}  // namespace weir::performance
