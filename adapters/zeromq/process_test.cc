// What libzmq does to a process, kept from it: aborts, waits without end, messages lost at its end.
#include <string>

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <zmq.hpp>

#include "adapters/zeromq/test_support.h"

namespace weir::zeromq {
namespace {

using namespace testing_support;

class Process : public ::testing::Test {
 protected:
  static Program run(const std::string& name, const std::string& uri) {
    return Program({data_file("adapters/zeromq/process_program"), name, uri});
  }
  // Runs a case to its end: empty if it was good. A hang is for the test runner's watchdog.
  std::string outcome(const std::string& name) {
    return run(name, fmt::format("zmq+{}?depth=1000", directory_.ipc(name))).wait();
  }

  const ShortDirectory directory_;
  Node node_ = must(Node::open());
};

TEST_F(Process, EndsWithoutWaitingForHandlesThatAreStillOpen) { EXPECT_EQ(outcome("static_handles"), ""); }

TEST_F(Process, AContextThatIsShutDownIsAnErrorOfEveryCall) { EXPECT_EQ(outcome("shutdown"), ""); }

TEST_F(Process, WantOfDescriptorsIsAnErrorAndNoAbort) {
#if defined(__SANITIZE_ADDRESS__)
  GTEST_SKIP()
      << "the sanitizer looks whether memory is there by a pipe, and takes objects for bad without descriptors";
#else
  EXPECT_EQ(outcome("descriptors"), "");
#endif
}

TEST_F(Process, SignalsEndNoWait) { EXPECT_EQ(outcome("signals"), ""); }

TEST_F(Process, AForkedChildHasAContextOfItsOwn) { EXPECT_EQ(outcome("forks"), ""); }

TEST_F(Process, WhatWasSentBeforeItsEndIsStillDelivered) {
  const std::string uri = "zmq+" + directory_.ipc("feed") + "?depth=1000&linger=60s";
  Subscriber subscriber = must(node_.subscriber(uri));
  Program publisher = run("send_and_end", uri);
  // Taken while the process ends, which then need not sit out its linger.
  for (int received = 0; received < 100; ++received) EXPECT_EQ(next(subscriber).payload().size(), 100'000U);
  EXPECT_EQ(publisher.wait(), "");
}

TEST_F(Process, DeliversNoLongerThanLingerSays) {
  // Takes nothing, and lets the kernel and its queue fill.
  zmq::context_t context;
  zmq::socket_t stopped(context, zmq::socket_type::sub);
  stopped.set(zmq::sockopt::rcvhwm, 1);
  stopped.set(zmq::sockopt::subscribe, "");
  stopped.connect(directory_.ipc("feed"));
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_EQ(run("send_and_end", "zmq+" + directory_.ipc("feed") + "?depth=1000&linger=300ms").wait(), "");
  EXPECT_GE(std::chrono::steady_clock::now() - begin, std::chrono::milliseconds(300));
}

}  // namespace
}  // namespace weir::zeromq
