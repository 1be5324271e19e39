// Signals end each command in order, whatever it waits for.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "tools/weir/recording_writer.h"
#include "tools/weir/test_program.h"
#include "transport/node.h"

namespace weir::tool::testing {
namespace {

using ::testing::HasSubstr;
using Json = nlohmann::json;

class Waiting : public ::testing::Test {
 protected:
  // Until the publisher of the topic waits for a subscriber.
  static void await_publisher_that_is_held_back() {
    while (true) {
      const Json topic = Json::parse(run({"info", "camera", "--json"}).output);
      if (!topic["publishers"].empty() && topic["publishers"][0]["waits"] == true) return;
    }
  }

  // Of a topic "camera", one message for each payload.
  std::string recording_of(const std::vector<std::string>& payloads) {
    std::string path = root_.path() + "/recording";
    auto writer = RecordingWriter::open(path, Existing::refuse).value();
    const auto source = writer.source({.topic = "shm://camera"}).value();
    for (const std::string& payload : payloads) {
      EXPECT_TRUE(writer.write({.source = source, .payload = std::as_bytes(std::span(payload))}));
    }
    EXPECT_TRUE(writer.finish());
    return path;
  }

  Node node_ = std::move(Node::open().value());
  PrivateRoot root_;
  const std::string large_ = std::string(60'000, 'x');
  const std::string memory_for_two_ = "grant=block&deadline=600s&memory=128KiB";
};

TEST_F(Waiting, PublisherThatIsHeldBackIsInterrupted) {
  auto stuck = node_.subscriber("shm://camera?policy=lossless&depth=2").value();
  Program pub({"pub", "camera?grant=block&depth=2&deadline=600s", "-n", "3", "message"});
  await_publisher_that_is_held_back();
  pub.signal(SIGINT);
  EXPECT_EQ(pub.end(), 0);
  EXPECT_THAT(pub.errors(), HasSubstr("published 2 messages"));
}

TEST_F(Waiting, ReplayThatIsHeldBackIsInterrupted) {
  const std::string path = recording_of({"", "", ""});
  auto stuck = node_.subscriber("shm://camera?policy=lossless&depth=2").value();
  Program replay({"replay", path, "--fast", "--options", "grant=block&depth=2&deadline=600s"});
  await_publisher_that_is_held_back();
  replay.signal(SIGTERM);
  EXPECT_EQ(replay.end(), 0);
  EXPECT_THAT(replay.errors(), HasSubstr("played 2 of 3"));
}

TEST_F(Waiting, ReplayWaitsForMemoryThatMessagesInUseHoldAndSaysSo) {
  std::vector<std::string> payloads;
  for (int message = 0; message < 5; ++message) payloads.push_back(std::to_string(message) + large_);
  const std::string path = recording_of(payloads);
  auto late = node_.subscriber("shm://camera?policy=lossless").value();
  Program replay({"replay", path, "--fast", "--options", memory_for_two_});
  ASSERT_TRUE(replay.notes("waiting for room for a message")) << replay.errors();
  for (const std::string& payload : payloads) {
    ASSERT_EQ(late.wait(never), Wake::ready);
    const Sample sample = late.take().value();
    EXPECT_TRUE(std::ranges::equal(sample.payload(), std::as_bytes(std::span(payload)))) << payload[0];
  }
  EXPECT_EQ(replay.end(), 0);
  EXPECT_THAT(replay.errors(), HasSubstr("memory=131072"));
  EXPECT_THAT(replay.errors(), HasSubstr("played 5 of 5"));
}

TEST_F(Waiting, PubThatWaitsForMemoryIsInterrupted) {
  auto stuck = node_.subscriber("shm://camera?policy=lossless").value();
  Program pub({"pub", "camera?" + memory_for_two_, "-n", "3", large_});
  ASSERT_TRUE(pub.notes("waiting for room for a message")) << pub.errors();
  pub.signal(SIGINT);
  EXPECT_EQ(pub.end(), 0);
  EXPECT_THAT(pub.errors(), HasSubstr("published 2 messages"));
}

TEST_F(Waiting, PubThatWaitsForNobodyFailsWhereMemoryIsInUse) {
  auto holding = node_.subscriber("shm://camera").value();
  const Outcome pub = run({"pub", "camera?memory=128KiB", "-n", "3", large_});
  EXPECT_EQ(pub.status, 6);
  EXPECT_THAT(pub.errors, HasSubstr("published 2 messages"));
}

TEST_F(Waiting, PubIsInterruptedBeforeAnybodyOpensItsPipe) {
  const std::string pipe = root_.path() + "/pipe";
  ASSERT_EQ(mkfifo(pipe.c_str(), 0600), 0);
  auto subscriber = node_.subscriber("shm://camera").value();
  Program pub({"pub", "camera", "--wait-for", "1", "--lines", pipe});
  ASSERT_TRUE(pub.notes("waiting for 1 subscribers"));
  pub.signal(SIGINT);
  EXPECT_EQ(pub.end(), 0) << pub.errors();
}

TEST_F(Waiting, PubIsInterruptedWhileItReadsAPipe) {
  const std::string pipe = root_.path() + "/pipe";
  ASSERT_EQ(mkfifo(pipe.c_str(), 0600), 0);
  Program pub({"pub", "camera", "--file", pipe});
  const int writer = open(pipe.c_str(), O_WRONLY | O_CLOEXEC);  // returns when it reads
  ASSERT_GE(writer, 0);
  EXPECT_EQ(write(writer, "part", 4), 4);
  pub.signal(SIGINT);
  EXPECT_EQ(pub.end(), 0) << pub.errors();
  close(writer);
}

TEST_F(Waiting, PipesArePublishedWholeOnceTheirWriterHasGone) {
  const std::string pipe = root_.path() + "/pipe";
  ASSERT_EQ(mkfifo(pipe.c_str(), 0600), 0);
  auto subscriber = node_.subscriber("shm://camera?depth=8").value();
  for (const char* option : {"--file", "--lines"}) {
    Program pub({"pub", "camera", "--wait-for", "1", option, pipe});
    const int writer = open(pipe.c_str(), O_WRONLY | O_CLOEXEC);
    ASSERT_GE(writer, 0);
    EXPECT_EQ(write(writer, "one\n", 4), 4);
    EXPECT_EQ(write(writer, "two", 3), 3);
    close(writer);
    EXPECT_EQ(pub.end(), 0) << pub.errors();
    EXPECT_THAT(pub.errors(), HasSubstr(option[2] == 'f' ? "published 1 messages, 7 B" : "published 2 messages, 6 B"));
  }
}

}  // namespace
}  // namespace weir::tool::testing
