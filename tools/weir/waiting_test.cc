// Signals end each command in order, whatever it waits for.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>

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

  Node node_ = std::move(Node::open().value());
  PrivateRoot root_;
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
  const std::string path = root_.path() + "/recording";
  {
    auto writer = RecordingWriter::open(path, Existing::refuse).value();
    const auto source = writer.source({.topic = "shm://camera"}).value();
    for (int message = 0; message < 3; ++message) ASSERT_TRUE(writer.write({.source = source}));
    ASSERT_TRUE(writer.finish());
  }
  auto stuck = node_.subscriber("shm://camera?policy=lossless&depth=2").value();
  Program replay({"replay", path, "--fast", "--options", "grant=block&depth=2&deadline=600s"});
  await_publisher_that_is_held_back();
  replay.signal(SIGTERM);
  EXPECT_EQ(replay.end(), 0);
  EXPECT_THAT(replay.errors(), HasSubstr("played 2 of 3"));
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
