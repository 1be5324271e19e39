#include "transport/shm/test_topic.h"

#include <poll.h>
#include <sys/stat.h>

#include <algorithm>
#include <cstring>

namespace weir::shm::testing {
namespace {

constexpr std::chrono::minutes watchdog(1);
constexpr std::uint64_t word_factor = 0x9e37'79b9'7f4a'7c15;

std::uint64_t word_of(std::uint64_t seed, std::size_t index) noexcept { return (seed + 1) * word_factor + index; }

}  // namespace

std::string TopicRoot::uri(const std::string& options, const std::string& topic) const {
  return "shm://" + topic + "?root=" + path() + (options.empty() ? "" : "&") + options;
}

std::filesystem::path TopicRoot::directory(const std::string& topic) const {
  return std::filesystem::path(path()) / "v1" / directory_of(topic);
}

std::vector<std::string> TopicRoot::files(const std::string& topic) const {
  std::vector<std::string> names;
  std::error_code gone;
  for (const auto& entry : std::filesystem::directory_iterator(directory(topic), gone)) {
    names.push_back(entry.path().filename());
  }
  std::sort(names.begin(), names.end());
  return names;
}

std::string TopicRoot::segment(Role role) const {
  std::vector<std::string> segments = files();
  std::erase_if(segments, [role](const std::string& name) {
    const auto segment = parse_segment_name(name);
    return !segment || segment->role != role;
  });
  EXPECT_EQ(segments.size(), 1U) << "segments of this role";
  return segments.empty() ? "" : segments.front();
}

std::vector<std::string> TopicRoot::chunk_files() const {
  std::vector<std::string> names = files();
  std::erase_if(names, [](const std::string& name) {
    return !parse_companion_name(name) || name.ends_with(".life") || name.ends_with(".wake");
  });
  return names;
}

std::uint64_t TopicRoot::chunk_bytes() const {
  constexpr std::uint64_t block = 512;
  std::uint64_t bytes = 0;
  for (const std::string& name : chunk_files()) {
    struct stat status {};
    if (stat((directory() / name).c_str(), &status) == 0) {
      bytes += static_cast<std::uint64_t>(status.st_blocks) * block;
    }
  }
  return bytes;
}

void TopicRoot::expect_nothing_left() const {
  const std::filesystem::path version = std::filesystem::path(path()) / "v1";
  for (const auto& entry : std::filesystem::recursive_directory_iterator(path())) {
    if (entry.path() != version) {
      ADD_FAILURE() << "left behind: " << entry.path();
    }
  }
}

void fill(std::span<std::byte> payload, std::uint64_t seed) noexcept {
  std::size_t index = 0;
  for (std::size_t at = 0; at < payload.size(); at += sizeof(std::uint64_t)) {
    const std::uint64_t word = word_of(seed, index++);
    std::memcpy(payload.data() + at, &word, std::min(sizeof(word), payload.size() - at));
  }
}

bool is_filled(std::span<const std::byte> payload, std::uint64_t seed) noexcept {
  std::size_t index = 0;
  for (std::size_t at = 0; at < payload.size(); at += sizeof(std::uint64_t)) {
    const std::uint64_t word = word_of(seed, index++);
    if (std::memcmp(payload.data() + at, &word, std::min(sizeof(word), payload.size() - at)) != 0) {
      return false;
    }
  }
  return true;
}

Result<std::uint64_t> send(Publisher& publisher, std::size_t size, std::uint64_t seed) {
  Result<Loan> loan = publisher.loan(size);
  if (!loan) {
    return tl::unexpected(loan.error());
  }
  fill(loan->payload(), seed);
  return loan->publish();
}

std::uint64_t drain(Subscriber& subscriber) {
  std::uint64_t count = 0;
  while (must(subscriber.take())) {
    ++count;
  }
  return count;
}

bool is_readable(int descriptor, int milliseconds) {
  pollfd ready{.fd = descriptor, .events = POLLIN, .revents = 0};
  return poll(&ready, 1, milliseconds) == 1;
}

Sample next_sample(Subscriber& subscriber) {
  const Wake wake = must(subscriber.wait(after(watchdog)));
  if (wake != Wake::ready) {
    throw std::runtime_error("no sample came within a minute");
  }
  return must(subscriber.take());
}

}  // namespace weir::shm::testing
