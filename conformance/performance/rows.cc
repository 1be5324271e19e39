// Which loads are measured on which peers, against what, and what weir wants to reach.
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include <fmt/format.h>

#include "conformance/performance/loads/blocking_round_trip.h"
#include "conformance/performance/loads/ping_pong.h"
#include "conformance/performance/loads/publish_cost.h"
#include "conformance/performance/loads/throughput.h"
#include "conformance/performance/peers/bare_futex.h"
#include "conformance/performance/peers/cache_line.h"
#include "conformance/performance/peers/raw_ring.h"
#include "conformance/performance/peers/weir_topic.h"
#include "conformance/performance/row.h"

namespace weir::performance {
namespace {

constexpr Message small{.size = 64, .touch = Touch::everything};
constexpr std::size_t kibibyte = 1024;
constexpr std::size_t mebibyte = 1024 * kibibyte;

// A topic of its own for each round.
std::shared_ptr<const WeirTopic> shm_topic(std::string options = {}) {
  static int topics = 0;
  return std::make_shared<const WeirTopic>(fmt::format("shm://benchmark/{}", ++topics), std::move(options));
}

std::string size_text(std::size_t size) {
  if (size >= mebibyte) {
    return fmt::format("{} MiB", size / mebibyte);
  }
  return size >= kibibyte ? fmt::format("{} KiB", size / kibibyte) : fmt::format("{} B", size);
}

// The rows of one load.
class Section {
 public:
  Section(std::vector<Row>& rows, std::string load, std::string unit)
      : rows_(rows), load_(std::move(load)), unit_(std::move(unit)) {}

  // Returns which row it is.
  std::size_t add(std::string peer, std::string detail, std::function<Roles(Budget)> roles,
                  std::vector<std::size_t> references = {}, std::optional<double> target = {}) {
    rows_.push_back({.load = load_,
                     .peer = std::move(peer),
                     .detail = std::move(detail),
                     .unit = unit_,
                     .roles = std::move(roles),
                     .references = std::move(references),
                     .target = target});
    return rows_.size() - 1;
  }

 private:
  std::vector<Row>& rows_;
  std::string load_;
  std::string unit_;
};

void add_one_way(std::vector<Row>& rows) {
  Section section(rows, "one way, spinning", "ns");
  const auto bounce = [](CacheLine::Lines lines) {
    return [lines](Budget budget) { return ping_pong(std::make_shared<const CacheLine>(lines), Message(), budget); };
  };
  const std::size_t floor = section.add("cache line", "one for both ways", bounce(CacheLine::Lines::one_for_both_ways));
  const std::size_t each_way =
      section.add("cache line", "one each way", bounce(CacheLine::Lines::one_each_way), {floor});
  section.add("raw ring", "64 B, written and read",
              [](Budget budget) { return ping_pong(std::make_shared<const RawRing>(), small, budget); },
              {each_way, floor});
  section.add(
      "shm", "64 B, written and read", [](Budget budget) { return ping_pong(shm_topic(), small, budget); },
      {each_way, floor}, 2.0);

  const auto untouched = [](std::size_t size) {
    return [size](Budget budget) { return ping_pong(shm_topic(), {.size = size}, budget); };
  };
  const std::size_t smallest = section.add("shm", "64 B, untouched", untouched(64), {each_way, floor}, 2.0);
  for (const std::size_t size : {kibibyte, 64 * kibibyte, mebibyte, 4 * mebibyte}) {
    section.add("shm", size_text(size) + ", untouched", untouched(size), {smallest}, 1.3);
  }
}

void add_publish_cost(std::vector<Row>& rows) {
  Section section(rows, "loan and publish 64 B, untouched, to idle subscribers", "ns of processor time");
  const auto publish_to = [](std::uint64_t subscribers) {
    return [subscribers](Budget budget) { return publish_cost(shm_topic(), {}, subscribers, budget); };
  };
  const std::size_t nobody = section.add("shm", "no subscriber", publish_to(0));
  for (const std::uint64_t subscribers : {1U, 8U, 64U}) {
    section.add("shm", fmt::format("{} idle", subscribers), publish_to(subscribers), {nobody}, 2.5);
  }
}

void add_blocking(std::vector<Row>& rows) {
  Section section(rows, "round trip, blocking", "ns");
  for (const std::chrono::microseconds pause : {std::chrono::microseconds(0), std::chrono::microseconds(100)}) {
    const std::string detail = pause.count() == 0 ? "one after the other" : fmt::format("{} us apart", pause.count());
    const std::size_t floor = section.add("bare futex", detail, [pause](Budget budget) {
      return blocking_round_trip(std::make_shared<const BareFutex>(), Message(), pause, budget);
    });
    section.add(
        "shm", detail, [pause](Budget budget) { return blocking_round_trip(shm_topic(), small, pause, budget); },
        {floor}, 1.1);
  }
}

void add_throughput(std::vector<Row>& rows) {
  Section section(rows, "stream of 64 B, written and read, lossless", "ns a message");
  const std::size_t floor = section.add("raw ring", "spinning", [](Budget budget) {
    return throughput(std::make_shared<const RawRing>(), small, budget);
  });
  const auto stream = [](const char* grant) {
    return [grant](Budget budget) {
      return throughput(shm_topic(fmt::format("policy=lossless&depth=255&grant={}", grant)), small, budget);
    };
  };
  section.add("shm", "grant=reject, spinning", stream("reject"), {floor}, 1.25);
  section.add("shm", "grant=block", stream("block"), {floor}, 1.25);
}

}  // namespace

std::vector<Row> all_rows() {
  std::vector<Row> rows;
  add_one_way(rows);
  add_publish_cost(rows);
  add_blocking(rows);
  add_throughput(rows);
  return rows;
}

}  // namespace weir::performance
