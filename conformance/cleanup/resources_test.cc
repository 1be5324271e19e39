// CLEAN: a process that stays gets back what its handles took, and what the comings and goings of others took.
#include <dirent.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "conformance/crash/ending.h"
#include "conformance/harness/fixture.h"
#include "conformance/harness/script.h"

namespace weir::conformance {

using Cleanup = ConformanceTest;

namespace {

std::size_t entries_of(const char* directory) {
  DIR* stream = opendir(directory);
  if (stream == nullptr) throw_system_failure(directory);
  std::size_t count = 0;
  while (readdir(stream) != nullptr) ++count;
  closedir(stream);
  return count;
}

// How many threads go on. One that was joined is still listed while the kernel ends it: proc(5), flags of stat.
std::size_t going_threads() {
  constexpr std::size_t flags_field = 9;
  constexpr std::size_t name_field = 2;
  constexpr unsigned long exiting = 0x4;  // PF_EXITING of the kernel's sched.h
  std::size_t going = 0;
  for (const auto& task : std::filesystem::directory_iterator("/proc/self/task")) {
    std::ifstream file(task.path() / "stat");
    std::string stat;
    if (!std::getline(file, stat)) continue;  // gone meanwhile
    std::istringstream fields(stat.substr(stat.rfind(')') + 1));
    std::string field;
    for (std::size_t number = name_field; number < flags_field; ++number) fields >> field;
    if ((std::stoul(field) & exiting) == 0) ++going;
  }
  return going;
}

// Tells how many descriptors, threads and mappings the process has.
Outcome count_resources(Actor& /*actor*/, const std::string& /*argument*/) {
  std::ifstream maps("/proc/self/maps");
  std::size_t mappings = 0;
  for (std::string line; std::getline(maps, line);) ++mappings;
  return {.text = fmt::format("{} {} {}", entries_of("/proc/self/fd"), going_threads(), mappings)};
}
const Script count_resources_script("count_resources", count_resources);

struct Resources {
  std::size_t descriptors = 0;
  std::size_t threads = 0;
  std::size_t mappings = 0;
};

Resources resources_of(ScriptedPeer& peer) {
  const Outcome outcome = peer.run("count_resources");
  if (!outcome) throw HarnessFailure(to_string(outcome));
  Resources resources;
  std::istringstream(outcome.text) >> resources.descriptors >> resources.threads >> resources.mappings;
  return resources;
}

constexpr std::size_t rounds = 100;
constexpr std::size_t warm_up = 10;

// Mappings also come from the allocator, which may make a few; but not one in each of the rounds. That of a sanitizer,
// which keeps for a while what is freed, makes more.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr std::size_t mappings_of_allocator = rounds / 2;
#else
constexpr std::size_t mappings_of_allocator = rounds / 10;
#endif
void expect_no_growth(const Resources& before, const Resources& after) {
  EXPECT_EQ(after.descriptors, before.descriptors);
  EXPECT_EQ(after.threads, before.threads);
  EXPECT_LE(after.mappings, before.mappings + mappings_of_allocator);
}

// Uses a topic in all ways, and leaves it.
void use(ScriptedPeer& user, const std::string& topic, bool lossless, bool membership) {
  auto subscriber = user.subscriber(lossless ? topic + "&policy=lossless" : topic);
  auto publisher = user.publisher(topic);
  publisher.wait_for_subscribers(1);
  static_cast<void>(subscriber.readable());
  static_cast<void>(publisher.readable());
  publisher.publish({.count = 8, .size = 0, .size_most = 300'000});
  EXPECT_EQ(subscriber.hold(4), 4U);
  EXPECT_TRUE(publisher.try_lend(3, {.size = 10'000}));
  if (membership) {
    subscriber.next_events();
    publisher.next_events();
    static_cast<void>(publisher.try_list_peers());
  }
  EXPECT_EQ(subscriber.try_wait(std::chrono::nanoseconds(0)).wake, Wake::ready);
  subscriber.close();
  publisher.close();
}

}  // namespace

CONFORMANCE_TEST(Cleanup, OpeningAndClosingGivesBackDescriptorsThreadsAndMappings, "CLEAN-7") {
  const bool lossless = has(feature::lossless);
  const std::string topic = uri("topic", lossless ? "depth=16&" + lossless_grant(capabilities()) : "depth=16");
  ScriptedPeer& user = peer("user");
  Resources before;
  for (std::size_t round = 0; round < warm_up + rounds; ++round) {
    if (round == warm_up) before = resources_of(user);
    use(user, topic, lossless && round % 2 == 0, has(feature::full_membership));
  }
  expect_no_growth(before, resources_of(user));
}

CONFORMANCE_TEST(Cleanup, OpeningThatFailsGivesBackDescriptorsThreadsAndMappings, "CLEAN-7") {
  NEEDS(negotiates_policy);
  ScriptedPeer& user = peer("user");
  ScriptedPeer& other = peer("other");
  other.publisher(uri("topic", "depth=4"));
  other.subscriber(uri("topic", "depth=4"));
  Resources before;
  for (std::size_t round = 0; round < warm_up + rounds; ++round) {
    if (round == warm_up) before = resources_of(user);
    EXPECT_TRUE(user.try_subscriber(uri("topic", "depth=5")).is(ErrorCode::incompatible));
    EXPECT_TRUE(user.try_publisher(uri("topic", "depth=3")).is(ErrorCode::incompatible));
  }
  expect_no_growth(before, resources_of(user));
}

CONFORMANCE_TEST(Cleanup, TheComingsAndGoingsOfOthersGiveBackDescriptorsThreadsAndMappings, "CLEAN-8") {
  const std::string topic = uri("topic", "depth=16");
  ScriptedPeer& resident = peer("resident");
  ScriptedPeer& guest = peer("guest");
  auto subscriber = resident.subscriber(topic);
  auto publisher = resident.publisher(topic);
  publisher.wait_for_subscribers(1);
  const bool membership = has(feature::full_membership);
  Resources before;
  for (std::size_t round = 0; round < warm_up + rounds; ++round) {
    if (round == warm_up) before = resources_of(resident);
    // Now and then one that is killed, where there are processes.
    const bool dies = has(feature::processes) && round % 4 == 0;
    ScriptedPeer& other = dies ? peer(fmt::format("victim {}", round)) : guest;
    auto passing_in = other.subscriber(topic);
    auto passing_out = other.publisher(topic);
    static_cast<void>(subscriber.readable());
    static_cast<void>(publisher.readable());
    passing_out.wait_for_subscribers(has(feature::counts_subscribers) ? 2 : 1);
    passing_out.publish({.count = 5, .size = 0, .size_most = 100'000});
    publisher.publish({.count = 5, .size = 3000});
    EXPECT_EQ(subscriber.hold(6), 6U);
    EXPECT_EQ(passing_in.hold(2), 2U);
    if (dies) {
      other.kill();
    } else {
      passing_in.close();
      passing_out.close();
    }
    if (membership) {
      subscriber.next_events();
      publisher.next_events();
    }
    EXPECT_EQ(subscriber.hold(16), 4U);
    EXPECT_EQ(subscriber.release(10), 10U);
    EXPECT_EQ(subscriber.take_all(), 0U);
  }
  expect_no_growth(before, resources_of(resident));
  EXPECT_SOUND(check_sound(subscriber));
}

}  // namespace weir::conformance
