// echo, pub, hz and bw, as a person runs them.
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
using Json = nlohmann::json;

class Messages : public ::testing::Test {
 protected:
  Node node_ = std::move(Node::open().value());
  PrivateRoot root_;
};

TEST_F(Messages, WhatPubReadsEchoWrites) {
  Program echo({"echo", "camera", "--wait", "--text", "-n", "3"});
  const Outcome pub = run({"pub", "camera", "--wait-for", "1"}, "one\n\nlast without an end");
  EXPECT_EQ(pub.status, 0) << pub.errors;
  EXPECT_THAT(pub.errors, HasSubstr("published 3 messages"));
  EXPECT_EQ(echo.end(), 0) << echo.errors();
  EXPECT_EQ(echo.output(), "one\n\nlast without an end\n");
}

TEST_F(Messages, EchoShowsBytesThatAreNoTextInHexadecimal) {
  Program echo({"echo", "camera", "--wait", "-n", "1"});
  EXPECT_EQ(run({"pub", "camera", "--wait-for", "1", "--size", "3"}, std::string("a\0b", 3)).status, 0);
  EXPECT_EQ(echo.end(), 0);
  EXPECT_THAT(echo.output(), HasSubstr("#0, 3 bytes"));
  EXPECT_THAT(echo.output(), HasSubstr("00000000  61 00 62 "));
  EXPECT_THAT(echo.output(), HasSubstr("|a.b|"));
}

TEST_F(Messages, EchoTellsSequenceAndLossInJson) {
  auto publisher = node_.publisher("shm://camera?depth=2&history=2").value();
  Program echo({"echo", "camera?history=2", "-n", "2", "--json"});
  ASSERT_TRUE(publisher.wait_for_subscribers(1, never));
  const std::string text = "hello";
  for (int message = 0; message < 2; ++message) ASSERT_TRUE(publisher.send(std::as_bytes(std::span(text))));
  EXPECT_EQ(echo.end(), 0) << echo.errors();
  const Json first = Json::parse(echo.output().substr(0, echo.output().find('\n')));
  EXPECT_EQ(first["text"], "hello");
  EXPECT_EQ(first["sequence"], 0);
  EXPECT_EQ(first["lost_before"], 0);
}

TEST_F(Messages, EchoWritesJsonAlsoOfRawBytes) {
  auto publisher = node_.publisher("shm://camera?history=1").value();
  const std::string text = "hello";
  ASSERT_TRUE(publisher.send(std::as_bytes(std::span(text))));
  EXPECT_EQ(Json::parse(run({"echo", "camera?history=1", "-n", "1", "--raw", "--json"}).output)["text"], "hello");
}

TEST_F(Messages, FileIsOneMessageByteForByte) {
  const std::string path = root_.path() + "/message";
  const std::string content("\x00\xff\n\r\x80 bytes\n", 12);
  std::ofstream(path) << content;
  Program echo({"echo", "camera", "--wait", "--raw", "-n", "1"});
  EXPECT_EQ(run({"pub", "camera", "--wait-for", "1", "--file", path}).status, 0);
  EXPECT_EQ(echo.end(), 0);
  EXPECT_EQ(echo.output(), content);
}

TEST_F(Messages, EchoEndsInOrderWhenItIsInterrupted) {
  auto publisher = node_.publisher("shm://camera").value();
  Program echo({"echo", "camera"});
  ASSERT_TRUE(publisher.wait_for_subscribers(1, never));
  echo.signal(SIGINT);
  EXPECT_EQ(echo.end(), 0);
  EXPECT_TRUE(publisher.peers().value().empty()) << "it has left the topic";
}

TEST_F(Messages, TimeThatIsUpBeforeTheMessagesCameIsAnError) {
  auto publisher = node_.publisher("shm://camera").value();
  const Outcome result = run({"echo", "camera", "-n", "2", "-t", "0.01"});
  EXPECT_EQ(result.status, 7);
  EXPECT_THAT(result.errors, HasSubstr("0 of 2 messages"));
}

TEST_F(Messages, RateIsThatOfThePublisher) {
  Program hz({"hz", "camera", "--wait", "-n", "11", "--json", "--interval", "1000"});
  const Outcome pub = run({"pub", "camera", "-w", "1", "-r", "100", "-n", "11", "tick"});
  EXPECT_EQ(pub.status, 0) << pub.errors;
  EXPECT_EQ(hz.end(), 0) << hz.errors();
  const Json total = Json::parse(hz.output());
  EXPECT_EQ(total["total"], true);
  EXPECT_EQ(total["messages"], 11);
  // A message is never early, so the tenth gap ends at 100 ms at the soonest, but for the lateness of the first.
  EXPECT_GE(total["longest"].get<double>(), 0.0099);
  EXPECT_LE(total["hz"].get<double>() * total["seconds"].get<double>(), 10.001);
  EXPECT_GE(total["hz"].get<double>() * total["seconds"].get<double>(), 9.999);
}

TEST_F(Messages, RateOfAPublisherThatSaysNoTimesIsThatOfTheArrivals) {
  Program hz({"hz", "camera", "--wait", "-n", "3", "--json", "--interval", "1000"});
  ASSERT_EQ(run({"pub", "camera?publish_time=no", "-w", "1", "-r", "100", "-n", "3", "tick"}).status, 0);
  EXPECT_EQ(hz.end(), 0) << hz.errors();
  const Json total = Json::parse(hz.output());
  EXPECT_GT(total["hz"], 0);
  EXPECT_GT(total["seconds"], 0);
}

TEST_F(Messages, OneMessageHasNoRate) {
  Program hz({"hz", "camera", "--wait", "-n", "1", "--interval", "1000"});
  ASSERT_EQ(run({"pub", "camera", "-w", "1", "tick"}).status, 0);
  EXPECT_EQ(hz.end(), 0) << hz.errors();
  EXPECT_EQ(hz.output(), "in all: 1 messages: one alone has no rate\n");
}

TEST_F(Messages, BandwidthCountsThePayload) {
  Program bw({"bw", "camera", "--wait", "-n", "5", "--json", "--interval", "1000"});
  EXPECT_EQ(run({"pub", "camera", "-w", "1", "-n", "5", "12345678"}).status, 0);
  EXPECT_EQ(bw.end(), 0) << bw.errors();
  const Json total = Json::parse(bw.output());
  EXPECT_EQ(total["bytes"], 40);
  EXPECT_EQ(total["mean"], 8.0);
  EXPECT_EQ(total["smallest"], 8);
  EXPECT_EQ(total["lost"], 0);
}

TEST_F(Messages, UnknownTopicIsAnErrorAndNothingIsMade) {
  for (const char* command : {"echo", "hz", "bw"}) {
    const Outcome result = run({command, "camera"});
    EXPECT_EQ(result.status, 3) << command;
    EXPECT_THAT(result.errors, HasSubstr("\"camera\""));
    EXPECT_THAT(result.errors, HasSubstr("--wait"));
  }
  EXPECT_TRUE(std::filesystem::is_empty(root_.path()));
}

TEST_F(Messages, WrongArgumentsAreNamed) {
  const std::vector<std::vector<std::string>> wrong{{},
                                                    {"frobnicate"},
                                                    {"echo"},
                                                    {"echo", "camera", "--count", "-1"},
                                                    {"echo", "camera", "--text", "--raw"},
                                                    {"pub", "camera", "message", "--lines", "-"},
                                                    {"pub", "camera?colour=red", "message"},
                                                    {"list", "no such"}};
  for (const auto& arguments : wrong) {
    const Outcome result = run(arguments);
    EXPECT_TRUE(result.status == 2 || result.status == 3) << ::testing::PrintToString(arguments);
    EXPECT_EQ(result.output, "");
    EXPECT_THAT(result.errors, HasSubstr("weir: "));
  }
  const Outcome unread = run({"pub", "camera", "--file", root_.path() + "/missing"});
  EXPECT_EQ(unread.status, 3);
  EXPECT_THAT(unread.errors, HasSubstr("/missing"));
}

TEST_F(Messages, ErrorsAreJsonWhereResultsAre) {
  const Outcome result = run({"--json", "info", "camera"});
  EXPECT_EQ(result.status, 3);
  const Json error = Json::parse(result.errors)["error"];
  EXPECT_EQ(error["code"], "not_found");
  EXPECT_EQ(error["exit"], 3);
}

TEST_F(Messages, TopicsOfZeromqAreHeardToo) {
  const std::string endpoint = "zmq+ipc://" + root_.path() + "/feed";
  Program echo({"echo", endpoint, "--text", "-n", "1"});
  const Outcome pub = run({"pub", endpoint, "--wait-for", "1", "over ZeroMQ"});
  EXPECT_EQ(pub.status, 0) << pub.errors;
  EXPECT_EQ(echo.end(), 0) << echo.errors();
  EXPECT_EQ(echo.output(), "over ZeroMQ\n");
}

}  // namespace
}  // namespace weir::tool::testing
