// What tests of the whole transport share: a root that must be left empty, values or the end of the test, and payloads
// that tell whether they were torn.
//
//   TopicRoot root;                                        // first, so that it goes last
//   Node node = must(Node::open());
//   Publisher publisher = must(node.publisher(root.uri("memory=4MiB")));
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "transport/node.h"
#include "transport/shm/names.h"
#include "transport/shm/test_processes.h"
#include "transport/status.h"

namespace weir::shm::testing {

inline constexpr std::size_t kibibyte = std::size_t{1} << 10U;
inline constexpr std::size_t mebibyte = std::size_t{1} << 20U;

// How long a test waits for what must come before it says that it did not.
inline constexpr int watchdog_milliseconds = 10'000;

// The value, or the end of the test (or of the child process) by an exception that carries the error's message.
template <class Value>
Value must(Result<Value> result) {
  if (!result) {
    throw std::runtime_error(result.error().message());
  }
  if constexpr (!std::is_void_v<Value>) {
    return std::move(*result);
  }
}

// A root of its own in /dev/shm with one topic of interest. The destructor checks that nothing is left in it.
class TopicRoot {
 public:
  TopicRoot() = default;
  ~TopicRoot() { expect_nothing_left(); }
  TopicRoot(const TopicRoot&) = delete;
  TopicRoot& operator=(const TopicRoot&) = delete;

  [[nodiscard]] const std::string& path() const noexcept { return root_.path(); }
  // "shm://camera/front?root=<path>&<options>"
  [[nodiscard]] std::string uri(const std::string& options = "", const std::string& topic = "camera/front") const;
  // All topics of the root.
  [[nodiscard]] std::string backend_uri() const { return "shm://?root=" + path(); }

  // The topic's directory; where its files lie while somebody uses it.
  [[nodiscard]] std::filesystem::path directory(const std::string& topic = "camera/front") const;
  // The names in it, sorted; none if it is not there.
  [[nodiscard]] std::vector<std::string> files(const std::string& topic = "camera/front") const;
  // The name of the only segment of this role. Fails the test if there is none or more.
  [[nodiscard]] std::string segment(Role role) const;
  // The names of the chunk files of all publishers.
  [[nodiscard]] std::vector<std::string> chunk_files() const;
  // Bytes of the file system that the chunk files of all publishers take.
  [[nodiscard]] std::uint64_t chunk_bytes() const;

  // Fails the test, naming what it finds, unless nothing but the directory of the layout version is there.
  void expect_nothing_left() const;

 private:
  TemporaryRoot root_;
};

// Bytes that depend on the seed and on their place.
void fill(std::span<std::byte> payload, std::uint64_t seed) noexcept;
// Whether all bytes are those of this seed: neither torn nor overwritten.
[[nodiscard]] bool is_filled(std::span<const std::byte> payload, std::uint64_t seed) noexcept;

// Lends, fills with the seed and publishes; the sequence.
Result<std::uint64_t> send(Publisher& publisher, std::size_t size, std::uint64_t seed);

// Takes until there is nothing; how many came.
std::uint64_t drain(Subscriber& subscriber);

// Whether the descriptor is readable within so long; at once if 0.
[[nodiscard]] bool is_readable(int descriptor, int milliseconds);

// Waits for a sample, with a watchdog of a minute, and takes it.
[[nodiscard]] Sample next_sample(Subscriber& subscriber);

}  // namespace weir::shm::testing
