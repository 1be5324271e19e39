// Endpoints: their names, their ends, and what is refused with which errno.
#include <cstdlib>
#include <filesystem>
#include <string>

#include "adapters/zeromq_plugin/prefixes.h"
#include "adapters/zeromq_plugin/route.h"
#include "adapters/zeromq_plugin/test_sockets.h"

namespace weir::zmq_plugin {
namespace {

using zmq::socket_type;
using Endpoints = Sockets;

TEST_F(Endpoints, TheLastOneIsTold) {
  zmq::socket_t publisher = bound(socket_type::pub, shm());
  EXPECT_EQ(publisher.get(zmq::sockopt::last_endpoint), shm());
  publisher.bind("tcp://127.0.0.1:*");
  EXPECT_TRUE(publisher.get(zmq::sockopt::last_endpoint).starts_with("tcp://127.0.0.1:"));
}

TEST_F(Endpoints, APathNamesTheSharedMemory) {
  const std::string endpoint = "shm://" + directory_.path("memory");
  zmq::socket_t publisher = bound(socket_type::pub, endpoint);
  EXPECT_EQ(access(directory_.path("memory").c_str(), F_OK), 0);
  zmq::socket_t subscriber = this->subscriber(endpoint);
  send(publisher, "text");
  EXPECT_EQ(receive(subscriber), "text");
}

TEST_F(Endpoints, NothingIsLeftOfThem) {
  {
    zmq::socket_t publisher = bound(socket_type::xpub, shm());
    zmq::socket_t subscriber = this->subscriber(shm());
    send(publisher, std::string(100'000, 'x'));
    EXPECT_EQ(receive(subscriber).size(), 100'000U);
  }
  EXPECT_EQ(access(directory_.path("root/v1/feed").c_str(), F_OK), -1);
  EXPECT_EQ(access(directory_.path("root/v1/feed.subscriptions").c_str(), F_OK), -1);
}

TEST_F(Endpoints, OneThatIsBoundIsNotBoundTwice) {
  zmq::socket_t publisher = bound(socket_type::pub, shm());
  zmq::socket_t other = make(socket_type::pub);
  EXPECT_EQ(error_of([&] { other.bind(shm()); }), EADDRINUSE);
  zmq::socket_t subscriber = make(socket_type::sub);
  EXPECT_EQ(error_of([&] { subscriber.bind(shm()); }), EADDRINUSE);
  publisher.unbind(shm());
  other.bind(shm());
}

TEST_F(Endpoints, ThoseThatAreLeftReceiveNothingMore) {
  zmq::socket_t publisher = bound(socket_type::pub, shm("one"));
  publisher.bind(shm("two"));
  zmq::socket_t subscriber = this->subscriber(shm("one"));
  subscriber.connect(shm("two"));
  send(publisher, "text");
  EXPECT_EQ(receive(subscriber), "text");
  EXPECT_EQ(receive(subscriber), "text");
  subscriber.disconnect(shm("one"));
  send(publisher, "more");
  EXPECT_EQ(receive(subscriber), "more");
  EXPECT_TRUE(has_nothing(subscriber));
  EXPECT_EQ(error_of([&] { subscriber.disconnect(shm("one")); }), ENOENT);
  EXPECT_EQ(error_of([&] { publisher.unbind(shm("three")); }), ENOENT);
}

TEST_F(Endpoints, WhatSharedMemoryDoesNotServeIsRefused) {
  for (const socket_type type : {socket_type::req, socket_type::rep, socket_type::dealer, socket_type::router,
                                 socket_type::push, socket_type::pull, socket_type::pair}) {
    zmq::socket_t socket = make(type);
    EXPECT_EQ(error_of([&] { socket.bind(shm()); }), ENOCOMPATPROTO);
    EXPECT_EQ(error_of([&] { socket.connect(shm()); }), ENOCOMPATPROTO);
  }
  zmq::socket_t publisher = make(socket_type::xpub);
  EXPECT_EQ(error_of([&] { publisher.bind("shm://"); }), EINVAL);
  EXPECT_EQ(error_of([&] { publisher.bind("shm://a/../b"); }), EINVAL);
  EXPECT_EQ(error_of([&] { publisher.bind("shm://feed?depth=8"); }), EINVAL);
  publisher.set(zmq::sockopt::xpub_manual, true);
  EXPECT_EQ(error_of([&] { publisher.bind(shm()); }), ENOCOMPATPROTO);
  zmq::socket_t subscriber = this->subscriber(shm());
  EXPECT_EQ(error_of([&] { static_cast<void>(subscriber.send(zmq::str_buffer("x"))); }), ENOTSUP);
  zmq::socket_t other = bound(socket_type::pub, shm());
  zmq::message_t message;
  EXPECT_EQ(error_of([&] { static_cast<void>(other.recv(message)); }), ENOTSUP);
}

TEST_F(Endpoints, EachOptionThatIsNotServedIsRefusedByItself) {
  zmq::socket_t publisher = make(socket_type::xpub);
  publisher.set(zmq::sockopt::xpub_manual, true);
  ASSERT_EQ(zmq_setsockopt(publisher.handle(), ZMQ_XPUB_WELCOME_MSG, "", 0), 0);
  EXPECT_EQ(error_of([&] { publisher.bind(shm()); }), ENOCOMPATPROTO);
  publisher.set(zmq::sockopt::xpub_manual, false);
  publisher.bind(shm());
  publisher.set(zmq::sockopt::xpub_manual, true);
  EXPECT_EQ(zmq_setsockopt(publisher.handle(), ZMQ_SUBSCRIBE, "a", 1), 0);
  EXPECT_EQ(zmq_setsockopt(publisher.handle(), ZMQ_UNSUBSCRIBE, "a", 1), 0);
  zmq::socket_t subscriber = this->subscriber(shm());
  send(publisher, "text");
  EXPECT_EQ(receive(subscriber), "text");
}

TEST_F(Endpoints, OtherKindsOfSocketAreAsEver) {
  zmq::socket_t server = bound(socket_type::rep, ipc("socket"));
  zmq::socket_t client = connected(socket_type::req, ipc("socket"));
  send(client, "question");
  EXPECT_EQ(receive(server), "question");
  send(server, "answer");
  EXPECT_EQ(receive(client), "answer");
}

TEST(Routes, LeadWhereTheSettingsSay) {
  const Settings plain;
  Settings redirected;
  redirected.ipc = Redirect::shm;
  redirected.tcp = Redirect::shm;
  EXPECT_EQ(route_of("ipc:///tmp/a", ZMQ_PUB, plain).leads, Leads::to_libzmq);
  EXPECT_EQ(route_of("ipc:///tmp/a", ZMQ_PUB, redirected).topic.topic, "ipc:/tmp/a");
  EXPECT_EQ(route_of("ipc:///tmp/../tmp/a", ZMQ_SUB, redirected).topic.topic, "ipc:/tmp/a");
  const std::string here = std::filesystem::current_path().string();
  EXPECT_EQ(route_of("ipc://a", ZMQ_SUB, redirected).topic.topic, "ipc:" + here + "/a");
  EXPECT_EQ(route_of("ipc://b/../a", ZMQ_SUB, redirected).topic.topic, "ipc:" + here + "/a");
  EXPECT_EQ(route_of("ipc://@a", ZMQ_XSUB, redirected).topic.topic, "ipc:@a");
  EXPECT_EQ(route_of("ipc:///tmp/a", ZMQ_REQ, redirected).leads, Leads::to_libzmq);
  EXPECT_EQ(route_of("tcp://127.0.0.1:5555", ZMQ_PUB, redirected).text, "tcp://127.0.0.1:5555");
  EXPECT_EQ(route_of("tcp://*:5555", ZMQ_PUB, redirected).topic,
            route_of("tcp://localhost:5555", ZMQ_SUB, redirected).topic);
  EXPECT_EQ(route_of("inproc://a", ZMQ_PUB, redirected).leads, Leads::to_libzmq);
  EXPECT_EQ(route_of("shm://a", ZMQ_PUB, plain).subscriptions.topic, "a.subscriptions");
}

TEST(SubscriptionSet, MatchesByTheBeginning) {
  const auto matches = [](const Prefixes& prefixes, std::string_view text) {
    return prefixes.match(std::as_bytes(std::span(text)));
  };
  Prefixes prefixes;
  EXPECT_FALSE(matches(prefixes, ""));
  prefixes.add("ab");
  prefixes.add("c");
  EXPECT_TRUE(matches(prefixes, "ab"));
  EXPECT_TRUE(matches(prefixes, "cd"));
  EXPECT_FALSE(matches(prefixes, "a"));
  EXPECT_FALSE(matches(prefixes, "ba"));
  prefixes.add("");
  EXPECT_TRUE(matches(prefixes, "x"));
  EXPECT_TRUE(prefixes.remove(""));
  EXPECT_FALSE(matches(prefixes, "x"));
  EXPECT_FALSE(prefixes.remove("x"));
}

}  // namespace
}  // namespace weir::zmq_plugin
