// What the tests of persistence share: the endpoints of a durable publisher and subscriber, and the end of a topic.
#pragma once

#include <string>
#include <string_view>

#include <gtest/gtest.h>

#include "conformance/crash/ending.h"
#include "conformance/harness/fixture.h"

namespace weir::conformance {

class PersistenceTest : public ConformanceTest {
 protected:
  [[nodiscard]] std::string keeper(std::string_view options) const {
    return uri("topic", std::string("durability=persistent&name=keeper&") + std::string(options));
  }
  [[nodiscard]] std::string reader(std::string_view options) const {
    return uri("topic", std::string("durability=persistent&name=reader&") + std::string(options));
  }
  // A persistent topic leaves traces, as it shall: they go when everybody has gone.
  void remove_topic() {
    end_peers();
    const Status removed = node().remove(uri("topic"));
    EXPECT_TRUE(removed) << removed.error().message();
  }
};

}  // namespace weir::conformance
