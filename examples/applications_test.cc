// The applications of this folder, each over shared memory, ZeroMQ and iceoryx by its URI alone, as a person starts
// them. In mounts of the test's own (roudi_test_main.cc), so any name in /tmp and /dev/shm will do.
#include <sys/stat.h>

#include <csignal>
#include <deque>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "adapters/iceoryx/roudi_process.h"
#include "adapters/iceoryx/testing/program.h"

namespace weir {
namespace {

using iceoryx::Program;
using iceoryx::RoudiProcess;

enum class Over { shm, zeromq, iceoryx };

std::string name_of(Over over) { return over == Over::shm ? "shm" : over == Over::zeromq ? "zeromq" : "iceoryx"; }

// What it says on standard error is read too.
std::unique_ptr<Program> run(const std::string& program, const std::string& arguments) {
  const std::string line = fmt::format("exec 2>&1; exec examples/{} {}", program, arguments);
  return std::make_unique<Program>("/bin/bash", std::vector<std::string>{"-c", line});
}

class Applications : public ::testing::TestWithParam<Over> {
 protected:
  void SetUp() override {
    if (GetParam() != Over::iceoryx) return;
    auto roudi = RoudiProcess::start({{.payload = 256, .count = 2048}, {.payload = 65536, .count = 64}}, false);
    ASSERT_TRUE(roudi) << roudi.error().message();
    roudi_ = std::move(*roudi);
  }

 private:
  std::unique_ptr<RoudiProcess> roudi_;
};

INSTANTIATE_TEST_SUITE_P(Run, Applications, ::testing::Values(Over::shm, Over::zeromq, Over::iceoryx),
                         [](const auto& test) { return "Over_" + name_of(test.param); });

TEST_P(Applications, AMillionMessagesArriveInOrderAndNoneIsMissing) {
  const std::string uri = GetParam() == Over::shm      ? "shm://feed?grant=block&policy=lossless&depth=255"
                          : GetParam() == Over::zeromq ? "zmq+ipc:///tmp/feed?grant=block&policy=lossless&depth=1000"
                                                       : "iceoryx://Feed/A/Text?grant=block&policy=lossless&depth=255";
  const auto subscriber = run("million_messages/subscriber", fmt::format("'{}'", uri));
  const auto publisher = run("million_messages/publisher", fmt::format("'{}'", uri));
  publisher->expect("Sent 900000 messages");
  EXPECT_THAT(publisher->expect("Publisher finished"), ::testing::HasSubstr("1000000 messages"));
  EXPECT_EQ(publisher->ending(), "");
  subscriber->expect("Received 900000 messages");
  EXPECT_THAT(subscriber->expect("Subscriber finished"), ::testing::HasSubstr("1000000 received, 0 missing"));
  EXPECT_EQ(subscriber->ending(), "");
}

std::string file(const std::string& path) {
  std::ifstream stream(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), {}};
}

TEST_P(Applications, AFileGoesThroughAChannelOfMemoryAndFullAndDrainedAreTold) {
  if (GetParam() == Over::zeromq) {
    const auto refused = run("channel/channel", "bind zmq+ipc:///tmp/myfile");
    refused->expect("zmq+ipc has no memory named by a file: \"/tmp/myfile\" names a socket");
    EXPECT_THAT(refused->ending(), ::testing::HasSubstr("exited with 1"));
    return;
  }
  const std::string uri = GetParam() == Over::shm ? "shm:///tmp/myfile?depth=4" : "iceoryx://Channel/My/File?depth=4";
  const std::string sent = fmt::format("/tmp/sent-{}", name_of(GetParam()));
  const std::string received = fmt::format("/tmp/received-{}", name_of(GetParam()));
  {
    std::ofstream content(sent, std::ios::binary);
    for (std::uint32_t word = 0; word < 500'001; ++word)
      content.write(reinterpret_cast<const char*>(&word), sizeof(word));
  }
  const auto reader = run("channel/channel", fmt::format("connect '{}' > {}", uri, received));
  reader->expect("connected to");
  reader->signal(SIGSTOP);  // so that the channel has to become full
  const auto writer = run("channel/channel", fmt::format("bind '{}' < {}", uri, sent));
  writer->expect("bound");
  writer->expect("full: the peer is to drain it");
  reader->signal(SIGCONT);
  writer->expect("drained: filling it again");
  writer->expect("sent 2000004 bytes, full");
  EXPECT_EQ(writer->ending(), "");
  EXPECT_THAT(reader->expect("received"), ::testing::HasSubstr("received 2000004 bytes, drained"));
  EXPECT_EQ(reader->ending(), "");
  EXPECT_TRUE(file(sent) == file(received)) << "the copy differs";
  std::filesystem::remove(sent);
  std::filesystem::remove(received);
}

TEST(Channel, WhosePeerIsKilledDoesNotEndWell) {
  ASSERT_EQ(mkfifo("/tmp/words", 0600), 0);
  std::ofstream words("/tmp/words", std::ios::in | std::ios::out);  // so that neither side waits for the other to open
  const std::string uri = "shm:///tmp/channel-of-words";
  const auto reader = run("channel/channel", fmt::format("connect {}", uri));
  reader->expect("connected to");
  const auto writer = run("channel/channel", fmt::format("bind {} < /tmp/words", uri));
  writer->expect("bound");
  words << "first\n" << std::flush;
  reader->expect("first");
  reader->signal(SIGKILL);
  EXPECT_THAT(reader->ending(), ::testing::HasSubstr("signal 9"));
  words << "second\n" << std::flush;
  writer->expect("the peer has gone before the end");
  EXPECT_THAT(writer->ending(), ::testing::HasSubstr("exited with 1"));
  std::filesystem::remove("/tmp/words");
}

TEST_P(Applications, TenSubscribersAcknowledgeEachMessageAndTheEnd) {
  const std::string uri = GetParam() == Over::shm      ? "shm://infos"
                          : GetParam() == Over::zeromq ? "zmq+ipc:///tmp/infos"
                                                       : "iceoryx://Infos/App/A";
  const auto app_a = run("acknowledged/app_a", uri);
  app_a->expect("Waiting for 10 subscribers");
  std::deque<std::unique_ptr<Program>> subscribers;
  for (int number = 0; number < 10; ++number) subscribers.push_back(run("acknowledged/app_b", uri));
  if (GetParam() == Over::iceoryx) app_a->expect("This transport does not count subscribers");
  for (int id = 0; id < 10; ++id) app_a->expect(fmt::format("Info {} was acknowledged by 10 subscribers", id));
  app_a->expect("END was acknowledged by 10 subscribers, each with 10 infos");
  EXPECT_EQ(app_a->ending(), "");
  for (const auto& app_b : subscribers) {
    for (int id = 0; id < 10; ++id) {
      app_b->expect(fmt::format("Receiving id: {} date: 10.10.2023  Type: 1 Message: Hello, weir & Protobuf!", id));
    }
    app_b->expect("Received 10 updates");
    EXPECT_EQ(app_b->ending(), "");
  }
}

TEST_P(Applications, ARequesterSeesTheSquaresTheErrorAndTheCrashOfItsReplier) {
  const std::string uri = GetParam() == Over::shm      ? "shm://squares"
                          : GetParam() == Over::zeromq ? "zmq+ipc:///tmp/squares"
                                                       : "iceoryx://Squares/Of/Numbers";
  auto replier = run("request_reply/replier", uri);
  replier->expect("Replier started");
  const auto requester = run("request_reply/requester", uri);
  for (int number = 1; number <= 5; ++number) {
    requester->expect(fmt::format("The square of {} is {}", number, number * number));
    replier->expect(fmt::format("Squaring {}", number));
  }
  requester->expect("No square of five: invalid_argument: \"five\" is not a number");
  EXPECT_THAT(replier->ending(), ::testing::HasSubstr("signal 9"));
  // Over iceoryx only a RouDi that looks after processes tells of a death: until then the new one does, by being there.
  replier = run("request_reply/replier", uri);
  requester->expect("No square of crash: closed:");
  requester->expect("Waiting for another replier");
  requester->expect("The square of 6 is 36");
  EXPECT_EQ(requester->ending(), "");
}

}  // namespace
}  // namespace weir
