// top, as a person runs it beside members that come, stand still and die.
#include <csignal>

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

class Top : public ::testing::Test {
 protected:
  Node node_ = std::move(Node::open().value());
  PrivateRoot root_;
};

// A `weir top` that goes on, read document by document.
class Watch {
 public:
  Watch() : top_({"top", "--json", "--interval", "0.05"}) {}

  // The first of its next documents in which the topics are as wanted, of which the first is returned.
  template <class Wanted>
  Json until(Wanted wanted) {
    while (true) {
      const std::size_t end = top_.output().find('\n', read_);
      if (end == std::string::npos) {
        if (!top_.prints_more()) break;
        continue;
      }
      const Json topics = Json::parse(top_.output().substr(read_, end - read_))["topics"];
      read_ = end + 1;
      if (wanted(topics)) return topics.empty() ? Json() : topics[0];
    }
    ADD_FAILURE() << "it ended: " << top_.errors();
    return {};
  }
  template <class Wanted>
  Json until_topic(Wanted wanted) {
    return until([&](const Json& topics) { return !topics.empty() && wanted(topics[0]); });
  }
  int interrupt() {
    top_.signal(SIGINT);
    return top_.end();
  }

 private:
  Program top_;
  std::size_t read_ = 0;
};

TEST_F(Top, OnceShowsTopicsWithTheirMembersAndEnds) {
  auto publisher = node_.publisher("shm://camera/front", {.name = "front"}).value();
  auto subscriber = node_.subscriber("shm://camera/front", {.name = "viewer"}).value();
  const Outcome table = run({"top", "--once", "--interval", "0.05", "--peers"});
  EXPECT_EQ(table.status, 0) << table.errors;
  EXPECT_THAT(table.output, HasSubstr(root_.path()));
  EXPECT_THAT(table.output, HasSubstr("1 topics, 1 pub, 1 sub"));
  EXPECT_THAT(table.output, HasSubstr("camera/front"));
  EXPECT_THAT(table.output, HasSubstr("> \"front\" top_test"));
  EXPECT_THAT(table.output, HasSubstr("< \"viewer\" top_test"));
  EXPECT_THAT(table.output, Not(HasSubstr("\x1b"))) << "no terminal, no colours";
}

TEST_F(Top, CountsRateBytesAndLossesOfALaggard) {
  auto publisher = node_.publisher("shm://camera", {.depth = 4}).value();
  auto laggard = node_.subscriber("shm://camera", {.name = "laggard", .depth = 4}).value();
  Watch watch;
  watch.until_topic([](const Json&) { return true; });  // it knows how things stood
  const std::string payload(100, 'x');
  for (int message = 0; message < 10; ++message) ASSERT_TRUE(publisher.send(std::as_bytes(std::span(payload))));
  const Json active = watch.until_topic([](const Json& topic) { return topic["rate"] > 0; });
  EXPECT_DOUBLE_EQ(active["bytes_per_second"].get<double>(), 100 * active["rate"].get<double>());
  const Json losing =
      active["lost"] == 6 ? active : watch.until_topic([](const Json& topic) { return topic["lost"] == 6; });
  const Json& subscriber = losing["subscribers"][0];
  EXPECT_EQ(subscriber["name"], "laggard");
  EXPECT_EQ(subscriber["unread"], 4);
  EXPECT_EQ(subscriber["lost"], 6);
  EXPECT_EQ(subscriber["lagging"], true);
  EXPECT_EQ(watch.interrupt(), 0);
}

TEST_F(Top, ShowsAPublisherThatALosslessSubscriberBlocks) {
  auto stuck = node_.subscriber("shm://camera?policy=lossless&depth=2").value();
  Program pub({"pub", "camera?grant=block&depth=2&deadline=600s", "-w", "1", "-n", "3", "message"});
  Watch watch;
  const Json topic = watch.until_topic([](const Json& looked) { return looked["blocked"] > 0; });
  EXPECT_EQ(topic["publishers"][0]["waits"], true);
  for (int message = 0; message < 3; ++message) {
    auto sample = stuck.take();
    for (; !*sample; sample = stuck.take()) ASSERT_TRUE(stuck.wait(never));
  }
  EXPECT_EQ(pub.end(), 0);
  watch.until_topic([](const Json& looked) { return looked["blocked"] == 0; });
}

TEST_F(Top, TopicsThatComeAndDieAreShownAndGoneAfterwards) {
  Watch watch;
  watch.until([](const Json& topics) { return topics.empty(); });
  Program victim({"pub", "camera", "--wait-for", "1"});
  watch.until_topic([](const Json& topic) { return !topic["publishers"].empty(); });
  victim.signal(SIGKILL);
  victim.end();
  const Json died = watch.until_topic([](const Json& topic) { return topic["dead"] == 1; });
  EXPECT_EQ(died["publishers"][0]["state"], "dead");
  EXPECT_THAT(run({"top", "--once", "--interval", "0.05"}).output, HasSubstr("1 dead"));
  ASSERT_EQ(run({"clean"}).status, 0);
  watch.until([](const Json& topics) { return topics.empty(); });
}

TEST_F(Top, OtherBackendsAndWrongArgumentsAreRefused) {
  EXPECT_EQ(run({"top", "zmq+ipc://"}).status, 4);
  EXPECT_EQ(run({"top", "iceoryx://"}).status, 4);
  EXPECT_EQ(run({"top", "--sort", "colour"}).status, 2);
  EXPECT_EQ(run({"top", "--interval", "0"}).status, 2);
  EXPECT_EQ(run({"top", "--once", "--count", "2"}).status, 2);
  const Outcome elsewhere = run({"top", "shm://?root=" + root_.path() + "/elsewhere"});
  EXPECT_EQ(elsewhere.status, 3);
  EXPECT_THAT(elsewhere.errors, HasSubstr("/elsewhere"));
}

}  // namespace
}  // namespace weir::tool::testing
