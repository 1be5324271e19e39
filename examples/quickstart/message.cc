#include "examples/quickstart/message.h"

#include <algorithm>
#include <cmath>

namespace quickstart {
namespace {

constexpr std::uint64_t largest_message = 4ULL << 20U;
// Small files are cut into smaller messages, so that there is a stream to be in the middle of.
constexpr std::uint64_t largest_share = 64;

double largest_magnitude(std::uint64_t file_size) {
  return std::log2(static_cast<double>(std::clamp<std::uint64_t>(file_size / largest_share, 1, largest_message)));
}

}  // namespace

Cutter::Cutter(std::uint64_t file_size, std::uint64_t seed)
    : file_size_(file_size), random_(seed), magnitude_(0, largest_magnitude(file_size)) {}

std::optional<Place> Cutter::next() {
  if (next_.offset == file_size_) {
    return std::nullopt;
  }
  next_.size = std::min(static_cast<std::uint64_t>(std::exp2(magnitude_(random_))), file_size_ - next_.offset);
  const Place place = next_;
  next_.number += 1;
  next_.offset += next_.size;
  return place;
}

}  // namespace quickstart
