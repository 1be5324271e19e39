// A process whose malloc finds no memory: calls return ENOMEM, and what they were about comes when there is some again,
// once. This program has a malloc of its own before the C library's, which refuses one thread what it shall be refused.
#include <cerrno>
#include <cstdlib>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "adapters/zeromq_plugin/libzmq.h"
#include "adapters/zeromq_plugin/test_sockets.h"

namespace {

constexpr std::size_t no_limit = std::numeric_limits<std::size_t>::max();
thread_local constinit std::size_t allocations_left = no_limit;

}  // namespace

extern "C" void* __libc_malloc(std::size_t size);  // NOLINT: glibc's own
extern "C" void* malloc(std::size_t size) {
  if (allocations_left == 0) {
    errno = ENOMEM;
    return nullptr;
  }
  if (allocations_left != no_limit) --allocations_left;
  return __libc_malloc(size);
}

namespace weir::zmq_plugin {
namespace {

using zmq::socket_type;

// This thread gets so much memory by malloc and no more while it lives.
class AllocationLimit {
 public:
  explicit AllocationLimit(std::size_t count) { allocations_left = count; }
  ~AllocationLimit() { allocations_left = no_limit; }
  AllocationLimit(const AllocationLimit&) = delete;
  AllocationLimit& operator=(const AllocationLimit&) = delete;
};

// libzmq itself ends a process that has no memory for a socket: it has what it asks for while this lives.
class SparedLibzmq {
 public:
  SparedLibzmq() {
    table_.socket = [](void* context, int type) {
      const std::size_t left = std::exchange(allocations_left, no_limit);
      void* const socket = before().socket(context, type);
      allocations_left = left;
      return socket;
    };
    table_.close = [](void* socket) {
      const std::size_t left = std::exchange(allocations_left, no_limit);
      const int result = before().close(socket);
      allocations_left = left;
      return result;
    };
    internal::found_libzmq = &table_;
  }
  ~SparedLibzmq() { internal::found_libzmq = &before(); }
  SparedLibzmq(const SparedLibzmq&) = delete;
  SparedLibzmq& operator=(const SparedLibzmq&) = delete;

 private:
  static const Libzmq& before() {
    static const Libzmq& native = libzmq();
    return native;
  }
  Libzmq table_ = before();
};

class ScarceAllocations : public Sockets {
 protected:
  // Makes a call of libzmq's interface with 0, 1, 2, … allocations left until it is not refused, and calls `refused`
  // after each time that it was. How often it was.
  template <class Call, class Refused>
  static int with_ever_more(const Call& call, const Refused& refused, int other_error = ENOMEM) {
    constexpr int plenty = 1000;
    for (int left = 0; left < plenty; ++left) {
      SCOPED_TRACE(left);
      int result = 0;
      int error = 0;
      {
        const AllocationLimit limit(static_cast<std::size_t>(left));
        result = call();
        error = errno;
      }
      if (result >= 0) return left;
      EXPECT_TRUE(error == ENOMEM || error == other_error) << error;
      refused();
      if (HasFailure()) return left;
    }
    ADD_FAILURE() << "it was refused to the last";
    return plenty;
  }
  static void nothing() {}

  // The next frame, received after all the refusals that can be. What could not be looked for is told as not there.
  static std::string receive_after_refusals(zmq::socket_t& socket, int& refusals) {
    zmq::message_t message;
    refusals += with_ever_more([&] { return zmq_msg_recv(message.handle(), socket.handle(), ZMQ_DONTWAIT); },
                               [&] { EXPECT_EQ(message.size(), 0U); }, EAGAIN);
    return message.to_string();
  }
  static int send_with_refusals(zmq::socket_t& socket, const std::string& text, int flags) {
    return with_ever_more([&] { return zmq_send(socket.handle(), text.data(), text.size(), flags); }, nothing);
  }
};

TEST_F(ScarceAllocations, WhatCannotBeGivenOutIsReceivedLater) {
  zmq::socket_t publisher = bound(socket_type::pub, shm());
  zmq::socket_t subscriber = this->subscriber(shm());
  int refusals = 0;
  for (const std::size_t size : {10U, 100U, 4'000U, 5'000U, 100'000U}) {
    const std::string content(size, 'x');
    send(publisher, content);
    send(publisher, Texts{content, "", content});
    EXPECT_TRUE(receive_after_refusals(subscriber, refusals) == content) << size;
    for (const std::string& frame : Texts{content, "", content}) {
      EXPECT_TRUE(receive_after_refusals(subscriber, refusals) == frame) << size;
    }
    EXPECT_FALSE(subscriber.get(zmq::sockopt::rcvmore));
    EXPECT_TRUE(has_nothing(subscriber));
  }
  EXPECT_GE(refusals, 12) << "at least each frame of more than a message holds in itself";
}

TEST_F(ScarceAllocations, SubscriptionsThatCannotBeHeardAreHeardLater) {
  zmq::socket_t publisher = bound(socket_type::xpub, shm());
  const Texts prefixes{std::string(100, 'a'), std::string(100, 'b'), std::string(100, 'c')};
  int refusals = 0;
  {
    zmq::socket_t subscriber = this->subscriber(shm(), {prefixes[0], prefixes[1], prefixes[2]});
    for (const std::string& prefix : prefixes) {
      EXPECT_EQ(receive_after_refusals(publisher, refusals), subscription(prefix));
    }
    EXPECT_TRUE(has_nothing(publisher));
  }
  for (const std::string& prefix : prefixes) {
    EXPECT_EQ(receive_after_refusals(publisher, refusals), unsubscription(prefix));
  }
  EXPECT_TRUE(has_nothing(publisher));
  EXPECT_GE(refusals, 12);
}

TEST_F(ScarceAllocations, WhatWasRefusedWasSentToNobodyAndWhatWasNotOnce) {
  for (const bool never_drops : {false, true}) {
    zmq::socket_t publisher = make(socket_type::pub);
    publisher.set(zmq::sockopt::xpub_nodrop, never_drops);
    publisher.bind(shm());
    zmq::socket_t subscriber = this->subscriber(shm());
    int refusals = 0;
    for (const std::size_t size : {10U, 100U, 5'000U, 20'000U, 100'000U}) {
      const std::string content(size, 'x');
      refusals += send_with_refusals(publisher, content, 0);
      EXPECT_TRUE(receive(subscriber) == content) << size;
      refusals += send_with_refusals(publisher, content, ZMQ_SNDMORE);
      refusals += send_with_refusals(publisher, content, ZMQ_SNDMORE);
      refusals += send_with_refusals(publisher, content, 0);
      EXPECT_TRUE(receive_frames(subscriber) == (Texts{content, content, content})) << size;
      EXPECT_TRUE(has_nothing(subscriber)) << size;
    }
    EXPECT_GE(refusals, 12);
  }
}

TEST_F(ScarceAllocations, WhatTheFirstOfTwoPlacesHasIsNotRefused) {
  zmq::socket_t publisher = make(socket_type::pub);
  publisher.set(zmq::sockopt::xpub_nodrop, true);
  publisher.set(zmq::sockopt::sndtimeo, 1);
  publisher.bind(shm("one"));
  publisher.bind(shm("two"));
  zmq::socket_t at_one = subscriber(shm("one"));
  zmq::socket_t at_two = subscriber(shm("two"));
  int refusals = 0;
  for (const std::size_t size : {10U, 100U, 5'000U, 20'000U, 100'000U}) {
    const std::string content(size, 'x');
    refusals += with_ever_more([&] { return zmq_send(publisher.handle(), content.data(), size, ZMQ_DONTWAIT); },
                               [&] { EXPECT_TRUE(has_nothing(at_one) && has_nothing(at_two)); });
    EXPECT_TRUE(receive(at_one) == content) << size;
    EXPECT_TRUE(has_nothing(at_one)) << "it came twice";
    // It may have been waited for in vain.
    static_cast<void>(receive(at_two, zmq::recv_flags::dontwait));
    EXPECT_TRUE(has_nothing(at_two)) << "it came twice";
    send(publisher, content);
    EXPECT_TRUE(receive(at_one) == content) << size;
    EXPECT_TRUE(receive(at_two) == content) << size;
  }
  EXPECT_GE(refusals, 1);
}

TEST_F(ScarceAllocations, BindingIsRefusedAndWorksLater) {
  for (const socket_type type : {socket_type::pub, socket_type::xpub, socket_type::sub}) {
    zmq::socket_t socket = make(type);
    if (type == socket_type::sub) socket.set(zmq::sockopt::subscribe, "");
    const std::string endpoint = shm();
    const auto refused = [&] { EXPECT_EQ(error_of([&] { socket.unbind(endpoint); }), ENOENT); };
    EXPECT_GE(with_ever_more([&] { return zmq_bind(socket.handle(), endpoint.c_str()); }, refused), 10);
    zmq::socket_t peer = type == socket_type::sub ? connected(socket_type::pub, endpoint) : subscriber(endpoint);
    zmq::socket_t& publisher = type == socket_type::sub ? peer : socket;
    zmq::socket_t& receiver = type == socket_type::sub ? socket : peer;
    send(publisher, "text");
    EXPECT_EQ(receive(receiver), "text");
  }
}

// More than are remembered without further memory.
TEST_F(ScarceAllocations, ASocketIsMadeWholeOrNotAtAll) {
  const SparedLibzmq spared;
  std::vector<void*> subscribers(100);
  int refusals = 0;
  for (void*& subscriber : subscribers) {
    const auto make_one = [&] {
      subscriber = zmq_socket(context_.handle(), ZMQ_XSUB);
      return subscriber == nullptr ? -1 : 0;
    };
    refusals += with_ever_more(make_one, [&] {
      // Which likely lies where the refused one was: libzmq alone says what it can.
      void* const other = zmq_socket(context_.handle(), ZMQ_SUB);
      EXPECT_EQ(zmq_send(other, "", 0, 0), -1);
      EXPECT_EQ(zmq_errno(), ENOTSUP);
      zmq_close(other);
    });
  }
  EXPECT_GE(refusals, 200);
  zmq::socket_t publisher = bound(socket_type::xpub, shm());
  EXPECT_EQ(zmq_connect(subscribers.back(), shm().c_str()), 0);
  EXPECT_EQ(zmq_send(subscribers.back(), "\1a", 2, 0), 2);
  EXPECT_EQ(receive(publisher), subscription("a"));
  for (void* const subscriber : subscribers) zmq_close(subscriber);
}

TEST_F(ScarceAllocations, WhatWasRefusedIsNotBoundHoweverManySocketsThereAre) {
  std::vector<zmq::socket_t> publishers;
  for (int number = 0; number < 40; ++number) {
    zmq::socket_t& publisher = publishers.emplace_back(make(socket_type::pub));
    const std::string endpoint = shm(std::to_string(number));
    with_ever_more([&] { return zmq_bind(publisher.handle(), endpoint.c_str()); },
                   [&] { EXPECT_EQ(error_of([&] { publisher.unbind(endpoint); }), ENOENT); });
  }
}

}  // namespace
}  // namespace weir::zmq_plugin
