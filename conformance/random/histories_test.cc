// MIX: everything at once.
#include <chrono>
#include <cstdint>
#include <random>
#include <string>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "conformance/harness/fixture.h"
#include "conformance/random/history.h"

namespace weir::conformance {

using Random = ConformanceTest;

namespace {

std::uint64_t seed_of_test() {
  const std::int32_t given = ::testing::GTEST_FLAG(random_seed);
  return given != 0 ? static_cast<std::uint64_t>(given) : std::random_device()() % 99'999 + 1;
}

}  // namespace

CONFORMANCE_TEST(Random, HistoriesOfManyPeersAreSound, "MIX-1", "MIX-2") {
  NEEDS(counts_subscribers);
  const std::uint64_t seed = seed_of_test();
  const auto end = std::chrono::steady_clock::now() + budget();
  std::uint64_t episode = 0;
  do {
    RandomHistory history(
        {.capabilities = capabilities(),
         .peer = [&](std::string name) -> ScriptedPeer& { return peer(std::move(name)); },
         .uri = [&](std::string_view topic, std::string_view options) { return uri(topic, options); }},
        seed * 100'000 + episode);
    try {
      history.perform();
    } catch (const HarnessFailure& failure) {
      ADD_FAILURE() << "episode " << episode << " of --gtest_random_seed=" << seed << ": " << failure.what()
                    << "\nafter\n"
                    << history.script();
      return;
    }
    if (const Violations violations = history.judge(); !violations.empty()) {
      ADD_FAILURE() << "episode " << episode << " of --gtest_random_seed=" << seed << ":\n"
                    << join(violations) << "\nafter\n"
                    << history.script();
      return;
    }
    end_peers();
    ++episode;
  } while (std::chrono::steady_clock::now() < end);
  fmt::print("{} episodes of seed {}\n", episode, seed);
}

}  // namespace weir::conformance
