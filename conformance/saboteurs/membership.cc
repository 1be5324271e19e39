// Wrong with peers, deaths and what is left.
#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <set>
#include <string>

#include <fmt/format.h>

#include "conformance/saboteurs/copying.h"
#include "conformance/saboteurs/saboteur.h"

namespace weir::conformance {
namespace {

class OneIdForAll final : public WrappedPublisher {
  using WrappedPublisher::WrappedPublisher;
  [[nodiscard]] PeerId id() const noexcept override { return 1; }
};
const Saboteur one_id{{.name = "gives all publishers one id",
                       .requirement = "MEMBER-20",
                       .test = "Membership.IdsAreUniqueAndNeverZero",
                       .sign = "insert"},
                      made<Over<OneIdForAll>>};

class MissesLeaves final : public WrappedPublisher {
  using WrappedPublisher::WrappedPublisher;
  Result<std::optional<MembershipEvent>> next_event() override {
    auto event = WrappedPublisher::next_event();
    if (event && *event && (*event)->change == Change::left) return WrappedPublisher::next_event();
    return event;
  }
};
const Saboteur misses_leaves{{.name = "does not tell who left",
                              .requirement = "MEMBER-2",
                              .test = "Membership.APublisherIsToldOfEachSubscriberThatJoinsAndLeaves",
                              .sign = "Change::left"},
                             made<Over<MissesLeaves>>};

// A dead process that its parent has not looked at yet still answers to its pid.
class TrustsPids final : public WrappedPublisher {
  using WrappedPublisher::WrappedPublisher;
  Result<std::optional<MembershipEvent>> next_event() override {
    auto event = WrappedPublisher::next_event();
    if (event && *event && (*event)->change == Change::died && ::kill(static_cast<pid_t>((*event)->peer.pid), 0) == 0) {
      return WrappedPublisher::next_event();
    }
    return event;
  }
};
const Saboteur trusts_pids{{.name = "takes a process for living as long as its pid answers",
                            .requirement = "MEMBER-3",
                            .test = "Membership.ADeathIsToldOnBothSides",
                            .sign = "Change::died",
                            .across_processes = true},
                           made<Over<TrustsPids>>};

class WaitsForTheDead final : public WrappedPublisher {
  using WrappedPublisher::WrappedPublisher;
  Result<std::uint64_t> publish(spi::LoanRecord& record, std::optional<Deadline> deadline) override {
    for (auto event = next_event(); event && *event; event = next_event()) {
      if ((*event)->change == Change::died) somebody_died_ = true;
    }
    if (somebody_died_) return failure(ErrorCode::back_pressure, "a subscriber does not read: wait for it");
    return WrappedPublisher::publish(record, deadline);
  }
  bool somebody_died_ = false;
};
const Saboteur waits_for_the_dead{{.name = "is held back by a dead subscriber",
                                   .requirement = "CRASH-6",
                                   .test = "Crash.TheFirstPublishAfterTheDeathIsNotRejected",
                                   .sign = "back_pressure",
                                   .across_processes = true},
                                  made<Over<WaitsForTheDead>>};

const Saboteur waits_for_one_killed_somewhere{{.name = "is held back by a subscriber that was killed somewhere",
                                               .requirement = "CRASH-23",
                                               .test = "KillPoints.ASubscriberKilledAtAStoreOrSystemCallHarmsNobody",
                                               .sign = "back_pressure",
                                               .across_processes = true},
                                              made<Over<WaitsForTheDead>>};

bool is_stopped(std::int64_t process) {
  std::ifstream status(fmt::format("/proc/{}/stat", process));
  std::string word;
  for (int at = 0; at < 3; ++at) status >> word;
  return word == "T";
}

class RobsTheStopped final : public WrappedPublisher {
  using WrappedPublisher::WrappedPublisher;
  Result<std::uint64_t> publish(spi::LoanRecord& record, std::optional<Deadline> deadline) override {
    const Result<std::uint64_t> sequence = WrappedPublisher::publish(record, at_once);
    if (sequence) return *sequence + robbed_;
    const auto all = peers();
    for (const Peer& peer : all ? *all : std::vector<Peer>()) {
      if (!is_stopped(peer.pid)) continue;
      drop(record);
      return next_sequence() + robbed_++;
    }
    return WrappedPublisher::publish(record, deadline);
  }
  std::uint64_t robbed_ = 0;
};
const Saboteur robs_the_stopped{{.name = "takes a stopped subscriber for a dead one",
                                 .requirement = "CRASH-11",
                                 .test = "Crash.NoPatienceWithAStoppedLosslessSubscriberMakesItADeadOne",
                                 .sign = "held_back_end",
                                 .across_processes = true},
                                made<Over<RobsTheStopped>>};

class LeaksDescriptors final : public WrappedPublisher {
 public:
  LeaksDescriptors(std::unique_ptr<spi::PublisherPort> inner, const PublisherQos& qos)
      : WrappedPublisher(std::move(inner), qos) {
    [[maybe_unused]] const int leaked = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
  }
};
const Saboteur leaks_descriptors{{.name = "leaks a descriptor with every publisher",
                                  .requirement = "CLEAN-7",
                                  .test = "Cleanup.OpeningAndClosingGivesBackDescriptorsThreadsAndMappings",
                                  .sign = "descriptors"},
                                 made<Over<LeaksDescriptors>>};

// One descriptor for all that a process ever opens.
class InheritsDescriptors final : public WrappedSubscriber {
 public:
  InheritsDescriptors(std::unique_ptr<spi::SubscriberPort> inner, const SubscriberQos& qos)
      : WrappedSubscriber(std::move(inner), qos) {
    [[maybe_unused]] static const int descriptor = ::open("/dev/null", O_RDONLY);
  }
};
const Saboteur inherits_descriptors{{.name = "hands a descriptor on to programs that the process executes",
                                     .requirement = "CLEAN-12",
                                     .test = "Cleanup.DescriptorsAreNotInheritedByOtherPrograms",
                                     .sign = "/dev/null",
                                     .across_processes = true},
                                    made<Over<InheritsDescriptors>>};

// A file of a topic that nobody removes.
class LeaksSegments : public WrappedBackend {
 public:
  using WrappedBackend::WrappedBackend;
  Result<std::unique_ptr<spi::PublisherPort>> publisher(const Endpoint& endpoint, const PublisherQos& qos) override {
    if (const auto root = endpoint.options.find("root"); root != endpoint.options.end() && endpoint.topic == "topic") {
      std::ofstream(root->second + "/segment") << "left";
    }
    return WrappedBackend::publisher(endpoint, qos);
  }
};
const Saboteur leaks_segments{{.name = "leaves a segment of a topic that nobody uses",
                               .requirement = "CLEAN-1",
                               .test = "Cleanup.DestructionInAnyOrderLeavesNothing",
                               .sign = "segment",
                               .across_processes = true},
                              made<LeaksSegments>};

// Payloads in memory that no forked child inherits.
class ForgetsChildren final : public WrappedSubscriber {
 public:
  using WrappedSubscriber::WrappedSubscriber;
  ForgetsChildren(const ForgetsChildren&) = delete;
  ForgetsChildren& operator=(const ForgetsChildren&) = delete;
  ~ForgetsChildren() override {
    if (page_ != nullptr) munmap(page_, page_size);
  }
  Result<bool> take(spi::SampleRecord& record) override {
    Result<bool> there = WrappedSubscriber::take(record);
    if (!there || !*there || record.size > page_size || page_ != nullptr) return there;
    page_ = mmap(nullptr, page_size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    madvise(page_, page_size, MADV_DONTFORK);
    if (record.size > 0) std::memcpy(page_, record.payload, record.size);
    record.payload = static_cast<const std::byte*>(page_);
    return there;
  }

 private:
  static constexpr std::size_t page_size = 4096;
  void* page_ = nullptr;
};
const Saboteur forgets_children{{.name = "has samples that a forked child cannot read",
                                 .requirement = "MISUSE-11",
                                 .test = "Misuse.InheritedSamplesStayReadableInAForkedChild",
                                 .sign = "forked child ended"},
                                made<Over<ForgetsChildren>>};

class StartsAgain final : public WrappedPublisher {
 public:
  StartsAgain(std::unique_ptr<spi::PublisherPort> inner, const PublisherQos& qos)
      : WrappedPublisher(std::move(inner), qos), before_(inner_next()) {}
  [[nodiscard]] std::uint64_t next_sequence() const noexcept override { return inner_next() - before_; }
  Result<std::uint64_t> publish(spi::LoanRecord& record, std::optional<Deadline> deadline) override {
    return WrappedPublisher::publish(record, deadline).map([this](std::uint64_t sequence) {
      return sequence - before_;
    });
  }

 private:
  [[nodiscard]] std::uint64_t inner_next() const noexcept { return WrappedPublisher::next_sequence(); }
  std::uint64_t before_;
};
const Saboteur starts_again{{.name = "counts from 0 again when a durable publisher comes back",
                             .requirement = "PERSIST-2",
                             .test = "Persistence.APublisherThatComesBackContinuesAndNoSubscriberSeesAGap",
                             .sign = "sequence",
                             .across_processes = true},
                            made<Over<StartsAgain>>};

class ResumesTooLate final : public CopyingSubscriber {
  using CopyingSubscriber::CopyingSubscriber;
  void spoil(spi::SampleRecord& record, std::byte* /*payload*/) override {
    if (resumed_ || qos().durability != Durability::persistent || record.sequence == 0) {
      resumed_ = true;
      return;
    }
    resumed_ = true;
    spi::SampleRecord next;
    Result<bool> there = take_copy(next);
    if (!there || !*there) return;
    release(record);
    record = next;
  }
  bool resumed_ = false;
};
const Saboteur resumes_too_late{{.name = "resumes one sample too late",
                                 .requirement = "PERSIST-4",
                                 .test = "Persistence.ASubscriberThatComesBackResumesWhereItStopped",
                                 .sign = "sequence",
                                 .across_processes = true},
                                made<Over<ResumesTooLate>>};

}  // namespace
}  // namespace weir::conformance
