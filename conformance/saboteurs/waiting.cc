// Wrong with waits and descriptors.
#include <sys/eventfd.h>
#include <unistd.h>

#include "conformance/saboteurs/saboteur.h"

namespace weir::conformance {
namespace {

class LosesWakeUps final : public WrappedSubscriber {
  using WrappedSubscriber::WrappedSubscriber;
  Result<Wake> wait(Deadline deadline, const std::stop_token& stop) override {
    // What came before is forgotten; what comes now wakes it.
    if (++count_ % 4 != 0) return WrappedSubscriber::wait(deadline, stop);
    const int never_ready = eventfd(0, EFD_CLOEXEC);
    std::uint64_t value = 0;
    [[maybe_unused]] const auto read_for_ever = ::read(never_ready, &value, sizeof(value));
    return Wake::ready;
  }
  int count_ = 0;
};
const Saboteur loses_wake_ups{{.name = "loses every fourth wake-up",
                               .requirement = "WAIT-2",
                               .test = "Waiting.ReturnsWhenASampleComes",
                               .sign = "ended while it was at",
                               .across_processes = true,
                               .hangs = true},
                              made<Over<LosesWakeUps>>};

// Ports with a descriptor that nothing moves.
class DescriptorOfItsOwn : public WrappedSubscriber {
 public:
  DescriptorOfItsOwn(std::unique_ptr<spi::SubscriberPort> inner, const SubscriberQos& qos, unsigned readable)
      : WrappedSubscriber(std::move(inner), qos), descriptor_(eventfd(readable, EFD_CLOEXEC)) {}
  DescriptorOfItsOwn(const DescriptorOfItsOwn&) = delete;
  DescriptorOfItsOwn& operator=(const DescriptorOfItsOwn&) = delete;
  ~DescriptorOfItsOwn() override { ::close(descriptor_); }
  Result<int> fd() override { return descriptor_; }

 private:
  int descriptor_;
};

class LeavesItReadable final : public DescriptorOfItsOwn {
 public:
  LeavesItReadable(std::unique_ptr<spi::SubscriberPort> inner, const SubscriberQos& qos)
      : DescriptorOfItsOwn(std::move(inner), qos, 1) {}
};
const Saboteur leaves_it_readable{{.name = "leaves its descriptor readable",
                                   .requirement = "WAIT-11",
                                   .test = "Waiting.TheDescriptorClearsWhenTakeComesBackEmpty",
                                   .sign = "readable"},
                                  made<Over<LeavesItReadable>>};

class NeverReadable final : public DescriptorOfItsOwn {
 public:
  NeverReadable(std::unique_ptr<spi::SubscriberPort> inner, const SubscriberQos& qos)
      : DescriptorOfItsOwn(std::move(inner), qos, 0) {}
};
const Saboteur never_readable{{.name = "never shows by its descriptor that there is something",
                               .requirement = "WAIT-10",
                               .test = "Waiting.ADescriptorAskedForLateShowsWhatIsThereAlready",
                               .sign = "readable"},
                              made<Over<NeverReadable>>};

class Spins final : public WrappedSubscriber {
  using WrappedSubscriber::WrappedSubscriber;
  Result<Wake> wait(Deadline deadline, const std::stop_token& stop) override {
    while (true) {
      Result<Wake> woke = WrappedSubscriber::wait(at_once, stop);
      if (!woke || *woke != Wake::deadline || passed(deadline)) return woke;
    }
  }
};
const Saboteur spins{{.name = "spins instead of waiting",
                      .requirement = "WAIT-5",
                      .test = "Waiting.AWaitCostsNoProcessorTime",
                      .sign = "wait / "},
                     made<Over<Spins>>};

class WakesForNothing final : public WrappedSubscriber {
  using WrappedSubscriber::WrappedSubscriber;
  Result<Wake> wait(Deadline /*deadline*/, const std::stop_token& /*stop*/) override { return Wake::ready; }
};
const Saboteur wakes_for_nothing{{.name = "wakes for nothing",
                                  .requirement = "WAIT-3",
                                  .test = "Waiting.EveryWaitEndsAtItsDeadlineAndNotBefore",
                                  .sign = "Wake::deadline"},
                                 made<Over<WakesForNothing>>};

class IsImpatient final : public WrappedSubscriber {
  using WrappedSubscriber::WrappedSubscriber;
  Result<Wake> wait(Deadline deadline, const std::stop_token& stop) override {
    const auto now = std::chrono::steady_clock::now();
    return WrappedSubscriber::wait(deadline == never || deadline <= now ? deadline : now + (deadline - now) / 2, stop);
  }
};
const Saboteur is_impatient{{.name = "ends waits before their deadline",
                             .requirement = "WAIT-3",
                             .test = "Waiting.EveryWaitEndsAtItsDeadlineAndNotBefore",
                             .sign = "begin"},
                            made<Over<IsImpatient>>};

class IsDeaf final : public WrappedSubscriber {
  using WrappedSubscriber::WrappedSubscriber;
  Result<Wake> wait(Deadline deadline, const std::stop_token& stop) override {
    if (stop.stop_requested()) return Wake::deadline;
    return WrappedSubscriber::wait(deadline, stop);
  }
};
const Saboteur is_deaf{{.name = "does not look at a stop token that was triggered before",
                        .requirement = "WAIT-4",
                        .test = "Waiting.EveryWaitIsInterruptedByItsStopToken",
                        .sign = "interrupted"},
                       made<Over<IsDeaf>>};

class CountsNobody final : public WrappedPublisher {
  using WrappedPublisher::WrappedPublisher;
  Status wait_for_subscribers(std::uint64_t /*count*/, Deadline /*deadline*/,
                              const std::stop_token& /*stop*/) override {
    return {};
  }
};
const Saboteur counts_nobody{{.name = "waits for no subscriber",
                              .requirement = "MEMBER-6",
                              .test = "Membership.WaitForSubscribersCountsThem",
                              .sign = "timed_out"},
                             made<Over<CountsNobody>>};

class TakesForGranted final : public WrappedPublisher {
  using WrappedPublisher::WrappedPublisher;
  Status wait_until_taken(std::uint64_t /*sequence*/, Deadline /*deadline*/, const std::stop_token& /*stop*/) override {
    return {};
  }
};
const Saboteur takes_for_granted{{.name = "takes it for granted that samples are taken",
                                  .requirement = "MEMBER-11",
                                  .test = "Membership.WaitUntilTakenEndsWhenTheLastSubscriberHasTakenIt",
                                  .sign = "timed_out"},
                                 made<Over<TakesForGranted>>};

}  // namespace
}  // namespace weir::conformance
