// What the example needs of a backend, and how it adapts to one that promises less than all.
#pragma once

#include <cstdint>
#include <string_view>

#include "transport/capabilities.h"
#include "transport/qos.h"
#include "transport/status.h"

namespace quickstart {

// The measures of the run.
struct Measures {
  weir::SlowPolicy slow_policy = weir::SlowPolicy::drop_oldest;  // what the slow subscriber asks for
  std::uint64_t slow_depth = 8;
  std::uint64_t lossless_depth = 16;
  std::uint64_t history = 16;     // what the late joiner asks for; 0 where a backend has none
  std::uint64_t late_depth = 32;  // also the largest that the publisher grants
};

// Errors: unsupported, naming every promise that is missing.
[[nodiscard]] weir::Result<Measures> measures_for(std::string_view uri, const weir::Capabilities& promised);

}  // namespace quickstart
