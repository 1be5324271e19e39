// A line of the table: one load on one peer.
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "conformance/performance/loads/load.h"
#include "conformance/performance/process_pair.h"

namespace weir::performance {

struct Row {
  std::string load;                          // "one way, spinning"; rows of one load stand together
  std::string peer;                          // "shm"
  std::string detail;                        // what tells rows of one load and peer apart: "64 B, untouched"
  std::string unit;                          // of the figure, of which less is better: "ns"
  std::function<Roles(Budget)> roles;        // made anew for each round
  std::vector<std::size_t> references = {};  // rows above it that it is compared with
  std::optional<double> target = {};         // what the ratio to the first of them should not exceed
};

// All that is measured.
[[nodiscard]] std::vector<Row> all_rows();

}  // namespace weir::performance
