// Who hears what, and what publishers learn of it.
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include "adapters/zeromq_plugin/test_sockets.h"
#include "transport/node.h"

namespace weir::zmq_plugin {
namespace {

using zmq::socket_type;
using Subscriptions = Sockets;

TEST_F(Subscriptions, PrefixesOfTheFirstFrameSelect) {
  zmq::socket_t publisher = bound(socket_type::pub, shm());
  zmq::socket_t subscriber = this->subscriber(shm(), {"ab", "x", "abcd"});
  for (const char* topic : {"a", "ab", "b", "abc", "x", "xy", "", "yx"}) send(publisher, Texts{topic, "x"});
  send(publisher, "end of ab");
  send(publisher, "xend");
  Texts topics;
  for (Texts frames = receive_frames(subscriber); frames[0] != "xend"; frames = receive_frames(subscriber)) {
    topics.push_back(frames[0]);
  }
  EXPECT_EQ(topics, (Texts{"ab", "abc", "x", "xy"}));
}

TEST_F(Subscriptions, OneThatWasMadeTwiceEndsWithTheSecondEnd) {
  zmq::socket_t publisher = bound(socket_type::pub, shm());
  zmq::socket_t subscriber = this->subscriber(shm(), {"a", "a", "b"});
  subscriber.set(zmq::sockopt::unsubscribe, "a");
  send(publisher, "a1");
  EXPECT_EQ(receive(subscriber), "a1");
  subscriber.set(zmq::sockopt::unsubscribe, "a");
  send(publisher, "a2");
  send(publisher, "b");
  EXPECT_EQ(receive(subscriber), "b");
}

TEST_F(Subscriptions, WithoutAnyNothingComesAndNobodyIsHeldBack) {
  zmq::socket_t publisher = make(socket_type::pub);
  publisher.set(zmq::sockopt::xpub_nodrop, true);
  publisher.bind(shm());
  zmq::socket_t subscriber = this->subscriber(shm(), {});
  for (int number = 0; number < 10'000; ++number) send(publisher, "unheard");
  EXPECT_TRUE(has_nothing(subscriber));
  subscriber.set(zmq::sockopt::subscribe, "");
  send(publisher, "heard");
  EXPECT_EQ(receive(subscriber), "heard");
}

TEST_F(Subscriptions, InvertedTheyTellWhatIsNotWanted) {
  zmq::socket_t publisher = bound(socket_type::pub, shm());
  zmq::socket_t subscriber = make(socket_type::sub);
  subscriber.set(zmq::sockopt::invert_matching, 1);
  subscriber.set(zmq::sockopt::subscribe, "noise");
  subscriber.connect(shm());
  send(publisher, "noise 1");
  send(publisher, "music");
  EXPECT_EQ(receive(subscriber), "music");
}

TEST_F(Subscriptions, XpubHearsTheFirstAndTheLastOfEachPrefix) {
  zmq::socket_t publisher = bound(socket_type::xpub, shm());
  zmq::socket_t one = subscriber(shm(), {"a"});
  EXPECT_EQ(receive(publisher), subscription("a"));
  zmq::socket_t two = subscriber(shm(), {"a", "b"});
  EXPECT_EQ(receive(publisher), subscription("b"));
  one.set(zmq::sockopt::unsubscribe, "a");
  two.set(zmq::sockopt::unsubscribe, "b");
  EXPECT_EQ(receive(publisher), unsubscription("b"));
  two.set(zmq::sockopt::unsubscribe, "a");
  EXPECT_EQ(receive(publisher), unsubscription("a"));
  EXPECT_TRUE(has_nothing(publisher));
}

TEST_F(Subscriptions, VerboseXpubHearsThemAll) {
  zmq::socket_t publisher = make(socket_type::xpub);
  publisher.set(zmq::sockopt::xpub_verboser, true);
  publisher.bind(shm());
  zmq::socket_t one = subscriber(shm(), {"a"});
  EXPECT_EQ(receive(publisher), subscription("a"));
  zmq::socket_t two = subscriber(shm(), {"a"});
  EXPECT_EQ(receive(publisher), subscription("a"));
  one.set(zmq::sockopt::unsubscribe, "a");
  EXPECT_EQ(receive(publisher), unsubscription("a"));
  two.close();
  EXPECT_EQ(receive(publisher), unsubscription("a"));
}

TEST_F(Subscriptions, VerboseXpubDoesNotDrownInACountThatWasOverwritten) {
  zmq::socket_t publisher = make(socket_type::xpub);
  publisher.set(zmq::sockopt::xpub_verbose, true);
  publisher.bind(shm());
  Result<Node> node = Node::open();
  ASSERT_TRUE(node);
  Result<Publisher> scribbler = node->publisher(shm("feed.subscriptions"), {.depth = 126, .history = 1});
  ASSERT_TRUE(scribbler) << scribbler.error().message();
  // So many prefixes; of each, all the subscriptions that fit into a word, and eight bytes.
  constexpr std::uint64_t prefixes = 1000;
  std::vector<std::uint64_t> announcement{prefixes};
  for (std::uint64_t prefix = 0; prefix < prefixes; ++prefix) {
    announcement.insert(announcement.end(), {0xffff'ffff, sizeof(prefix), prefix});
  }
  ASSERT_TRUE(scribbler->send(std::as_bytes(std::span(announcement))));
  std::map<std::string, int> heard{{receive(publisher), 1}};
  int messages = 1;
  for (std::string next = receive(publisher, zmq::recv_flags::dontwait); !next.empty();
       next = receive(publisher, zmq::recv_flags::dontwait)) {
    ++heard[next];
    ASSERT_LT(++messages, 20'000);
  }
  EXPECT_EQ(heard.size(), prefixes) << "each is heard";
  const zmq::socket_t subscriber = this->subscriber(shm(), {"b"});
  EXPECT_EQ(receive(publisher), subscription("b"));
}

TEST_F(Subscriptions, XpubThatComesLateHearsWhatIsThere) {
  zmq::socket_t subscriber = this->subscriber(shm(), {"a", "b"});
  zmq::socket_t publisher = bound(socket_type::xpub, shm());
  Texts heard{receive(publisher), receive(publisher)};
  std::sort(heard.begin(), heard.end());
  EXPECT_EQ(heard, (Texts{subscription("a"), subscription("b")}));
}

TEST_F(Subscriptions, TheEndOfASubscriberEndsItsSubscriptions) {
  zmq::socket_t publisher = bound(socket_type::xpub, shm());
  zmq::socket_t subscriber = this->subscriber(shm(), {"a"});
  EXPECT_EQ(receive(publisher), subscription("a"));
  subscriber.close();
  EXPECT_EQ(receive(publisher), unsubscription("a"));
}

TEST_F(Subscriptions, WhoeverComesAndGoesInHasteIsTakenBackAsOftenAsHeard) {
  zmq::socket_t publisher = make(socket_type::xpub);
  publisher.set(zmq::sockopt::xpub_verboser, true);
  publisher.bind(shm());
  constexpr int rounds = 30;
  std::map<std::string, int> balance;
  const auto hear = [&](const std::string& text) {
    if (!text.empty()) balance[text.substr(1)] += text.front() == '\1' ? 1 : -1;
  };
  {
    std::vector<std::jthread> threads;
    std::atomic<int> under_way{8};
    for (int thread = 0; thread < 8; ++thread) {
      threads.emplace_back([&] {
        for (int round = 0; round < rounds; ++round) static_cast<void>(subscriber(shm(), {"a", "b"}));
        --under_way;
      });
    }
    while (under_way != 0) hear(receive(publisher, zmq::recv_flags::dontwait));
  }
  zmq::socket_t last = subscriber(shm(), {"last"});
  while (balance["last"] == 0) hear(receive(publisher));
  // The ends of all that have gone by now; none if they were told before.
  for (std::string text = receive(publisher, zmq::recv_flags::dontwait); !text.empty();
       text = receive(publisher, zmq::recv_flags::dontwait)) {
    hear(text);
  }
  EXPECT_EQ(balance, (std::map<std::string, int>{{"a", 0}, {"b", 0}, {"last", 1}}));
}

TEST_F(Subscriptions, WhatXpubWasToldIsAPromise) {
  zmq::socket_t publisher = bound(socket_type::xpub, shm());
  for (int round = 0; round < 50; ++round) {
    zmq::socket_t subscriber = this->subscriber(shm(), {"a"});
    ASSERT_EQ(receive(publisher), subscription("a"));
    send(publisher, "a" + std::to_string(round));
    ASSERT_EQ(receive(subscriber), "a" + std::to_string(round));
    subscriber.close();
    ASSERT_EQ(receive(publisher), unsubscription("a"));
  }
}

TEST_F(Subscriptions, XsubSubscribesByMessagesAndSendsUpstream) {
  zmq::socket_t publisher = bound(socket_type::xpub, shm());
  zmq::socket_t subscriber = make(socket_type::xsub);
  send(subscriber, subscription("before"));
  subscriber.connect(shm());
  EXPECT_EQ(receive(publisher), subscription("before"));
  send(subscriber, subscription("a"));
  EXPECT_EQ(receive(publisher), subscription("a"));
  send(publisher, "b");
  send(publisher, "a");
  EXPECT_EQ(receive(subscriber), "a");
  send(subscriber, Texts{"upstream", "words"});
  EXPECT_EQ(receive_frames(publisher), (Texts{"upstream", "words"}));
  send(subscriber, unsubscription("a"));
  EXPECT_EQ(receive(publisher), unsubscription("a"));
}

TEST_F(Subscriptions, WhatWasSentUpstreamIsNotRepeatedToWhoeverComesLater) {
  zmq::socket_t publisher = bound(socket_type::xpub, shm());
  zmq::socket_t subscriber = make(socket_type::xsub);
  subscriber.connect(shm());
  send(subscriber, subscription("a"));
  send(subscriber, Texts{"upstream", "words"});
  EXPECT_EQ(receive(publisher), subscription("a"));
  EXPECT_EQ(receive_frames(publisher), (Texts{"upstream", "words"}));
  zmq::socket_t late = connected(socket_type::xpub, shm());
  EXPECT_EQ(receive(late), subscription("a"));
  send(subscriber, subscription("b"));
  EXPECT_EQ(receive(late), subscription("b"));
  EXPECT_EQ(receive(publisher), subscription("b"));
}

TEST_F(Subscriptions, AProxyThatCannotSendInTimeEndsWithTheError) {
  zmq::socket_t publisher = bound(socket_type::xpub, shm("in"));
  zmq::socket_t subscriber = this->subscriber(shm("out"));
  std::jthread proxy([this] {
    zmq::socket_t frontend = connected(socket_type::xsub, shm("in"));
    zmq::socket_t backend = make(socket_type::xpub);
    backend.set(zmq::sockopt::sndhwm, 5);
    backend.set(zmq::sockopt::rcvhwm, 5);
    backend.set(zmq::sockopt::xpub_nodrop, true);
    backend.set(zmq::sockopt::sndtimeo, 20);
    backend.bind(shm("out"));
    EXPECT_EQ(zmq_proxy(frontend.handle(), backend.handle(), nullptr), -1);
    EXPECT_EQ(zmq_errno(), EAGAIN);
  });
  EXPECT_EQ(receive(publisher), subscription("")) << "through the proxy";
  for (int number = 0; number < 11; ++number) send(publisher, Texts{std::to_string(number), "text"});
  proxy.join();
  for (int number = 0; number < 10; ++number) {
    EXPECT_EQ(receive_frames(subscriber), (Texts{std::to_string(number), "text"}));
  }
}

TEST_F(Subscriptions, AProxyForwardsMessagesOneWayAndSubscriptionsTheOther) {
  zmq::socket_t publisher = bound(socket_type::xpub, shm("in"));
  zmq::socket_t controller = bound(socket_type::pair, "inproc://control");
  std::jthread proxy([this] {
    zmq::socket_t frontend = connected(socket_type::xsub, shm("in"));
    zmq::socket_t backend = bound(socket_type::xpub, shm("out"));
    zmq::socket_t control = connected(socket_type::pair, "inproc://control");
    EXPECT_EQ(zmq_proxy_steerable(frontend.handle(), backend.handle(), nullptr, control.handle()), 0);
  });
  zmq::socket_t subscriber = this->subscriber(shm("out"), {"a"});
  EXPECT_EQ(receive(publisher), subscription("a")) << "through the proxy";
  send(publisher, Texts{"b", "nothing"});
  send(publisher, Texts{"a", "something"});
  EXPECT_EQ(receive_frames(subscriber), (Texts{"a", "something"}));
  send(controller, "TERMINATE");
}

}  // namespace
}  // namespace weir::zmq_plugin
