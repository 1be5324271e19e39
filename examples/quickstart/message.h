// How the file is cut into messages, and what each message says about itself.
#pragma once

#include <cstdint>
#include <optional>
#include <random>

namespace quickstart {

// The user header of every message: which bytes of the file its payload is. Any trivially copyable struct can be a
// user header; the payload stays free of it.
struct Place {
  std::uint64_t number;  // of the message: 0, 1, 2 …
  std::uint64_t offset;  // in the file
  std::uint64_t size;    // of the payload
};

// Cuts a file into messages of mixed sizes, from one byte to some MiB, small and large ones alternating at random:
// sizes are spread evenly over the orders of magnitude. The same seed gives the same messages.
class Cutter {
 public:
  Cutter(std::uint64_t file_size, std::uint64_t seed);

  // The next message; empty at the end of the file.
  [[nodiscard]] std::optional<Place> next();

 private:
  std::uint64_t file_size_;
  std::mt19937_64 random_;
  std::uniform_real_distribution<double> magnitude_;  // of a message's size, as a power of two
  Place next_{};
};

// The smallest file that is worth cutting, in bytes; it gives some hundred messages.
inline constexpr std::uint64_t smallest_file = 1024;

}  // namespace quickstart
