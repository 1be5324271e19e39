// list, info, remove and clean, as a person runs them beside processes that live and die.
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "tools/weir/test_program.h"
#include "transport/node.h"

namespace weir::tool::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using Json = nlohmann::json;

constexpr int not_found = 3;

class Looking : public ::testing::Test {
 protected:
  Node node_ = std::move(Node::open().value());
  PrivateRoot root_;
};

Json json_of(const std::vector<std::string>& arguments) {
  const Outcome result = run(arguments);
  EXPECT_EQ(result.status, 0) << result.errors;
  return Json::parse(result.output);
}

TEST_F(Looking, ListNamesTopicsWithTheirMembersAndMessages) {
  auto publisher = node_.publisher("shm://camera/front", {.name = "front"}).value();
  auto subscriber = node_.subscriber("shm://camera/front", {.name = "viewer"}).value();
  ASSERT_TRUE(publisher.send({}));
  const Json topics = json_of({"list", "--json"})["topics"];
  ASSERT_EQ(topics.size(), 1U);
  EXPECT_EQ(topics[0]["topic"], "camera/front");
  EXPECT_EQ(topics[0]["dead"], 0);
  EXPECT_EQ(topics[0]["publishers"][0]["name"], "front");
  EXPECT_EQ(topics[0]["publishers"][0]["published"], 1);
  EXPECT_EQ(topics[0]["publishers"][0]["pid"], getpid());
  EXPECT_EQ(topics[0]["subscribers"][0]["behind"][0]["unread"], 1);
  const Outcome text = run({"list", "--peers"});
  EXPECT_THAT(text.output, HasSubstr("camera/front"));
  EXPECT_THAT(text.output, HasSubstr("\"viewer\""));
}

TEST_F(Looking, ListLeavesARootThatNobodyHasUsedAsItIs) {
  const Outcome result = run({"list"});
  EXPECT_EQ(result.status, 0);
  EXPECT_THAT(result.errors, HasSubstr("no topics"));
  EXPECT_TRUE(std::filesystem::is_empty(root_.path()));
}

TEST_F(Looking, InfoCountsWhatASlowSubscriberHasLost) {
  auto publisher = node_.publisher("shm://camera", {.depth = 4}).value();
  auto subscriber = node_.subscriber("shm://camera", {.depth = 4}).value();
  for (int message = 0; message < 10; ++message) ASSERT_TRUE(publisher.send({}));
  const Json behind = json_of({"info", "camera", "--json"})["subscribers"][0]["behind"][0];
  EXPECT_EQ(behind["unread"], 10);
  EXPECT_EQ(behind["overrun"], 6);
  ASSERT_TRUE(subscriber.take().value());  // and so it is
  EXPECT_EQ(json_of({"info", "camera", "--json"})["subscribers"][0]["behind"][0]["unread"], 3);
}

TEST_F(Looking, InfoFollowsTheRingRoundAndRound) {
  auto publisher = node_.publisher("shm://camera", {.depth = 4}).value();
  for (std::uint64_t message = 1; message <= 40; ++message) {
    ASSERT_TRUE(publisher.send({}));
    if (message % 7 == 0 || message % 8 == 0) {
      EXPECT_EQ(json_of({"info", "camera", "--json"})["publishers"][0]["published"], message);
    }
  }
}

TEST_F(Looking, InfoClaimsNoTimeOfAPublisherThatSaysNone) {
  auto silent = node_.publisher("shm://camera?publish_time=no").value();
  auto telling = node_.publisher("shm://lidar").value();
  ASSERT_TRUE(silent.send({}));
  ASSERT_TRUE(telling.send({}));
  EXPECT_FALSE(json_of({"info", "camera", "--json"})["publishers"][0].contains("last_seconds_ago"));
  EXPECT_TRUE(json_of({"info", "lidar", "--json"})["publishers"][0].contains("last_seconds_ago"));
}

TEST_F(Looking, InfoOfAnUnknownTopicNamesThoseThatAreThere) {
  auto publisher = node_.publisher("shm://camera/front").value();
  const Outcome result = run({"info", "camera/fornt"});
  EXPECT_EQ(result.status, not_found);
  EXPECT_THAT(result.errors, HasSubstr("\"camera/fornt\""));
  EXPECT_THAT(result.errors, HasSubstr("\"camera/front\""));
  EXPECT_EQ(result.output, "");
}

TEST_F(Looking, DeadPublisherIsShownAndCleanedWhileOthersUseTheTopic) {
  auto subscriber = node_.subscriber("shm://camera").value();
  Program victim({"pub", "shm://camera?name=victim", "--wait-for", "2"});
  ASSERT_TRUE(victim.notes("waiting for 2 subscribers")) << victim.errors();
  victim.signal(SIGKILL);
  EXPECT_EQ(victim.end(), 1000 + SIGKILL);
  EXPECT_EQ(json_of({"list", "--json"})["topics"][0]["dead"], 1);
  EXPECT_THAT(run({"list"}).output, HasSubstr("1 dead"));

  EXPECT_EQ(json_of({"clean", "--dry-run", "--json"})["removed"].size(), 1U);
  EXPECT_EQ(json_of({"list", "--json"})["topics"][0]["dead"], 1) << "a dry run removes nothing";
  const Json cleaned = json_of({"clean", "--json"});
  EXPECT_EQ(cleaned["removed"].size(), 1U) << cleaned;
  const Json topic = json_of({"list", "--json"})["topics"][0];
  EXPECT_EQ(topic["dead"], 0);
  EXPECT_EQ(topic["subscribers"].size(), 1U);
}

TEST_F(Looking, CleanRemovesATopicWhoseUsersAreAllDead) {
  Program victim({"pub", "camera", "--wait-for", "1"});
  ASSERT_TRUE(victim.notes("waiting for 1 subscribers"));
  victim.signal(SIGKILL);
  victim.end();
  const Outcome dry = run({"clean", "--dry-run"});
  EXPECT_EQ(dry.status, 0);
  EXPECT_THAT(dry.output, HasSubstr("would remove from topic \"camera\""));
  EXPECT_TRUE(std::filesystem::exists(root_.path() + "/v1/camera"));
  EXPECT_THAT(run({"clean"}).output, HasSubstr("removed from topic \"camera\""));
  EXPECT_FALSE(std::filesystem::exists(root_.path() + "/v1/camera"));
}

// A reader that has not looked since a publisher came may want what that left.
TEST_F(Looking, CleanSaysWhatStaysForAReaderThatStandsStill) {
  Program reader({"echo", "camera", "--wait"});
  ASSERT_TRUE(reader.notes("listening to"));
  reader.stop();
  Program victim({"pub", "camera", "--rate", "0.001", "-n", "2", "message"});
  while (true) {  // until the first of its messages is there
    const Json publishers = json_of({"info", "camera", "--json"})["publishers"];
    if (!publishers.empty() && publishers[0]["published"] == 1) break;
  }
  victim.signal(SIGKILL);
  victim.end();
  const Outcome cleaned = run({"clean"});
  EXPECT_EQ(cleaned.status, 1);
  EXPECT_THAT(cleaned.output, HasSubstr("stays for now: topic \"camera\""));
  EXPECT_THAT(cleaned.errors, HasSubstr("a reader that stands still"));
  reader.signal(SIGKILL);
  reader.end();
  EXPECT_EQ(run({"clean"}).status, 0);
  EXPECT_THAT(run({"clean"}).errors, HasSubstr("nothing to clean"));
}

TEST_F(Looking, CleanKeepsWhatIsPersistent) {
  ASSERT_EQ(run({"pub", "camera?name=keeper&durability=persistent&history=1", "kept"}).status, 0);
  EXPECT_THAT(run({"clean"}).errors, HasSubstr("nothing to clean"));
  EXPECT_THAT(run({"list"}).output, HasSubstr("1 away"));
}

TEST_F(Looking, RemoveErasesAPersistentTopicAndRefusesOneInUse) {
  ASSERT_EQ(run({"pub", "camera?name=keeper&durability=persistent&history=1", "kept"}).status, 0);
  {
    auto subscriber = node_.subscriber("shm://camera").value();
    const Outcome refused = run({"remove", "camera"});
    EXPECT_EQ(refused.status, 1);
    EXPECT_THAT(refused.errors, HasSubstr("in use"));
  }
  EXPECT_EQ(run({"remove", "camera"}).status, 0);
  EXPECT_EQ(run({"remove", "camera"}).status, not_found);
}

TEST_F(Looking, RootThatIsNotThereIsNamed) {
  const Outcome result = run({"list", "shm://?root=" + root_.path() + "/elsewhere"});
  EXPECT_EQ(result.status, not_found);
  EXPECT_THAT(result.errors, HasSubstr(root_.path() + "/elsewhere"));
}

TEST_F(Looking, RootThatIsNoDirectoryIsNamed) {
  std::ofstream(root_.path() + "/v1") << "no directory";
  const Outcome result = run({"list"});
  EXPECT_NE(result.status, 0);
  EXPECT_THAT(result.errors, HasSubstr(root_.path() + "/v1"));
}

TEST_F(Looking, FilesThatWereCutShortOrScribbledOnAreToldOfAndHarmNobody) {
  auto publisher = node_.publisher("shm://camera").value();
  auto other = node_.publisher("shm://lidar").value();
  std::filesystem::resize_file(root_.path() + "/v1/lidar/topic", 8);
  for (const auto& entry : std::filesystem::directory_iterator(root_.path() + "/v1/camera")) {
    if (entry.path().filename().string().starts_with("p.") && entry.is_regular_file()) {
      std::filesystem::resize_file(entry.path(), 100);
    }
  }
  const Outcome result = run({"list"});
  EXPECT_EQ(result.status, 0);
  EXPECT_THAT(result.output, HasSubstr("cut short"));
  EXPECT_THAT(result.output, HasSubstr("camera"));
}

TEST_F(Looking, OtherVersionsAreToldOfAndLeftAlone) {
  std::filesystem::create_directories(root_.path() + "/v7/camera");
  auto publisher = node_.publisher("shm://camera").value();
  const Outcome result = run({"list"});
  EXPECT_THAT(result.output, HasSubstr("1 topics of another version of weir (v7)"));
  EXPECT_EQ(run({"clean"}).status, 0);
  EXPECT_TRUE(std::filesystem::exists(root_.path() + "/v7/camera"));
}

TEST_F(Looking, ControlCharactersOfANameDoNotReachTheTerminal) {
  auto publisher = node_.publisher("shm://evil%1b%5b2J").value();
  const Outcome result = run({"list"});
  EXPECT_THAT(result.output, HasSubstr("evil\\x1b[2J"));
  EXPECT_THAT(result.output, Not(HasSubstr("\x1b")));
}

TEST_F(Looking, ControlCharactersOfANameDoNotReachTheTerminalInJsonEither) {
  auto publisher = node_.publisher("shm://evil%7f%c2%9b2J").value();
  const Outcome result = run({"list", "--json"});
  EXPECT_THAT(result.output, HasSubstr(R"(evil\u007f\u009b2J)"));
  EXPECT_EQ(Json::parse(result.output)["topics"][0]["topic"],
            "evil\x7f\xc2\x9b"
            "2J");
}

TEST_F(Looking, WhatOnlyResemblesUtf8InANameDoesNotReachTheTerminal) {
  // Longer than need be, a half of UTF-16, above U+10FFFF; and what is right at the edges of these.
  auto publisher = node_.publisher("shm://a%e0%80%9bb%ed%a0%80c%f0%80%80%9bd%f4%90%80%80e").value();
  auto right = node_.publisher("shm://%e0%a0%80%ed%9f%bf%f0%90%80%80%f4%8f%bf%bf").value();
  const Outcome result = run({"list"});
  EXPECT_THAT(result.output, HasSubstr(R"(a\xe0\x80\x9bb\xed\xa0\x80c\xf0\x80\x80\x9bd\xf4\x90\x80\x80e)"));
  EXPECT_THAT(result.output, HasSubstr("\xe0\xa0\x80\xed\x9f\xbf\xf0\x90\x80\x80\xf4\x8f\xbf\xbf"));
}

TEST_F(Looking, BackendsThatListNoTopicsSaySo) {
  const Outcome result = run({"list", "zmq+ipc://"});
  EXPECT_EQ(result.status, 4);
  EXPECT_NE(result.errors, "");
  EXPECT_EQ(run({"clean", "zmq+ipc://"}).status, 4);
}

}  // namespace
}  // namespace weir::tool::testing
