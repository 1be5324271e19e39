// Unmodified programs in C, C++ and Python, with libweir_zmq.so preloaded.
#include <cstdlib>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "adapters/zeromq/test_support.h"
#include "transport/node.h"

namespace weir::zmq_plugin {
namespace {

using zeromq::testing_support::data_file;
using zeromq::testing_support::messages_of_a_million;
using zeromq::testing_support::must;
using zeromq::testing_support::Program;
using zeromq::testing_support::ShortDirectory;
using zeromq::testing_support::soon;
using Words = std::vector<std::string>;

class NativePrograms : public ::testing::Test {
 protected:
  // A program with the plug-in before it and these further settings.
  [[nodiscard]] std::unique_ptr<Program> start(const Words& settings, const Words& program) const {
    Words words{"/usr/bin/env", "WEIR_ROOT=" + directory_.path("root")};
    words.insert(words.end(), settings.begin(), settings.end());
    words.push_back("LD_PRELOAD=" + data_file("adapters/zeromq_plugin/libweir_zmq.so"));
    words.insert(words.end(), program.begin(), program.end());
    return std::make_unique<Program>(words);
  }
  [[nodiscard]] static std::string peer(const std::string& name) { return data_file("adapters/zeromq/native/" + name); }
  [[nodiscard]] static Words python(const std::string& file, const Words& arguments) {
    Words words{"/usr/bin/python3", file};
    words.insert(words.end(), arguments.begin(), arguments.end());
    return words;
  }
  [[nodiscard]] static Words killed_peer(const Words& arguments) {
    Words words{data_file("adapters/zeromq_plugin/native/killed_peer")};
    words.insert(words.end(), arguments.begin(), arguments.end());
    return words;
  }

  // Returns when somebody has subscribed: what is published from then on reaches it.
  void until_subscribed(const std::string& topic) {
    Endpoint endpoint;
    endpoint.scheme = "shm";
    endpoint.topic = topic;
    endpoint.options["root"] = directory_.path("root");
    Publisher observer = must(node_.publisher(endpoint.text()));
    must(observer.wait_for_subscribers(1, soon()));
  }

  Node node_ = must(Node::open());
  const ShortDirectory directory_;
  const Words blocking_{"WEIR_ZMQ_PUB=block"};
};

TEST_F(NativePrograms, InCAndCppzmqAndPyzmqUnderstandEachOther) {
  const std::vector<Words> programs{
      {peer("peer_c")}, {peer("peer_cppzmq")}, {"/usr/bin/python3", peer("peer_pyzmq.py")}};
  int number = 0;
  for (const Words& publisher : programs) {
    for (const Words& subscriber : programs) {
      const std::string kind = number % 2 == 0 ? "plain" : "topic";
      const std::string endpoint = fmt::format("shm://feed{}", number++);
      Words subscribe = subscriber;
      subscribe.insert(subscribe.end(), {"subscribe", "connect", endpoint, kind, "100", kind == "topic" ? "odd" : ""});
      Words publish = publisher;
      publish.insert(publish.end(), {"publish", "bind", endpoint, kind});
      const auto reader = start(blocking_, subscribe);
      until_subscribed(endpoint.substr(6));
      const auto writer = start(blocking_, publish);
      EXPECT_EQ(reader->wait(), "") << publisher.back() << " to " << subscriber.back() << ", " << kind;
      writer->end_input();
      EXPECT_EQ(writer->wait(), "");
    }
  }
}

// What strace saw: each call that has to do with sockets, but for the C library's attempts to find a name service.
std::string socket_calls(const std::string& trace) {
  std::ifstream file(trace);
  std::string calls;
  for (std::string line; std::getline(file, line);) {
    const bool has_failed = line.find("connect(") != std::string::npos && line.find("= -1 ") != std::string::npos;
    if (line.find(" socket(") == std::string::npos && !has_failed) calls += line + '\n';
  }
  return calls;
}

// The scripts of a well-known text, the subscriber first and without the pause between messages.
TEST_F(NativePrograms, AMillionMessagesOfUnmodifiedScriptsArriveInOrderAndThroughNoSocket) {
  for (const bool redirected : {false, true}) {
    Words settings = blocking_;
    if (redirected) settings.emplace_back("WEIR_ZMQ_IPC=shm");
    const std::string endpoint = redirected ? directory_.ipc("my_ipc_socket") : "shm://my_ipc_socket";
    const auto traced = [&](const std::string& script) {
      const Words words{"/usr/bin/strace",
                        "-f",
                        "--seccomp-bpf",
                        "-qq",
                        "-e",
                        "trace=%network",
                        "-o",
                        directory_.path(script + ".strace")};
      Words all;
      // strace itself is not what is tried.
      all = {"/usr/bin/env", "-u", "LD_PRELOAD"};
      all.insert(all.end(), words.begin(), words.end());
      for (const std::string& setting : settings) all.insert(all.end(), {"-E", setting});
      all.insert(all.end(), {"-E", "WEIR_ROOT=" + directory_.path("root"), "-E",
                             "LD_PRELOAD=" + data_file("adapters/zeromq_plugin/libweir_zmq.so")});
      const Words program =
          python(data_file("adapters/zeromq/native/" + script), {endpoint, std::to_string(messages_of_a_million())});
      all.insert(all.end(), program.begin(), program.end());
      return all;
    };
    Program subscriber(traced("million_sub.py"));
    until_subscribed(redirected ? "ipc:" + directory_.path("my_ipc_socket") : "my_ipc_socket");
    Program publisher(traced("million_pub.py"));
    EXPECT_EQ(publisher.wait(), "");
    EXPECT_EQ(subscriber.wait(), "") << "it ends well only when it has received them all";
    EXPECT_EQ(socket_calls(directory_.path("million_pub.py.strace")), "");
    EXPECT_EQ(socket_calls(directory_.path("million_sub.py.strace")), "");
  }
}

TEST_F(NativePrograms, AnAsyncioLoopServesSharedMemoryAndConnectionsAtOnce) {
  const std::string count = std::to_string(messages_of_a_million() / 200);
  const auto program = start({}, python(data_file("adapters/zeromq_plugin/native/asyncio_peer.py"),
                                        {"shm://feed", "tcp://127.0.0.1:*", count}));
  EXPECT_EQ(program->wait(), "");
}

// Of a line "TAG COUNT".
long count_in(const std::string& line, const std::string& tag) {
  EXPECT_TRUE(line.starts_with(tag + " ")) << line;
  return std::strtol(line.substr(line.find(' ') + 1).c_str(), nullptr, 10);
}

TEST_F(NativePrograms, OneThatIsLinkedWithThePluginNeedsNoPreload) {
  const std::string linked = data_file("adapters/zeromq_plugin/native/linked_peer");
  const std::string endpoint = "shm://feed?root=" + directory_.path("root");
  Program subscriber({linked, "subscribe", endpoint, "0", "first"});
  ASSERT_EQ(subscriber.read_line(), "ready");
  Program publisher({linked, "publish", endpoint, "last", "100", "100"});
  ASSERT_EQ(publisher.read_line(), "sent");
  EXPECT_EQ(count_in(subscriber.read_line(), "last"), 100);
  EXPECT_EQ(subscriber.wait(), "");
  publisher.end_input();
  EXPECT_EQ(publisher.wait(), "");
}

TEST_F(NativePrograms, WhatAKilledPublisherSentArrivesAndItsSuccessorGoesOn) {
  for (const long sent : {1, 2, 10, 100, 1000, 2500}) {
    const auto subscriber = start(blocking_, killed_peer({"subscribe", "shm://feed", "0", "first"}));
    ASSERT_EQ(subscriber->read_line(), "ready");
    const auto victim = start(blocking_, killed_peer({"publish", "shm://feed", "victim", "0", std::to_string(sent)}));
    ASSERT_EQ(victim->read_line(), "sent");
    victim->kill();
    static_cast<void>(victim->wait());
    const auto successor = start(blocking_, killed_peer({"publish", "shm://feed", "last", "500", "500"}));
    ASSERT_EQ(successor->read_line(), "sent");
    EXPECT_GE(count_in(subscriber->read_line(), "victim"), sent);
    EXPECT_EQ(count_in(subscriber->read_line(), "last"), 500);
    EXPECT_EQ(subscriber->wait(), "") << "killed after " << sent;
    successor->end_input();
    EXPECT_EQ(successor->wait(), "");
  }
}

TEST_F(NativePrograms, AKilledSubscriberHoldsNobodyBackAndItsSuccessorGoesOn) {
  const auto other = start(blocking_, killed_peer({"subscribe", "shm://feed", "0", "first"}));
  ASSERT_EQ(other->read_line(), "ready");
  const auto publisher = start(blocking_, killed_peer({"publish", "shm://feed", "first", "0", "0"}));
  for (const long received : {1, 2, 10, 100, 1000, 2500}) {
    const auto victim = start(blocking_, killed_peer({"subscribe", "shm://feed", std::to_string(received), "late"}));
    ASSERT_EQ(victim->read_line(), "ready");
    ASSERT_EQ(victim->read_line(), "got");
    victim->kill();
    static_cast<void>(victim->wait());
    const auto successor = start(blocking_, killed_peer({"subscribe", "shm://feed", "3000", "late"}));
    ASSERT_EQ(successor->read_line(), "ready");
    ASSERT_EQ(successor->read_line(), "got") << "after " << received;
    successor->kill();
    static_cast<void>(successor->wait());
  }
  publisher->kill();
  static_cast<void>(publisher->wait());
  const auto end = start(blocking_, killed_peer({"publish", "shm://feed", "last", "1", "1"}));
  EXPECT_GT(count_in(other->read_line(), "first"), 3000) << "whoever was there all the time has lost nothing";
  EXPECT_EQ(count_in(other->read_line(), "last"), 1);
  EXPECT_EQ(other->wait(), "");
}

}  // namespace
}  // namespace weir::zmq_plugin
