// An application that uses iceoryx itself: the process has one runtime, whoever made it.
#include <string>

#include <iceoryx_posh/popo/untyped_publisher.hpp>
#include <iceoryx_posh/runtime/posh_runtime.hpp>

#include "adapters/iceoryx/testing/roudi_test.h"

namespace weir::iceoryx {
namespace {

std::string name_of_runtime() { return iox::runtime::PoshRuntime::getInstance().getInstanceName().c_str(); }

class SharedRuntime : public RoudiTest {
 protected:
  // What the application sends by iceoryx comes to weir, in the same process.
  void expect_own_iceoryx_works() {
    Subscriber subscriber = this->subscriber("iceoryx://Shared/Runtime/Topic");
    iox::popo::UntypedPublisher publisher({"Shared", "Runtime", "Topic"});
    auto chunk = publisher.loan(24);
    ASSERT_FALSE(chunk.has_error());
    publisher.publish(chunk.value());
    EXPECT_EQ(next(subscriber).payload().size(), 24U);
  }
};

TEST_F(SharedRuntime, TheApplicationsOwnCallsUseTheAdaptersRuntimeWhereThatCameFirst) {
  const Publisher first = this->publisher("iceoryx://Shared/Runtime/Other");
  iox::runtime::PoshRuntime::initRuntime("comes-second");
  EXPECT_NE(name_of_runtime(), "comes-second");
  expect_own_iceoryx_works();
}

// Last: iceoryx's own runtime stays until the process ends.
TEST_F(SharedRuntime, ZTheAdapterUsesTheRuntimeThatTheApplicationMadeFirst) {
  iox::runtime::PoshRuntime::initRuntime("comes-first");
  expect_own_iceoryx_works();
  EXPECT_EQ(name_of_runtime(), "comes-first");
}

}  // namespace
}  // namespace weir::iceoryx
