// The scenarios of the model run, by family.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "transport/testing/model_run/exploration.h"

namespace weir::testing {

[[nodiscard]] std::vector<Scenario> data_scenarios();        // publish, take, hold, release, reclaim
[[nodiscard]] std::vector<Scenario> waiting_scenarios();     // sleep and wake, for data and for space
[[nodiscard]] std::vector<Scenario> membership_scenarios();  // join and leave
[[nodiscard]] std::vector<Scenario> death_scenarios();       // death, recovery, takeover

// All of them.
[[nodiscard]] const std::vector<Scenario>& model_scenarios();

// ---- What they share ----

// Processes.
inline constexpr std::size_t writing = 0;
inline constexpr std::size_t reading = 1;
inline constexpr std::size_t third = 2;

// Payloads: in the slot, or in a chunk of the smallest class; in one of eight that share four pages; in one of its own
// pages; in one that comes alone.
inline constexpr std::size_t tiny = 32;
inline constexpr std::size_t eighth = 2048;
inline constexpr std::size_t of_a_page = 4096;
inline constexpr std::size_t of_eight_pages = 32768;

// A scene with a publisher and a subscriber that have joined.
void make_pair(const std::string& publisher, const std::string& subscriber, std::size_t payload);
// Takes and checks what is left; the stream must end there.
void expect_all_read(std::uint64_t end);

}  // namespace weir::testing
