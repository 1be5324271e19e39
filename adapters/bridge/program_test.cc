// The program weir-bridge, as a shell or a service manager runs it.
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <span>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tools/weir/test_program.h"
#include "transport/node.h"

namespace weir::bridge {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using tool::testing::Program;

class BridgeProgram : public ::testing::Test {
 protected:
  Node node_ = std::move(Node::open().value());
  tool::testing::PrivateRoot root_;
};

TEST_F(BridgeProgram, CarriesOnAfterItsReaderIsGoneAndEndsInOrderWhenItsTerminalDoes) {
  const std::string script = R"(
    mkfifo "$1/said"
    adapters/bridge/weir-bridge --route 'shm://a?policy=lossless' 'shm://b?grant=block' > "$1/said" &
    head -n 1 < "$1/said"
    kill -USR1 $!
    echo "pid $!."
    wait $!
    echo "code $?")";
  auto publisher = node_.publisher("shm://a?grant=block").value();
  auto subscriber = node_.subscriber("shm://b?policy=lossless").value();
  Program shell({"-c", script, "sh", root_.path()}, {}, "sh");
  ASSERT_TRUE(shell.prints(".\n")) << shell.errors();
  EXPECT_THAT(shell.output(), HasSubstr("carrying shm://a"));
  const pid_t bridge = std::atoi(shell.output().c_str() + shell.output().find("pid ") + 4);  // NOLINT(cert-err34-c)
  ASSERT_GT(bridge, 1);
  const std::string text = "message";
  ASSERT_TRUE(publisher.send(std::as_bytes(std::span(text))));
  Result<Sample> sample = subscriber.take();
  for (; sample && !*sample; sample = subscriber.take()) {
    ASSERT_EQ(subscriber.wait(after(std::chrono::seconds(60))), Wake::ready);
  }
  ASSERT_TRUE(sample) << sample.error().message();
  kill(bridge, SIGHUP);
  EXPECT_EQ(shell.end(), 0);
  EXPECT_THAT(shell.output(), HasSubstr("code 0\n"));
}

TEST_F(BridgeProgram, SaysNoControlCharacters) {
  Program bridge({"--route", "shm://a\x1b[2J", "shm://a\x1b[2J"}, {}, "adapters/bridge/weir-bridge");
  EXPECT_EQ(bridge.end(), EXIT_FAILURE);
  EXPECT_THAT(bridge.output(), HasSubstr("[2J"));
  EXPECT_THAT(bridge.output(), Not(HasSubstr("\x1b")));
}

TEST_F(BridgeProgram, FindsPlugInsOfBackends) {
  const auto refused = [] {
    Program bridge({"--route", "nobody://a", "shm://b"}, {}, "adapters/bridge/weir-bridge");
    EXPECT_EQ(bridge.end(), EXIT_FAILURE);
    return bridge.output();
  };
  EXPECT_THAT(refused(), Not(HasSubstr("nobody.so")));
  const std::string plugin = root_.path() + "/nobody.so";
  std::ofstream(plugin) << "not a library";
  setenv("WEIR_BACKENDS", root_.path().c_str(), 1);
  EXPECT_THAT(refused(), HasSubstr(plugin)) << "it was asked for";
  unsetenv("WEIR_BACKENDS");
}

}  // namespace
}  // namespace weir::bridge
