// A forked child inherits handles that it must not use: calls are refused, samples stay readable, nothing reaches the
// ports. Each test forks, lets the child report what it found wrong, and expects that to be nothing.
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <csignal>
#include <exception>
#include <functional>
#include <memory>
#include <new>
#include <stop_token>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "transport/inproc/hooked_backend.h"
#include "transport/inproc/test_support.h"
#include "transport/node.h"
#include "transport/wait_set.h"

namespace weir {
namespace {

using testing_support::bytes;
using testing_support::fails;
using testing_support::HookedBackend;
using testing_support::Hooks;
using testing_support::must;
using testing_support::text;

// Ends the child of a fork: what failed in it is what it writes to the pipe.
class ChildReport {
 public:
  explicit ChildReport(int descriptor) : descriptor_(descriptor) {}

  void expect(const ::testing::AssertionResult& result, std::string_view what) {
    if (!result) {
      add(std::string(what) + ": " + result.message());
    }
  }
  void add(const std::string& fault) {
    [[maybe_unused]] const auto n = ::write(descriptor_, fault.data(), fault.size());
  }

 private:
  int descriptor_;
};

using Body = std::function<void(ChildReport&)>;

// Runs `body` in a forked child and returns what it reports: nothing if all is well.
std::string in_child(const Body& body, const std::function<pid_t()>& fork_process = ::fork) {
  int ends[2];
  if (::pipe(ends) != 0) {
    return "pipe failed";
  }
  const pid_t child = fork_process();
  if (child == 0) {
    ::alarm(60);  // the watchdog: a child that hangs dies
    ::close(ends[0]);
    ChildReport report(ends[1]);
    try {
      body(report);
    } catch (const std::exception& thrown) {
      report.add(std::string("thrown: ") + thrown.what());
    }
    ::_exit(0);
  }
  ::close(ends[1]);
  std::string report;
  char buffer[4096];
  for (ssize_t count = 0; (count = ::read(ends[0], buffer, sizeof(buffer))) != 0;) {
    if (count > 0) {
      report.append(buffer, static_cast<std::size_t>(count));
    } else if (errno != EINTR) {
      break;
    }
  }
  ::close(ends[0]);
  int status = -1;
  if (child < 0 || ::waitpid(child, &status, 0) != child) {
    return report + " no child";
  }
  return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? report : report + " the child died";
}

class ForkTest : public testing_support::InprocTest {
 protected:
  ForkTest() {
    must(publisher_.send(bytes("in hand"), bytes("header")));
    sample_ = must(subscriber_.take());
  }

  // Every call of every inherited handle.
  void expect_forked(ChildReport& report) {
    const auto expect = [&](const auto& result, std::string_view what) {
      report.expect(fails(result, ErrorCode::forked, {"fork"}), what);
    };
    expect(publisher_.loan(1), "Publisher::loan");
    expect(publisher_.send({}), "send");
    expect(publisher_.wait_for_subscribers(0, at_once), "wait_for_subscribers");
    expect(publisher_.wait_until_taken(0, at_once), "wait_until_taken");
    expect(publisher_.wait(at_once), "Publisher::wait");
    expect(publisher_.fd(), "Publisher::fd");
    expect(publisher_.next_event(), "Publisher::next_event");
    expect(publisher_.peers(), "Publisher::peers");
    expect(loan_.publish(), "publish");
    expect(loan_.shrink(1), "shrink");
    expect(subscriber_.take(), "take");
    expect(subscriber_.wait(at_once), "Subscriber::wait");
    expect(subscriber_.fd(), "Subscriber::fd");
    expect(subscriber_.next_event(), "Subscriber::next_event");
    expect(subscriber_.peers(), "Subscriber::peers");
    expect(subscriber_.in_hand_at_death(), "in_hand_at_death");
    expect(set_.add(subscriber_, 1), "WaitSet::add");
    expect(set_.remove(publisher_), "WaitSet::remove");
    expect(set_.wait(at_once), "WaitSet::wait");
  }

  // Calls that reached a port, in this process or a child, of a kind that no child may make.
  using Counter = std::atomic<int>;
  struct Unmap {
    void operator()(Counter* counter) const { ::munmap(counter, sizeof(Counter)); }
  };
  std::unique_ptr<Counter, Unmap> calls_{
      new (::mmap(nullptr, sizeof(Counter), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0)) Counter(0)};
  std::shared_ptr<Hooks> hooks_ = std::make_shared<Hooks>();
  Node hooked_ = must(Node::open({std::make_shared<HookedBackend>(hooks_)}));
  Publisher publisher_ = must(hooked_.publisher("hooked://t"));
  Subscriber subscriber_ = must(hooked_.subscriber("hooked://t"));
  Loan loan_ = must(publisher_.loan(4));
  Sample sample_;
  WaitSet set_ = must(WaitSet::create());
};

TEST_F(ForkTest, EveryCallInAForkedChildReturnsForked) {
  EXPECT_EQ(in_child([&](ChildReport& report) { expect_forked(report); }), "");
  must(loan_.publish());
  EXPECT_TRUE(must(subscriber_.take()));
}

TEST_F(ForkTest, ForkByRawSystemCallIsNoticedToo) {
  const auto raw_fork = [] { return static_cast<pid_t>(::syscall(SYS_clone, SIGCHLD, nullptr, nullptr, nullptr, 0)); };
  EXPECT_EQ(in_child([&](ChildReport& report) { expect_forked(report); }, raw_fork), "");
}

TEST_F(ForkTest, InheritedSamplesStayReadable) {
  EXPECT_EQ(in_child([&](ChildReport& report) {
              if (text(sample_.payload()) != "in hand" || text(sample_.header()) != "header") {
                report.add("the sample reads " + text(sample_.payload()));
              }
              const Sample moved = std::move(sample_);
              if (text(moved.payload()) != "in hand") {
                report.add("the moved sample reads " + text(moved.payload()));
              }
            }),
            "");
}

TEST_F(ForkTest, DestructorsAndCallsInAChildReachNoPort) {
  hooks_->call = hooks_->note = [this] { ++*calls_; };
  EXPECT_EQ(in_child([&](ChildReport& report) {
              expect_forked(report);
              loan_.drop();
              sample_.release();
              { const Publisher gone = std::move(publisher_); }
              { const Subscriber gone = std::move(subscriber_); }
              { const Node gone = std::move(hooked_); }
            }),
            "");
  EXPECT_EQ(*calls_, 0);
  loan_.drop();
  EXPECT_EQ(*calls_, 1) << "the counter would have seen it";
  hooks_->call = hooks_->note = [] {};
}

TEST_F(ForkTest, ParentIsUnharmedByAChildThatDestroysAll) {
  const int descriptor = must(subscriber_.fd());
  EXPECT_EQ(in_child([&](ChildReport& /*report*/) {
              { const Publisher gone = std::move(publisher_); }
              { const Subscriber gone = std::move(subscriber_); }
              sample_.release();
              loan_.drop();
            }),
            "");
  EXPECT_EQ(text(sample_.payload()), "in hand");
  must(loan_.publish());
  EXPECT_TRUE(testing_support::readable(descriptor));
  EXPECT_TRUE(must(subscriber_.take()));
  EXPECT_EQ(must(publisher_.peers()).size(), 1U);
}

TEST_F(ForkTest, ChildThatOpensANodeOfItsOwnCanJoinAndDoesNotMeetItsParent) {
  EXPECT_EQ(in_child([&](ChildReport& report) {
              Node own = must(Node::open());
              expect_forked(report);
              if (!must(own.topics("inproc://")).empty()) {
                report.add("the child sees its parent's topics");
              }
              Publisher sends = must(own.publisher("inproc://t"));
              Subscriber receives = must(own.subscriber("inproc://t"));
              report.expect(fails(set_.add(receives, 1), ErrorCode::forked), "adding its own to its parent's set");
              must(sends.send(bytes("own")));
              if (const Sample got = must(receives.take()); text(got.payload()) != "own" || must(receives.take())) {
                report.add("the child received " + text(got.payload()));
              }
              // And its children again must not use what is the child's.
              if (const std::string fault = in_child([&](ChildReport& grandchild) {
                    expect_forked(grandchild);
                    grandchild.expect(fails(receives.take(), ErrorCode::forked), "take of the child's subscriber");
                    Node another = must(Node::open());
                    grandchild.expect(fails(receives.take(), ErrorCode::forked), "take after another open");
                  });
                  !fault.empty()) {
                report.add("grandchild: " + fault);
              }
              must(sends.send(bytes("own")));
            }),
            "");
  EXPECT_FALSE(must(subscriber_.take()));
}

TEST_F(ForkTest, ForkWhileOtherThreadsAreAtWorkLeavesTheChildAWorkingBackend) {
  std::jthread working([&](const std::stop_token& stop) {
    while (!stop.stop_requested()) {
      must(must(must(Node::open()).publisher("inproc://busy")).send({}));
    }
  });
  for (int round = 0; round < 50; ++round) {
    ASSERT_EQ(in_child([](ChildReport& report) {
                Node own = must(Node::open());
                Publisher sends = must(own.publisher("inproc://busy"));
                if (!must(sends.peers()).empty()) {
                  report.add("there is somebody");
                }
              }),
              "");
  }
}

}  // namespace
}  // namespace weir
