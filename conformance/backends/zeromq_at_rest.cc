#include "conformance/backends/zeromq_at_rest.h"

#include <dirent.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "adapters/zeromq/backend.h"

namespace weir::conformance {
namespace {

// ---- Whether ZeroMQ's threads are at rest ----

// While others publish without end there is no rest: looks after which the answer is that of a busy moment.
constexpr int most_looks = 10'000;

std::string content_of(const std::string& path) {
  std::array<char, 4096> buffer{};
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) return {};
  const ssize_t size = ::read(file, buffer.data(), buffer.size());
  ::close(file);
  return size <= 0 ? std::string() : std::string(buffer.data(), static_cast<std::size_t>(size));
}

// The test's own process: this one, or the parent of this peer.
pid_t test_process() {
  static const bool is_peer = content_of("/proc/self/cmdline").find("--weir-conformance-peer") != std::string::npos;
  return is_peer ? getppid() : getpid();
}

std::vector<std::string> names_in(const std::string& path) {
  std::vector<std::string> names;
  DIR* directory = ::opendir(path.c_str());
  if (directory == nullptr) return names;
  while (const dirent* entry = ::readdir(directory)) {
    if (entry->d_name[0] != '.') names.emplace_back(entry->d_name);
  }
  ::closedir(directory);
  return names;
}

// This process and all below it.
void collect(const std::string& process, std::vector<std::string>& all) {
  all.push_back(process);
  for (const std::string& thread : names_in(fmt::format("/proc/{}/task", process))) {
    const std::string children = content_of(fmt::format("/proc/{}/task/{}/children", process, thread));
    for (std::size_t at = 0, end = 0; (end = children.find(' ', at)) != std::string::npos; at = end + 1) {
      collect(children.substr(at, end - at), all);
    }
  }
}

struct Look {
  bool all_asleep = true;
  std::map<std::string, std::string> threads;  // by path: how often each has been switched out
};

// Whether a thread sleeps until somebody gives it work.
//
// Its state alone does not tell that. It sleeps also while it waits for a lock, malloc's for one, of a thread that has
// been preempted: it will go on by itself. And a thread on its way into a sleep is in the state S while it still runs,
// and may find work there. The kernel tells the system call in which a thread sleeps, once it has made sure that it
// does (proc_pid_syscall(5)): that call is futex(…, FUTEX_WAIT_PRIVATE, …) for a lock of glibc's, and another one for
// condition variables and joins.
bool is_asleep(const std::string& path, char state) {
  if (std::string_view("STtZX").find(state) == std::string_view::npos) return false;  // or stopped, or dead
  const std::string call = content_of(path + "/syscall");  // its number and arguments; empty where that is forbidden
  unsigned long number = 0, word = 0, operation = 0;
  const bool is_in_call = std::sscanf(call.c_str(), "%lu %lx %lx", &number, &word, &operation) == 3;
  return !call.starts_with("running") && !(is_in_call && number == SYS_futex && operation == FUTEX_WAIT_PRIVATE);
}

// All threads of ZeroMQ, in all processes of the test.
//
// A thread is looked at first and its switches are read after. So one that was asleep in both of two looks and has the
// same count in both slept from the reading of the first count to the second look at it.
Look look() {
  Look seen;
  const std::string own_thread = std::to_string(gettid());
  const std::string test = std::to_string(test_process());
  std::vector<std::string> processes;
  collect(test, processes);
  for (const std::string& process : processes) {
    for (const std::string& thread : names_in(fmt::format("/proc/{}/task", process))) {
      if (thread == process || thread == own_thread) continue;
      const std::string path = fmt::format("/proc/{}/task/{}", process, thread);
      std::string status = content_of(path + "/status");
      // In a peer they may not have run yet, and then have no name of their own. The test's process has threads of its
      // own, and a context since its set-up.
      if (process == test && !status.starts_with("Name:\tZMQbg")) continue;
      const std::size_t state = status.find("State:\t");
      if (state == std::string::npos || !is_asleep(path, status[state + 7])) seen.all_asleep = false;
      status = content_of(path + "/status");
      seen.threads[path] = status.substr(std::min(status.find("voluntary_ctxt"), status.size()));
    }
  }
  return seen;
}

// Returns when they are at rest, or when `enough` says so.
void come_to_rest(const std::function<bool()>& enough = [] { return false; }) {
  Look before = look();
  for (int looks = 0; looks < most_looks && !enough(); ++looks) {
    Look now = look();
    if (before.all_asleep && now.all_asleep && before.threads == now.threads) return;
    before = std::move(now);
    sched_yield();
  }
}

// A connection is made and ended by several turns of ZeroMQ's threads and the owner of the socket, whose turns are its
// calls: more than these are never needed.
constexpr int most_turns = 4;

// ---- The ports ----

class PublisherAtRest final : public spi::PublisherPort {
 public:
  explicit PublisherAtRest(std::unique_ptr<spi::PublisherPort> port) : port_(std::move(port)) {}

  void close() noexcept override {
    port_->close();
    come_to_rest();
  }
  [[nodiscard]] PeerId id() const noexcept override { return port_->id(); }
  [[nodiscard]] const Capabilities& capabilities() const noexcept override { return port_->capabilities(); }
  Result<Wake> wait(Deadline deadline, const std::stop_token& stop) override {
    if (deadline != never) come_to_rest();
    return port_->wait(deadline, stop);
  }
  Result<int> fd() override {
    come_to_rest();
    return port_->fd();
  }
  Result<std::optional<MembershipEvent>> next_event() override { return port_->next_event(); }
  Result<std::vector<Peer>> peers() override { return port_->peers(); }

  Status loan(const spi::LoanRequest& request, spi::LoanRecord& record) override {
    Status lent = port_->loan(request, record);
    if (!lent) {
      come_to_rest();
      lent = port_->loan(request, record);
    }
    return lent;
  }
  Result<std::uint64_t> publish(spi::LoanRecord& record, std::optional<Deadline> deadline) override {
    Result<std::uint64_t> published = port_->publish(record, deadline);
    for (int turn = 0; turn < most_turns && is_held_back(published); ++turn) {
      come_to_rest();
      published = port_->publish(record, at_once);
    }
    return published;
  }
  void drop(spi::LoanRecord& record) noexcept override { port_->drop(record); }
  [[nodiscard]] std::uint64_t next_sequence() const noexcept override { return port_->next_sequence(); }
  Status wait_for_subscribers(std::uint64_t count, Deadline deadline, const std::stop_token& stop) override {
    for (int turn = 0; turn < most_turns; ++turn) {
      come_to_rest();
      static_cast<void>(port_->wait_for_subscribers(0, at_once, {}));
    }
    return port_->wait_for_subscribers(count, deadline, stop);
  }

 private:
  static bool is_held_back(const Result<std::uint64_t>& published) {
    return !published && published.error().code() == ErrorCode::back_pressure;
  }

  std::unique_ptr<spi::PublisherPort> port_;
};

class SubscriberAtRest final : public spi::SubscriberPort {
 public:
  explicit SubscriberAtRest(std::unique_ptr<spi::SubscriberPort> port) : port_(std::move(port)) {}

  void close() noexcept override {
    port_->close();
    come_to_rest();
  }
  [[nodiscard]] PeerId id() const noexcept override { return port_->id(); }
  [[nodiscard]] const Capabilities& capabilities() const noexcept override { return port_->capabilities(); }
  Result<Wake> wait(Deadline deadline, const std::stop_token& stop) override {
    if (deadline != never) come_to_rest([this] { return has_something(); });
    return port_->wait(deadline, stop);
  }
  Result<int> fd() override {
    come_to_rest([this] { return has_something(); });
    return port_->fd();
  }
  Result<std::optional<MembershipEvent>> next_event() override { return port_->next_event(); }
  Result<std::vector<Peer>> peers() override { return port_->peers(); }

  Result<bool> take(spi::SampleRecord& record) override {
    Result<bool> found = port_->take(record);
    if (found && !*found) {
      come_to_rest([this] { return has_something(); });
      found = port_->take(record);
    }
    if (found && *found) ++port_->taken;
    return found;
  }
  void release(spi::SampleRecord& record) noexcept override {
    port_->release(record);
    port_->balance.fetch_add(1);
  }
  [[nodiscard]] std::chrono::steady_clock::time_point publish_time(
      const spi::SampleRecord& record) const noexcept override {
    return port_->publish_time(record);
  }

 private:
  [[nodiscard]] bool has_something() { return port_->wait(at_once, {}) == Wake::ready; }

  std::unique_ptr<spi::SubscriberPort> port_;
};

class ZeromqAtRest final : public spi::Backend {
 public:
  [[nodiscard]] std::span<const std::string_view> schemes() const noexcept override { return zeromq_.schemes(); }
  [[nodiscard]] std::span<const std::string_view> option_keys() const noexcept override {
    return zeromq_.option_keys();
  }
  [[nodiscard]] Capabilities capabilities(const Endpoint& endpoint) const noexcept override {
    return zeromq_.capabilities(endpoint);
  }
  Result<std::unique_ptr<spi::PublisherPort>> publisher(const Endpoint& endpoint, const PublisherQos& qos) override {
    return zeromq_.publisher(endpoint, qos).map([](std::unique_ptr<spi::PublisherPort>&& port) {
      return std::unique_ptr<spi::PublisherPort>(new PublisherAtRest(std::move(port)));
    });
  }
  Result<std::unique_ptr<spi::SubscriberPort>> subscriber(const Endpoint& endpoint, const SubscriberQos& qos) override {
    return zeromq_.subscriber(endpoint, qos).map([](std::unique_ptr<spi::SubscriberPort>&& port) {
      return std::unique_ptr<spi::SubscriberPort>(new SubscriberAtRest(std::move(port)));
    });
  }

 private:
  zeromq::ZeromqBackend zeromq_;
};

}  // namespace

std::vector<Deviation> zeromq_deviations() {
  using enum Deviation::Kind;
  const std::string one_binder =
      "an endpoint of ZeroMQ has one binder, the publisher here: a second one is refused with name_taken";
  const std::string dead_counted =
      "the subscriptions of a process that died are counted until libzmq has ended its connection, in several turns of "
      "its thread and the publisher's calls";
  const std::string path = "the topic is a Unix socket address, which has at most 107 bytes";
  return {
      {"ORD-4", always, one_binder, {}, "EachPublisherCountsForItself"},
      {"ORD-7", always, one_binder, {}, "ManyPublishersAndSubscribersAtOnceKeepEveryOrder"},
      {"LIMIT-8", always, one_binder, {}, "ManyPublishersShareATopic"},
      {"WAIT-20", always, one_binder, {}, "NoWakeUpIsLostAmongMany"},
      {"MEMBER-6", always, one_binder, {}, "PublishersAreNotCountedAsSubscribers"},
      {"SLOW-16", always, one_binder, {}, "LosslessLosesNothingUnderBlock"},
      {"DATA-14", always, one_binder, {}, "DistinctHandlesMayBeUsedByDistinctThreads"},
      {"MISUSE-13", always, one_binder, {}, "AForkedChildMayJoinWithANodeOfItsOwn"},
      {"CLEAN-1", always, one_binder, {}, "AUserKilledWhileItJoinsOrLeavesLeavesNoTrace"},
      {"CLEAN-1", always, one_binder, {}, "TheLastOfManyLeavesNoTraceInWhateverOrderTheyEnd"},
      {"CLEAN-3", always, one_binder, {}, "WhoComesAsTheLastOneGoesFindsATopicThatWorks"},
      {"CLEAN-4", always, one_binder, {}, "RemainsOfTheDeadDoNotPileUpInATopicThatLives"},
      {"CLEAN-8", always, one_binder, {}, "TheComingsAndGoingsOfOthersGiveBackDescriptorsThreadsAndMappings"},
      {"CLEAN-15", may, one_binder, {}, "TopicsThatComeAndGoUnderRacingUsersLeaveNothing"},
      {"CRASH-11", always, one_binder, {}, "AStoppedPublisherIsNotTakenForDeadAndGoesOnInSequence"},
      {"CRASH-12", always, one_binder, {}, "APublisherGoesOnUndisturbedWhileOthersAreKilled"},
      {"CRASH-13", always, one_binder, {}, "AProcessKilledWhileItJoinsOrLeavesAloneKeepsNobodyOut"},
      {"CRASH-13", always, one_binder, {}, "ManyWhoComeAndGoAndAreKilledAtOnceHarmNobody"},
      {"MEMBER-8", may, dead_counted, {}, "WhatIsPublishedAfterWaitForSubscribersReachesThoseWhoJoinWhileOthersDie"},
      {"MEMBER-8", may, dead_counted, {}, "AWaitForSubscribersIsNotEndedByOnesThatDieMeanwhile"},
      {"MIX-1", always, one_binder, {}, "HistoriesOfManyPeersAreSound"},
      {"OPEN-1", always, path, {}, "TopicsOfUpTo1024BytesWork"},
      {"OPEN-1", always, path, {}, "LongTopicsThatDifferInTheLastByteAreDifferent"},
      {"OPEN-12",
       always,
       "the test asks for drop_oldest, which is refused as unsupported",
       {},
       "OneUriServesBothRoles"},
  };
}

std::shared_ptr<spi::Backend> make_zeromq_at_rest() { return std::make_shared<ZeromqAtRest>(); }

}  // namespace weir::conformance
