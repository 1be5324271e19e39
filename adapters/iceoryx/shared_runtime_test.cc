// The process has one runtime, whoever made it: the application that uses iceoryx itself, or one thread of several.
#include <barrier>
#include <future>
#include <optional>
#include <string>

#include <fmt/format.h>
#include <iceoryx_posh/popo/untyped_publisher.hpp>
#include <iceoryx_posh/runtime/posh_runtime.hpp>

#include "adapters/iceoryx/testing/roudi_test.h"
#include "adapters/iceoryx/testing/scarce_threads.h"

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

TEST_F(SharedRuntime, OneThreadOpensTheFirstEndpointWhileAnotherClosesTheLast) {
  std::barrier both(2);
  const auto take_turns = [&](int thread) {
    const std::string topic = fmt::format("iceoryx://Shared/Runtime/Thread{}", thread);
    std::optional<Publisher> publisher;
    std::optional<Subscriber> subscriber;
    for (int round = 0; round < 200; ++round) {
      if (round % 2 == thread) {
        publisher = this->publisher(topic);
        subscriber = this->subscriber(topic);
        must(publisher->wait_for_subscribers(1, after(patience)), "subscriber");
        must(publisher->send(std::as_bytes(std::span(&round, 1))), "send");
        EXPECT_EQ(next(*subscriber).payload().size(), sizeof(round));
      } else {
        publisher.reset();
        subscriber.reset();
      }
      both.arrive_and_wait();
    }
  };
  std::future<void> other = std::async(std::launch::async, take_turns, 1);
  take_turns(0);
  other.get();
}

TEST_F(SharedRuntime, TheLastEndpointIsClosedAlsoWhereNoThreadIsToBeHad) {
  std::optional<Publisher> publisher = this->publisher("iceoryx://Shared/Runtime/Topic");
  {
    const ScarceThreads none;
    publisher.reset();
    const auto refused = node().publisher("iceoryx://Shared/Runtime/Topic");
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code(), ErrorCode::resource_exhausted) << refused.error().message();
  }
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
