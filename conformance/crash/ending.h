// The ways in which a peer comes to its end, for promises that hold whichever it was; and moments to kill it at.
//
//   for (const End end : ends) {
//     ScriptedPeer& source = peer(fmt::format("source that {}", to_string(end)));
//     …
//     bring_to_end(source, end);
//   }
#pragma once

#include <sys/wait.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <numeric>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "conformance/harness/failure.h"
#include "conformance/harness/peer.h"
#include "transport/capabilities.h"

namespace weir::conformance {

enum class End : std::uint8_t {
  closes,             // closes its handles, then ends
  exits,              // ends without closing anything
  is_killed,          // SIGKILL
  is_killed_as_child  // SIGKILL, and its parent has not looked yet: a zombie, which still answers to its pid
};

// All that a process can come to, and those that are no proper leave.
inline constexpr std::array<End, 4> ends{End::closes, End::exits, End::is_killed, End::is_killed_as_child};
inline constexpr std::array<End, 3> deaths{End::exits, End::is_killed, End::is_killed_as_child};

[[nodiscard]] inline std::string_view to_string(End end) {
  constexpr std::array<std::string_view, 4> names{"closes", "exits", "is killed", "is killed and not reaped"};
  return names.at(static_cast<std::size_t>(end));
}

inline void bring_to_end(ScriptedPeer& peer, End end) {
  switch (end) {
    case End::closes:
      if (const std::string fault = peer.end(); !fault.empty()) throw HarnessFailure(fault);
      return;
    case End::exits: {
      const auto process = static_cast<id_t>(peer.process());
      peer.exit();
      // Until nothing of it is left: the end of its socket can be seen before that.
      siginfo_t how{};
      while (waitid(P_PID, process, &how, WEXITED | WNOWAIT) != 0 && errno == EINTR) {
      }
      return;
    }
    case End::is_killed:
      return peer.kill();
    case End::is_killed_as_child:
      return peer.kill_unreaped();
  }
}

// What a publisher must grant so that lossless subscribers can join, patiently if it blocks.
[[nodiscard]] inline std::string lossless_grant(const Capabilities& capabilities) {
  return capabilities.lossless_block ? "grant=block&deadline=60s" : "grant=reject";
}

// Random choices of a test, which names its seed when it fails; --gtest_random_seed=N gives the same choices again.
// (What a peer has reached at a moment chosen so is still up to the scheduler.)
class Chance {
 public:
  Chance() : Chance(::testing::GTEST_FLAG(random_seed)) {}

  // From 0 up to `count`, without it.
  [[nodiscard]] std::uint64_t below(std::uint64_t count) {
    return std::uniform_int_distribution<std::uint64_t>(0, count - 1)(engine_);
  }

  // The numbers below `count`, each once.
  [[nodiscard]] std::vector<std::uint64_t> order_of(std::uint64_t count) {
    std::vector<std::uint64_t> order(count);
    std::iota(order.begin(), order.end(), std::uint64_t{0});
    std::shuffle(order.begin(), order.end(), engine_);
    return order;
  }

  // Lets a random time pass, so that what happens next hits others at any point of their work. It waits for nothing:
  // every length is as good.
  void let_pass(std::chrono::nanoseconds most) {
    const auto end = std::chrono::steady_clock::now() +
                     std::chrono::nanoseconds(below(static_cast<std::uint64_t>(most.count()) + 1));
    while (std::chrono::steady_clock::now() < end) {
    }
  }

 private:
  explicit Chance(std::int32_t seed)
      : seed_(seed != 0 ? static_cast<std::uint32_t>(seed) : std::random_device()() % 99'999 + 1),
        engine_(seed_),
        trace_(__FILE__, __LINE__, fmt::format("--gtest_random_seed={}", seed_)) {}

  std::uint32_t seed_;
  std::mt19937_64 engine_;
  ::testing::ScopedTrace trace_;
};

}  // namespace weir::conformance
