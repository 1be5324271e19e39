// MISUSE: a process that forks. The child inherits the memory of every handle, and may use none.
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "conformance/harness/fixture.h"
#include "conformance/harness/script.h"

namespace weir::conformance {

using Misuse = ConformanceTest;

namespace {

// What a forked child found wrong, as the line number of the check; 0 for nothing.
int in_forked_child(const std::function<int()>& child) {
  std::fflush(nullptr);
  const pid_t process = fork();
  if (process < 0) throw_system_failure("fork");
  if (process == 0) _exit(child() % 256);
  int status = 0;
  if (waitpid(process, &status, 0) != process) throw_system_failure("waitpid");
  if (!WIFEXITED(status)) throw HarnessFailure(fmt::format("the forked child ended with status {:#x}", status));
  return WEXITSTATUS(status);
}

template <class Value>
bool is_forked(const Result<Value>& result) {
  return !result && result.error().code() == ErrorCode::forked;
}

// All that a process may have of a topic.
struct Handles {
  Handles(Node& node, const std::string& uri)
      : publisher(must(node.publisher(uri), "publisher")), subscriber(must(node.subscriber(uri), "subscriber")) {
    must(publisher->wait_for_subscribers(1, never), "wait_for_subscribers");
    must(publisher->send(message), "send");
    must(publisher->send(message), "send");
    loan = must(publisher->loan(100), "loan");
    sample = must_take(*subscriber);
  }
  // What is to be found in them after a fork and all that the child did.
  void expect_intact() {
    EXPECT_TRUE(sample && sample->payload()[1] == message[1]);
    EXPECT_EQ(must_take(*subscriber).lost_before(), 0U);
    must(loan->publish(), "publish");
    EXPECT_TRUE(must(subscriber->take(), "take"));
    EXPECT_FALSE(must(subscriber->take(), "take"));
  }

  static constexpr std::array<std::byte, 4> message{std::byte{1}, std::byte{2}, std::byte{3}, std::byte{4}};
  std::optional<Publisher> publisher;
  std::optional<Subscriber> subscriber;
  std::optional<Loan> loan;
  std::optional<Sample> sample;
};

}  // namespace

CONFORMANCE_TEST(Misuse, EveryCallInAForkedChildReturnsForked, "MISUSE-10") {
  Handles handles(node(), uri("topic", "depth=8"));
  const int line = in_forked_child([&] {
    Publisher& publisher = *handles.publisher;
    Subscriber& subscriber = *handles.subscriber;
    if (!is_forked(publisher.loan(8))) return __LINE__;
    if (!is_forked(publisher.send({}))) return __LINE__;
    if (!is_forked(publisher.wait_for_subscribers(0, at_once))) return __LINE__;
    if (!is_forked(publisher.wait_until_taken(0, at_once))) return __LINE__;
    if (!is_forked(publisher.wait(at_once))) return __LINE__;
    if (!is_forked(publisher.fd())) return __LINE__;
    if (!is_forked(publisher.next_event())) return __LINE__;
    if (!is_forked(publisher.peers())) return __LINE__;
    if (!is_forked(handles.loan->publish())) return __LINE__;
    if (!is_forked(handles.loan->shrink(1))) return __LINE__;
    if (!is_forked(subscriber.take())) return __LINE__;
    if (!is_forked(subscriber.wait(at_once))) return __LINE__;
    if (!is_forked(subscriber.fd())) return __LINE__;
    if (!is_forked(subscriber.next_event())) return __LINE__;
    if (!is_forked(subscriber.peers())) return __LINE__;
    if (!is_forked(subscriber.in_hand_at_death())) return __LINE__;
    return 0;
  });
  EXPECT_EQ(line, 0) << "the check in this line (modulo 256) found no error `forked`";
  handles.expect_intact();
}

CONFORMANCE_TEST(Misuse, InheritedSamplesStayReadableInAForkedChild, "MISUSE-11") {
  Handles handles(node(), uri("topic", "depth=8"));
  const int line = in_forked_child([&] {
    if (handles.sample->payload().size() != Handles::message.size()) return __LINE__;
    for (std::size_t at = 0; at < Handles::message.size(); ++at) {
      if (handles.sample->payload()[at] != Handles::message.at(at)) return __LINE__;
    }
    return 0;
  });
  EXPECT_EQ(line, 0);
  handles.expect_intact();
}

CONFORMANCE_TEST(Misuse, DestructorsInAForkedChildTouchNothingShared, "MISUSE-12") {
  Handles handles(node(), uri("topic", "depth=8"));
  const int status = in_forked_child([&] {
    handles.sample.reset();
    handles.loan.reset();
    handles.subscriber.reset();
    handles.publisher.reset();
    return 0;
  });
  EXPECT_EQ(status, 0);
  EXPECT_TRUE(handles.publisher->wait_for_subscribers(1, at_once)) << "the child took the subscriber along";
  if (has(feature::full_membership)) {
    EXPECT_EQ(must(handles.subscriber->peers(), "peers").size(), 1U);
  }
  handles.expect_intact();
}

CONFORMANCE_TEST(Misuse, AForkedChildMayJoinWithANodeOfItsOwn, "MISUSE-13") {
  NEEDS(processes);
  const std::string topic = uri("topic", "depth=8");
  Handles handles(node(), topic);
  const int line = in_forked_child([&] {
    auto own = Node::open();
    if (!own) return __LINE__;
    auto publisher = own->publisher(topic);
    if (!publisher) return __LINE__;
    if (!publisher->wait_for_subscribers(1, never)) return __LINE__;
    if (!publisher->send({})) return __LINE__;
    return 0;
  });
  ASSERT_EQ(line, 0);
  // One that was there before and the child's, in any order.
  std::set<PeerId> publishers;
  for (int count = 0; count < 2; ++count) {
    EXPECT_EQ(must(handles.subscriber->wait(never), "wait"), Wake::ready);
    publishers.insert(must_take(*handles.subscriber).publisher());
  }
  EXPECT_EQ(publishers.size(), 2U) << "the child goes by its parent's id";
}

namespace {

// Forks a child that does nothing until the test ends it.
Outcome leave_an_idle_child(Actor& /*actor*/, const std::string& /*argument*/) {
  const pid_t child = fork();
  if (child < 0) throw_system_failure("fork");
  if (child == 0) {
    constexpr unsigned seconds = 300;  // should the test not come to that
    alarm(seconds);
    while (true) pause();
  }
  return {.value = static_cast<std::uint64_t>(child)};
}
const Script leave_an_idle_child_script("leave an idle child", leave_an_idle_child);

}  // namespace

CONFORMANCE_TEST(Misuse, AForkedChildDoesNotKeepItsDeadParentAlive, "MISUSE-14") {
  NEEDS(processes);
  NEEDS(death_events);
  const std::string topic = uri("topic", "depth=8");
  Publisher publisher = this->publisher(topic);
  ScriptedPeer& parent = peer("parent");
  parent.subscriber(topic);
  ASSERT_TRUE(publisher.wait_for_subscribers(1, never));
  prctl(PR_SET_CHILD_SUBREAPER, 1);  // the orphan becomes our child
  const pid_t child = static_cast<pid_t>(parent.run("leave an idle child").value);
  parent.kill();
  EXPECT_EQ(must(publisher.peers(), "peers").size(), 0U);
  EXPECT_EQ(publisher.wait_for_subscribers(1, at_once).error().code(), ErrorCode::timed_out);
  EXPECT_EQ(::kill(child, SIGKILL), 0);
  EXPECT_EQ(waitpid(child, nullptr, 0), child);
}

}  // namespace weir::conformance
