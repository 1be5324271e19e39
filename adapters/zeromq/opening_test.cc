// Endpoints, names, options, and what is refused.
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <chrono>
#include <fstream>
#include <optional>
#include <string>

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <zmq.hpp>

#include "adapters/zeromq/endpoints.h"
#include "adapters/zeromq/test_support.h"

namespace weir::zeromq {
namespace {

using namespace testing_support;

bool is_socket(const std::string& path) {
  struct stat file {};
  return lstat(path.c_str(), &file) == 0 && S_ISSOCK(file.st_mode);
}

class Opening : public ::testing::Test {
 protected:
  // Sends a word and returns what arrives.
  static std::string exchange(Publisher& publisher, Subscriber& subscriber, const std::string& word) {
    // Who comes back to another publisher subscribes anew in its own next call.
    while (!publisher.wait_for_subscribers(1, after(std::chrono::milliseconds(10)))) {
      static_cast<void>(must(subscriber.wait(at_once)));
    }
    must(publisher.send(bytes(word)));
    return text(next(subscriber).payload());
  }

  const ShortDirectory directory_;
  const std::string feed_ = "zmq+" + directory_.ipc("feed");
  Node node_ = must(Node::open());
};

TEST_F(Opening, OneUriServesBothRolesWhoeverComesFirst) {
  for (const std::string& uri :
       {feed_, "zmq+ipc://@" + directory_.path("abstract"), std::string("zmq+inproc://within")}) {
    std::optional<Subscriber> subscriber = must(node_.subscriber(uri));
    Publisher publisher = must(node_.publisher(uri));
    EXPECT_EQ(exchange(publisher, *subscriber, "first"), "first");
    subscriber.reset();
    while (publisher.wait_for_subscribers(1, at_once)) {  // until it is known to be gone
    }
    Subscriber late = must(node_.subscriber(uri));
    EXPECT_EQ(exchange(publisher, late, "second"), "second");
  }
}

TEST_F(Opening, ASubscriberWithOneFilterTwiceCountsOnceAndNoLonger) {
  Publisher publisher = must(node_.publisher(feed_));
  std::optional<Subscriber> subscriber = must(node_.subscriber(feed_ + "?filter=a,b,a"));
  must(publisher.wait_for_subscribers(2, soon()));
  EXPECT_EQ(exchange(publisher, *subscriber, "a word"), "a word");
  EXPECT_FALSE(publisher.wait_for_subscribers(3, at_once));
  subscriber.reset();
  const Deadline watchdog = soon();
  while (publisher.wait_for_subscribers(1, at_once)) ASSERT_FALSE(passed(watchdog)) << "it is gone";
}

TEST_F(Opening, ThePortThatTheSystemChoseIsTold) {
  Publisher publisher = must(node_.publisher("zmq+tcp://127.0.0.1:0"));
  const auto bound = bound_endpoints(publisher.id());
  ASSERT_EQ(bound.size(), 1U);
  Subscriber subscriber = must(node_.subscriber("zmq+" + bound[0]));
  EXPECT_EQ(exchange(publisher, subscriber, "over tcp"), "over tcp");
  EXPECT_TRUE(bound_endpoints(subscriber.id()).empty());
}

TEST_F(Opening, ASocketHasSeveralEndpoints) {
  Publisher publisher =
      must(node_.publisher(fmt::format("{}?also_bind=tcp://127.0.0.1:0,{}", feed_, directory_.ipc("second"))));
  const auto bound = bound_endpoints(publisher.id());
  ASSERT_EQ(bound.size(), 3U);
  Subscriber one = must(node_.subscriber(feed_));
  Subscriber two = must(node_.subscriber("zmq+" + bound[1]));
  Subscriber three = must(node_.subscriber("zmq+" + bound[2]));
  must(publisher.wait_for_subscribers(3, soon()));
  must(publisher.send(bytes("to all")));
  for (Subscriber* each : {&one, &two, &three}) EXPECT_EQ(text(next(*each).payload()), "to all");

  Publisher other = must(node_.publisher("zmq+" + directory_.ipc("other")));
  Subscriber both = must(node_.subscriber(fmt::format("{}?also_connect={}", feed_, directory_.ipc("other"))));
  EXPECT_EQ(exchange(other, both, "from the other"), "from the other");
}

TEST_F(Opening, ALivingBindersNameIsNotTaken) {
  std::optional<Publisher> first = must(node_.publisher(feed_));
  EXPECT_TRUE(fails(node_.publisher(feed_), ErrorCode::name_taken, {"feed"}));
  EXPECT_TRUE(fails(node_.subscriber(feed_ + "?bind=subscriber"), ErrorCode::name_taken, {"feed"}));
  Subscriber subscriber = must(node_.subscriber(feed_));
  EXPECT_EQ(exchange(*first, subscriber, "undisturbed"), "undisturbed");
  first.reset();
  Publisher second = must(node_.publisher(feed_));  // at once
  EXPECT_EQ(exchange(second, subscriber, "free again"), "free again");
}

TEST_F(Opening, AbstractNamesAndPortsAreFreeAgainAtOnceToo) {
  std::string tcp = "zmq+tcp://127.0.0.1:0";
  {
    Publisher publisher = must(node_.publisher(tcp));
    tcp = "zmq+" + bound_endpoints(publisher.id()).at(0);
  }
  for (const std::string& uri : {tcp, "zmq+ipc://@" + directory_.path("abstract")}) {
    for (int life = 0; life < 20; ++life) {
      Publisher publisher = must(node_.publisher(uri));
      if (life == 0) {
        EXPECT_TRUE(fails(node_.publisher(uri), ErrorCode::name_taken));
      }
    }
  }
}

// A native program can still take the name: zmq_bind does not ask. Then the file is not ours to remove.
TEST_F(Opening, ANameThatANativeProgramTookIsLeftToIt) {
  std::optional<Publisher> publisher = must(node_.publisher(feed_));
  zmq::context_t context;
  zmq::socket_t thief(context, zmq::socket_type::pub);
  thief.bind(directory_.ipc("feed"));
  publisher.reset();
  EXPECT_TRUE(is_socket(directory_.path("feed")));
  EXPECT_TRUE(fails(node_.publisher(feed_), ErrorCode::name_taken));
}

TEST_F(Opening, TheSocketFileGoesWithItsBinderAndOneLeftByTheDeadIsTakenOver) {
  {
    Publisher publisher = must(node_.publisher(feed_));
    EXPECT_TRUE(is_socket(directory_.path("feed")));
  }
  EXPECT_FALSE(is_socket(directory_.path("feed")));

  // What SIGKILL leaves: a file behind which nobody listens.
  const std::string path = directory_.path("feed");
  const int dead = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path.copy(address.sun_path, sizeof(address.sun_path) - 1);
  ASSERT_EQ(::bind(dead, reinterpret_cast<const sockaddr*>(&address), sizeof(address)), 0);
  ::close(dead);
  ASSERT_TRUE(is_socket(path));
  Publisher publisher = must(node_.publisher(feed_));
  Subscriber subscriber = must(node_.subscriber(feed_));
  EXPECT_EQ(exchange(publisher, subscriber, "taken over"), "taken over");
}

TEST_F(Opening, AFileThatIsNoSocketIsNotDeleted) {
  std::ofstream(directory_.path("feed")) << "precious";
  EXPECT_TRUE(fails(node_.publisher(feed_), ErrorCode::invalid_argument, {"feed", "no socket"}));
  std::string content;
  std::ifstream(directory_.path("feed")) >> content;
  EXPECT_EQ(content, "precious");
}

TEST_F(Opening, APathOfMoreThan107BytesIsRefusedAndOneOf107Works) {
  const std::string base = directory_.path() + '/';
  const std::string longest = "zmq+ipc://" + base + std::string(107 - base.size(), 'x');
  Publisher publisher = must(node_.publisher(longest));
  Subscriber subscriber = must(node_.subscriber(longest));
  EXPECT_EQ(exchange(publisher, subscriber, "fits"), "fits");
  EXPECT_TRUE(fails(node_.publisher(longest + "y"), ErrorCode::limit_exceeded, {"108", "107"}));
  EXPECT_TRUE(fails(node_.subscriber(longest + "y"), ErrorCode::limit_exceeded, {"108", "107"}));
}

TEST_F(Opening, WhatCannotBeBoundIsAnErrorThatSaysWhy) {
  EXPECT_TRUE(fails(node_.publisher(feed_ + "/below/nothing"), ErrorCode::not_found, {"directory"}));
  EXPECT_TRUE(fails(node_.publisher("zmq+tcp://203.0.113.7:5555"), ErrorCode::invalid_argument, {"203.0.113.7"}));
  EXPECT_TRUE(fails(node_.publisher("zmq+tcp://no-port"), ErrorCode::invalid_argument, {"no-port"}));
  EXPECT_TRUE(fails(node_.subscriber("zmq+tcp://no-port"), ErrorCode::invalid_argument, {"no-port"}));
  for (const char* wildcard : {"zmq+tcp://*:5555", "zmq+tcp://127.0.0.1:0", "zmq+tcp://0.0.0.0:5555", "zmq+ipc://*"}) {
    EXPECT_TRUE(fails(node_.subscriber(wildcard), ErrorCode::invalid_argument, {"any address", "bind="})) << wildcard;
  }
}

TEST_F(Opening, OptionsThatMakeNoSenseAreRefusedByName) {
  for (const auto& [options, named] : {std::pair{"bind=both", "bind"}, std::pair{"frames=header", "frames"},
                                       std::pair{"envelope=yes", "envelope"}, std::pair{"alignment=24", "alignment"},
                                       std::pair{"alignment=8192", "alignment"}, std::pair{"linger=5", "linger"},
                                       std::pair{"linger=-1s", "linger"}, std::pair{"also_bind=somewhere", "also_bind"},
                                       std::pair{"curve_server=key", "curve"}, std::pair{"prefix=a", "prefix"}}) {
    const std::string uri = fmt::format("{}?{}", feed_, options);
    EXPECT_TRUE(fails(node_.publisher(uri), ErrorCode::invalid_argument, {named})) << uri;
    EXPECT_TRUE(fails(node_.subscriber(uri), ErrorCode::invalid_argument, {named})) << uri;
  }
}

TEST_F(Opening, WhatZeroMqCannotDoIsUnsupported) {
  for (const char* options : {"history=1", "durability=persistent", "type=Pose"}) {
    const std::string uri = fmt::format("{}?{}", feed_, options);
    EXPECT_TRUE(fails(node_.publisher(uri), ErrorCode::unsupported)) << uri;
    EXPECT_TRUE(fails(node_.subscriber(uri), ErrorCode::unsupported)) << uri;
  }
  EXPECT_TRUE(fails(node_.subscriber(feed_ + "?policy=drop_oldest"), ErrorCode::unsupported, {"drop_oldest"}));
  EXPECT_TRUE(fails(node_.topics("zmq+ipc://"), ErrorCode::unsupported));
  Publisher publisher = must(node_.publisher(feed_));
  Subscriber subscriber = must(node_.subscriber(feed_));
  EXPECT_TRUE(fails(publisher.loan(8, 8), ErrorCode::unsupported, {"frames=topic"}));
  EXPECT_TRUE(fails(publisher.peers(), ErrorCode::unsupported));
  EXPECT_TRUE(fails(publisher.next_event(), ErrorCode::unsupported));
  EXPECT_TRUE(fails(subscriber.peers(), ErrorCode::unsupported, {"let the messages say it"}));
  EXPECT_TRUE(fails(subscriber.next_event(), ErrorCode::unsupported, {"let the messages say it"}));
  for (const auto& none : {publisher.capabilities(), subscriber.capabilities()}) {
    EXPECT_FALSE(none.zero_copy || none.drop_oldest || none.negotiates_policy || none.persistence || none.types ||
                 none.survives_publisher || none.death_events || none.lists_topics || none.exact_depth);
    EXPECT_EQ(none.max_history, 0U);
  }
}

TEST_F(Opening, CapabilitiesFollowTheOptions) {
  const auto of = [&](const std::string& options) { return must(node_.capabilities(feed_ + options)); };
  EXPECT_FALSE(of("").sequence || of("").exact_loss || of("").publish_time || of("").user_header);
  EXPECT_TRUE(of("?envelope=1").sequence && of("?envelope=1").exact_loss && of("?envelope=1").publish_time);
  EXPECT_TRUE(of("?envelope=1&filter=a").sequence);
  EXPECT_FALSE(of("?envelope=1&filter=a").exact_loss) << "what the filter keeps away would count as lost";
  EXPECT_TRUE(of("?frames=topic").user_header);
  EXPECT_TRUE(of("").across_processes);
  EXPECT_FALSE(must(node_.capabilities("zmq+inproc://x")).across_processes);
  for (const char* options : {"?envelope=1&frames=topic", "?frames=table"}) {
    EXPECT_EQ(must(node_.publisher(feed_ + options)).capabilities(), of(options));
    EXPECT_EQ(must(node_.subscriber(feed_ + options)).capabilities(), of(options));
  }
}

}  // namespace
}  // namespace weir::zeromq
