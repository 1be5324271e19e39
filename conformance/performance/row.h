// A line of the table: one load on one peer.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "conformance/performance/crew.h"
#include "conformance/performance/peer_list.h"
#include "conformance/performance/task.h"

namespace weir::performance {

struct Row {
  std::string load;    // as on the command line: "latency"
  std::string title;   // "one way, spinning, untouched"; rows of one title stand together
  std::string peer;    // "shm"
  std::string detail;  // what tells rows of one title and peer apart: "64 B"
  std::string unit;    // of the figure, of which less is better: "ns"
  Kind kind = Kind::native;
  std::size_t size = 0;                       // bytes of a message; 0 where it does not matter
  std::uint64_t others = 0;                   // how many; 0 where it does not matter
  std::function<Crew(Budget)> crew;           // made anew for each round
  std::optional<std::size_t> floor = {};      // the row that it is compared with
  std::size_t most_rounds = ~std::size_t{0};  // for what does not vary
};

// All that can be measured with the peers there are.
[[nodiscard]] std::vector<Row> all_rows();

// The loads that rows have, as on the command line.
[[nodiscard]] const std::vector<std::string_view>& load_names();

// "64 B", "4 KiB".
[[nodiscard]] std::string size_text(std::size_t size);

}  // namespace weir::performance
