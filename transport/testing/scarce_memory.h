// Memory that runs out where a test wants it to: who links this has an allocator whose every allocation can be made the
// one that fails.
#pragma once

#include <cstdint>
#include <string>
#include <utility>

#include <gtest/gtest.h>

#include "transport/status.h"

namespace weir::testing {

// How many allocations of this thread succeed before one fails; negative: all succeed.
extern thread_local std::int64_t allocations_left;

// Calls it with the first, second, third … allocation failing, until it gets by without reaching the failing one. An
// error must say that memory is short; a result is given to `judge`, with whether an allocation had failed. Returns how
// many calls met one that did.
template <class Call, class Judge>
int fail_each_allocation(Call call, Judge judge) {
  for (int failing = 0;; ++failing) {
    allocations_left = failing;
    auto result = call();
    const bool had_failure = allocations_left < 0;
    allocations_left = -1;
    const bool succeeded = result.has_value();
    if (succeeded) {
      judge(std::move(result), had_failure);
    } else {
      EXPECT_EQ(result.error().code(), ErrorCode::resource_exhausted) << result.error().message();
      EXPECT_NE(result.error().message().find("memory"), std::string::npos) << result.error().message();
    }
    if (!had_failure) {
      EXPECT_TRUE(succeeded);
      return failing;
    }
  }
}

}  // namespace weir::testing
