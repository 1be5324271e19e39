// iceoryx://, each test with a RouDi of its own in a /tmp and a /dev/shm of the test program's own.
#include <cstdlib>
#include <cstdio>
#include <string_view>

#include <gtest/gtest.h>

#include "adapters/iceoryx/roudi_process.h"
#include "adapters/iceoryx/testing/private_mounts.h"
#include "conformance/conformance.h"
#include "conformance/harness/failure.h"

namespace weir::conformance {
namespace {

// Before main(), as the mounts must be entered without threads. The peers are this program too, and share them.
[[maybe_unused]] const bool in_private_mounts = [] {
  constexpr const char* mark = "WEIR_TEST_IN_PRIVATE_MOUNTS";
  if (std::getenv(mark) != nullptr) return true;
  if (const std::string reason = iceoryx::enter_private_mounts(); !reason.empty()) {
    std::fprintf(stderr, "this machine does not allow a RouDi for each test: %s\n", reason.c_str());
    std::_Exit(1);
  }
  ::setenv(mark, "1", 1);
  return true;
}();

// As much as the tests need and no more: RouDi writes to all of it when it starts.
std::vector<iceoryx::Pool> pools() {
  constexpr std::uint64_t kibibyte = 1024;
  constexpr std::uint64_t mebibyte = 1024 * kibibyte;
  std::vector<iceoryx::Pool> pools{{.payload = 256, .count = 8192},
                                   {.payload = 4 * kibibyte, .count = 2048},
                                   {.payload = 80 * kibibyte, .count = 256},
                                   {.payload = mebibyte + 80 * kibibyte, .count = 32}};
  const ::testing::TestInfo* test = ::testing::UnitTest::GetInstance()->current_test_info();
  if (test != nullptr && std::string_view(test->test_suite_name()) == "Data") {
    pools.push_back({.payload = 16 * mebibyte + 80 * kibibyte, .count = 4});
    pools.push_back({.payload = 256 * mebibyte + 80 * kibibyte, .count = 1});
  }
  return pools;
}

std::shared_ptr<void> start_roudi(const Sandbox& /*sandbox*/) {
  auto roudi = iceoryx::RoudiProcess::start(pools());
  if (!roudi) throw HarnessFailure(roudi.error().message());
  return std::shared_ptr<iceoryx::RoudiProcess>(std::move(*roudi));
}

}  // namespace

BackendUnderTest backend_under_test() {
  return {.name = "iceoryx", .endpoint = "iceoryx://conformance/{sandbox}/{topic}", .prepare = start_roudi};
}

}  // namespace weir::conformance
