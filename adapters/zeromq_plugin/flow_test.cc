// What happens when a subscriber is slower than its publisher.
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>

#include "adapters/zeromq_plugin/test_sockets.h"

namespace weir::zmq_plugin {
namespace {

using zmq::socket_type;

class Flow : public Sockets {
 protected:
  // Both high-water marks count.
  static void set_marks(zmq::socket_t& socket, int mark) {
    socket.set(zmq::sockopt::sndhwm, mark);
    socket.set(zmq::sockopt::rcvhwm, mark);
  }
  zmq::socket_t lossless_publisher(const std::string& endpoint, int mark) {
    zmq::socket_t publisher = make(socket_type::pub);
    set_marks(publisher, mark);
    publisher.set(zmq::sockopt::xpub_nodrop, true);
    publisher.bind(endpoint);
    return publisher;
  }
};

TEST_F(Flow, APlainPublisherLosesTheOldestAtItsMark) {
  zmq::socket_t publisher = make(socket_type::pub);
  set_marks(publisher, 50);
  publisher.bind(shm());
  zmq::socket_t subscriber = make(socket_type::sub);
  set_marks(subscriber, 5);
  subscriber.connect(shm());
  subscriber.set(zmq::sockopt::subscribe, "");
  for (int number = 0; number < 1000; ++number) send(publisher, std::to_string(number));
  for (int number = 990; number < 1000; ++number) EXPECT_EQ(receive(subscriber), std::to_string(number));
  EXPECT_TRUE(has_nothing(subscriber));
}

TEST_F(Flow, WhoeverDropsNothingIsRefusedAtItsMarkAndGoesOnAfterATake) {
  zmq::socket_t publisher = lossless_publisher(shm(), 5);
  zmq::socket_t slow = subscriber(shm());
  zmq::socket_t fast = subscriber(shm());
  int sent = 0;
  while (publisher.send(zmq::buffer(std::to_string(sent)), zmq::send_flags::dontwait)) ++sent;
  EXPECT_EQ(sent, 10);
  EXPECT_EQ(publisher.get(zmq::sockopt::events) & ZMQ_POLLOUT, 0);
  for (int number = 0; number < sent; ++number) EXPECT_EQ(receive(fast), std::to_string(number));
  EXPECT_TRUE(has_nothing(fast)) << "what was refused was received by nobody";
  EXPECT_EQ(receive(slow), "0");
  EXPECT_NE(publisher.get(zmq::sockopt::events) & ZMQ_POLLOUT, 0);
  send(publisher, std::to_string(sent));
  EXPECT_EQ(receive(fast), "10");
  for (int number = 1; number <= sent; ++number) EXPECT_EQ(receive(slow), std::to_string(number));
}

TEST_F(Flow, APublisherThatWaitsLosesNothing) {
  zmq::socket_t publisher = lossless_publisher(shm(), 10);
  zmq::socket_t subscriber = this->subscriber(shm());
  constexpr int count = 20'000;
  std::jthread sender([&] {
    for (int number = 0; number < count; ++number) send(publisher, std::to_string(number));
  });
  for (int number = 0; number < count; ++number) ASSERT_EQ(receive(subscriber), std::to_string(number));
}

TEST_F(Flow, APublisherThatWaitsDoesSoAtTwoPlacesWithoutSendingTwice) {
  zmq::socket_t publisher = lossless_publisher(shm("one"), 5);
  publisher.bind(shm("two"));
  zmq::socket_t fast = subscriber(shm("one"));
  zmq::socket_t slow = subscriber(shm("two"));
  int sent = 0;
  while (publisher.send(zmq::buffer(std::to_string(sent)), zmq::send_flags::dontwait)) ++sent;
  for (int number = 0; number < sent; ++number) EXPECT_EQ(receive(fast), std::to_string(number));
  EXPECT_FALSE(publisher.send(zmq::str_buffer("refused"), zmq::send_flags::dontwait));
  EXPECT_TRUE(has_nothing(fast));
}

TEST_F(Flow, APollForRoomEndsWhenThereIsSome) {
  zmq::socket_t publisher = lossless_publisher(shm(), 5);
  zmq::socket_t subscriber = this->subscriber(shm());
  std::size_t unread = 0;
  for (int round = 0; round < 50; ++round) {
    while (publisher.send(zmq::str_buffer("x"), zmq::send_flags::dontwait)) ++unread;
    zmq_pollitem_t item{publisher.handle(), 0, ZMQ_POLLOUT, 0};
    ASSERT_EQ(zmq_poll(&item, 1, 0), 0);
    std::jthread reader([&] { EXPECT_EQ(receive(subscriber), "x"); });
    ASSERT_EQ(zmq_poll(&item, 1, 60'000), 1);
  }
}

// Another process that subscribes to everything and receives nothing, until it is killed or this one ends.
class SilentSubscriber {
 public:
  explicit SilentSubscriber(const std::string& endpoint) {
    std::array<int, 2> to_child{};
    std::array<int, 2> to_parent{};
    if (::pipe(to_child.data()) != 0 || ::pipe(to_parent.data()) != 0) throw std::runtime_error("no pipe");
    process_ = fork();
    if (process_ == 0) {
      ::close(to_child[1]);
      void* const context = zmq_ctx_new();
      void* const socket = zmq_socket(context, ZMQ_SUB);
      const bool is_there =
          zmq_connect(socket, endpoint.c_str()) == 0 && zmq_setsockopt(socket, ZMQ_SUBSCRIBE, "", 0) == 0;
      char byte = is_there ? 'y' : 'n';
      if (::write(to_parent[1], &byte, 1) == 1) static_cast<void>(!::read(to_child[0], &byte, 1));
      _exit(0);
    }
    ::close(to_child[0]);
    ::close(to_parent[1]);
    end_of_life_ = to_child[1];
    char byte = 0;
    is_there_ = ::read(to_parent[0], &byte, 1) == 1 && byte == 'y';
    ::close(to_parent[0]);
  }
  SilentSubscriber(const SilentSubscriber&) = delete;
  SilentSubscriber& operator=(const SilentSubscriber&) = delete;
  ~SilentSubscriber() {
    kill();
    ::close(end_of_life_);
  }

  [[nodiscard]] bool is_there() const { return is_there_; }
  void kill() {
    if (process_ <= 0) return;
    ::kill(process_, SIGKILL);
    waitpid(std::exchange(process_, 0), nullptr, 0);
  }

 private:
  pid_t process_ = 0;
  int end_of_life_ = -1;
  bool is_there_ = false;
};

TEST_F(Flow, ASubscriberKilledBeforeManyLargeMessagesHoldsNobodyBack) {
  SilentSubscriber victim(shm());
  ASSERT_TRUE(victim.is_there());
  zmq::socket_t publisher = lossless_publisher(shm(), 1000);
  const std::string large(std::size_t{64} * 1024, 'x');
  int sent = 0;
  while (publisher.send(zmq::buffer(large), zmq::send_flags::dontwait)) ++sent;
  EXPECT_EQ(sent, 128) << "8 MiB";
  EXPECT_EQ(publisher.get(zmq::sockopt::events) & ZMQ_POLLOUT, 0);
  victim.kill();
  publisher.set(zmq::sockopt::sndtimeo, 10'000);
  for (int more = 0; more < 200; ++more) {
    ASSERT_TRUE(publisher.send(zmq::buffer(large), zmq::send_flags::none)) << more;
  }
  EXPECT_NE(publisher.get(zmq::sockopt::events) & ZMQ_POLLOUT, 0);
}

TEST_F(Flow, WhatAConnectionRefusesIsNotPublishedTwiceByAnotherTry) {
  zmq::socket_t publisher = make(socket_type::xpub);
  set_marks(publisher, 5);
  publisher.set(zmq::sockopt::xpub_nodrop, true);
  publisher.bind(shm());
  publisher.bind("inproc://native");
  zmq::socket_t by_shm = subscriber(shm());
  EXPECT_EQ(receive(publisher), subscription(""));
  zmq::socket_t native = make(socket_type::sub);
  set_marks(native, 5);
  native.connect("inproc://native");
  native.set(zmq::sockopt::subscribe, "");
  EXPECT_EQ(receive(publisher), subscription(""));
  int sent = 0;
  while (publisher.send(zmq::buffer(std::to_string(sent)), zmq::send_flags::dontwait)) {
    EXPECT_EQ(receive(by_shm), std::to_string(sent++));
  }
  EXPECT_GT(sent, 0);
  EXPECT_TRUE(has_nothing(by_shm)) << "what was refused was received by nobody";
  std::jthread reader([&] {
    for (int number = 0; number <= sent; ++number) EXPECT_EQ(receive(native), std::to_string(number));
  });
  send(publisher, std::to_string(sent));
  EXPECT_EQ(receive(by_shm), std::to_string(sent));
  EXPECT_TRUE(has_nothing(by_shm));
}

TEST_F(Flow, TheSendTimeoutEndsTheWait) {
  zmq::socket_t publisher = lossless_publisher(shm(), 5);
  zmq::socket_t subscriber = this->subscriber(shm());
  while (publisher.send(zmq::str_buffer("x"), zmq::send_flags::dontwait)) {
  }
  publisher.set(zmq::sockopt::sndtimeo, 20);
  EXPECT_FALSE(publisher.send(zmq::str_buffer("x"), zmq::send_flags::none));
}

TEST_F(Flow, TheMarkCanBeGivenUpAndKeptLater) {
  zmq::socket_t publisher = make(socket_type::pub);
  set_marks(publisher, 5);
  publisher.bind(shm());
  zmq::socket_t subscriber = this->subscriber(shm());
  for (int number = 0; number < 100; ++number) send(publisher, "dropped");
  publisher.set(zmq::sockopt::xpub_nodrop, true);
  int sent = 0;
  while (publisher.send(zmq::str_buffer("kept"), zmq::send_flags::dontwait)) ++sent;
  EXPECT_EQ(sent, 10);
}

TEST_F(Flow, ALeavingSubscriberFreesThePublisherThatWaitsForIt) {
  zmq::socket_t publisher = lossless_publisher(shm(), 5);
  zmq::socket_t subscriber = this->subscriber(shm());
  while (publisher.send(zmq::str_buffer("x"), zmq::send_flags::dontwait)) {
  }
  std::jthread leaver([&] { subscriber.close(); });
  send(publisher, "y");
}

TEST_F(Flow, ConflatedOnlyTheNewestIsKept) {
  zmq::socket_t publisher = bound(socket_type::pub, shm());
  zmq::socket_t subscriber = make(socket_type::sub);
  subscriber.set(zmq::sockopt::conflate, true);
  subscriber.set(zmq::sockopt::subscribe, "a");
  subscriber.connect(shm());
  for (int number = 0; number < 1500; ++number) send(publisher, "a" + std::to_string(number));
  for (int number = 0; number < 100; ++number) send(publisher, "b: not subscribed");
  EXPECT_EQ(receive(subscriber), "a1499");
  EXPECT_TRUE(has_nothing(subscriber));
}

TEST_F(Flow, LargerMessagesThanAllowedArePassedOver) {
  zmq::socket_t publisher = bound(socket_type::pub, shm());
  zmq::socket_t subscriber = make(socket_type::sub);
  subscriber.set(zmq::sockopt::maxmsgsize, std::int64_t{10});
  subscriber.set(zmq::sockopt::subscribe, "");
  subscriber.connect(shm());
  send(publisher, "this is too large");
  send(publisher, Texts{"topic", "this is too large"});
  send(publisher, "this fits");
  EXPECT_EQ(receive(subscriber), "this fits");
}

}  // namespace
}  // namespace weir::zmq_plugin
