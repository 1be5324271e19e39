// What is sent arrives, whatever its frames and sizes, at those who want it.
#include "adapters/zeromq_plugin/messages.h"

#include <sys/uio.h>

#include <array>
#include <cstring>
#include <limits>
#include <string>

#include "adapters/zeromq_plugin/test_sockets.h"

namespace weir::zmq_plugin {
namespace {

using zmq::socket_type;
using Messages = Sockets;

TEST_F(Messages, EverySizeArrivesAsItWasSent) {
  zmq::socket_t publisher = bound(socket_type::pub, shm());
  zmq::socket_t subscriber = this->subscriber(shm());
  for (const std::size_t size : {0, 1, 33, 63, 64, 65, 4095, 4096, 4097, 100'000, 3'000'000}) {
    std::string content(size, 'x');
    for (std::size_t index = 0; index < size; ++index) content[index] = static_cast<char>(index * 7 + size);
    send(publisher, content);
    zmq::message_t message;
    ASSERT_TRUE(subscriber.recv(message)) << size;
    EXPECT_EQ(message.to_string(), content) << size;
    EXPECT_FALSE(message.more());
  }
}

TEST_F(Messages, FramesArriveTogetherAndInOrder) {
  zmq::socket_t publisher = bound(socket_type::pub, shm());
  zmq::socket_t subscriber = this->subscriber(shm());
  const std::string large(70'000, 'l');
  const std::string like_a_table("\0weirtab12345678", 16);
  for (const Texts& frames :
       {Texts{"topic", "payload"}, Texts{"", "payload"}, Texts{"topic", ""}, Texts{"", ""}, Texts{"a", "", "c"},
        Texts{large, "payload"}, Texts{"topic", large}, Texts{large, large, large}, Texts{like_a_table, "payload"},
        Texts{"1", "2", "3", "4", "5", "6", "7"}, Texts{like_a_table}}) {
    send(publisher, frames);
    EXPECT_EQ(receive_frames(subscriber), frames);
  }
  EXPECT_TRUE(has_nothing(subscriber));
}

TEST_F(Messages, ABufferGetsWhatFitsAndIsToldTheWhole) {
  zmq::socket_t publisher = bound(socket_type::pub, shm());
  zmq::socket_t subscriber = this->subscriber(shm());
  send(publisher, Texts{"0123456789", "next"});
  std::array<char, 4> buffer{};
  EXPECT_EQ(zmq_recv(subscriber.handle(), buffer.data(), buffer.size(), 0), 10);
  EXPECT_EQ(std::string_view(buffer.data(), buffer.size()), "0123");
  EXPECT_EQ(subscriber.get(zmq::sockopt::rcvmore), 1);
  EXPECT_EQ(zmq_recv(subscriber.handle(), buffer.data(), buffer.size(), 0), 4);
  EXPECT_EQ(std::string_view(buffer.data(), buffer.size()), "next");
  EXPECT_EQ(subscriber.get(zmq::sockopt::rcvmore), 0);
}

// The frames of the next message, by zmq_recviov.
Texts receive_vector(zmq::socket_t& socket) {
  std::array<iovec, 4> received{};
  size_t count = received.size();
  EXPECT_GE(zmq_recviov(socket.handle(), received.data(), &count, 0), 0);
  Texts texts;
  for (size_t index = 0; index < count; ++index) {
    texts.emplace_back(static_cast<char*>(received[index].iov_base), received[index].iov_len);
    free(received[index].iov_base);
  }
  return texts;
}

TEST_F(Messages, VectorsOfFramesGoAndCome) {
  for (const std::string& endpoint : {shm(), ipc("socket")}) {
    SCOPED_TRACE(endpoint);
    zmq::socket_t publisher = bound(socket_type::xpub, endpoint);
    zmq::socket_t subscriber = this->subscriber(endpoint);
    EXPECT_EQ(receive(publisher), subscription(""));
    std::string one = "one";
    std::string three = "three";
    std::array<iovec, 2> parts{{{one.data(), one.size()}, {three.data(), three.size()}}};
    EXPECT_EQ(zmq_sendiov(publisher.handle(), parts.data(), parts.size(), ZMQ_SNDMORE), 5);
    EXPECT_EQ(receive_vector(subscriber), (Texts{"one", "three"}));
    EXPECT_EQ(zmq_sendiov(publisher.handle(), parts.data(), parts.size(), 0), 5);
    EXPECT_EQ(receive_vector(subscriber), Texts{"one"});
    EXPECT_EQ(receive_vector(subscriber), Texts{"three"});
  }
}

TEST(Sizes, AreToldAsFarAsAnIntGoes) {
  constexpr std::size_t most = std::numeric_limits<int>::max();
  EXPECT_EQ(told(0), 0);
  EXPECT_EQ(told(most - 1), std::numeric_limits<int>::max() - 1);
  EXPECT_EQ(told(most), std::numeric_limits<int>::max());
  EXPECT_EQ(told(most + 1), std::numeric_limits<int>::max());
  EXPECT_EQ(told(2 * most + 2), std::numeric_limits<int>::max());
}

TEST_F(Messages, ASubscriberThatWasThereFirstLosesNothing) {
  zmq::socket_t subscriber = this->subscriber(shm());
  zmq::socket_t publisher = bound(socket_type::pub, shm());
  for (int number = 0; number < 1000; ++number) send(publisher, std::to_string(number));
  for (int number = 0; number < 1000; ++number) ASSERT_EQ(receive(subscriber), std::to_string(number));
}

TEST_F(Messages, EitherSideBindsAndManyPublishersMeetOneSubscriber) {
  zmq::socket_t subscriber = bound(socket_type::sub, shm());
  subscriber.set(zmq::sockopt::subscribe, "");
  zmq::socket_t one = connected(socket_type::pub, shm());
  zmq::socket_t two = connected(socket_type::pub, shm());
  send(one, "1");
  send(two, "2");
  Texts received{receive(subscriber), receive(subscriber)};
  std::sort(received.begin(), received.end());
  EXPECT_EQ(received, (Texts{"1", "2"}));
}

TEST_F(Messages, WhatAClosedPublisherSentIsStillThere) {
  zmq::socket_t subscriber = this->subscriber(shm());
  {
    zmq::socket_t publisher = bound(socket_type::pub, shm());
    send(publisher, "last words");
  }
  EXPECT_EQ(receive(subscriber), "last words");
  zmq::socket_t next = bound(socket_type::pub, shm());
  send(next, "first words");
  EXPECT_EQ(receive(subscriber), "first words");
}

TEST_F(Messages, SharedMemoryAndConnectionsOfLibzmqTakeTurnsOnOneSocket) {
  zmq::socket_t publisher = bound(socket_type::pub, shm());
  zmq::socket_t other = bound(socket_type::xpub, "tcp://127.0.0.1:*");
  zmq::socket_t subscriber = this->subscriber(shm());
  subscriber.connect(other.get(zmq::sockopt::last_endpoint));
  EXPECT_EQ(receive(other), subscription(""));
  zmq::socket_t witness = make(socket_type::sub);
  witness.connect(other.get(zmq::sockopt::last_endpoint));
  witness.set(zmq::sockopt::subscribe, "tcp");
  EXPECT_EQ(receive(other), subscription("tcp"));
  constexpr int count = 200;
  for (int number = 0; number < count; ++number) {
    send(publisher, Texts{"shm", std::to_string(number)});
    send(other, Texts{"tcp", std::to_string(number)});
  }
  // All that came over TCP is there, so that each turn has a choice.
  for (int number = 0; number < count; ++number) ASSERT_EQ(receive_frames(witness)[1], std::to_string(number));
  int by_shm = 0;
  int by_tcp = 0;
  for (int number = 0; number < 2 * count; ++number) {
    const Texts frames = receive_frames(subscriber);
    ASSERT_EQ(frames.size(), 2U);
    int& expected = frames[0] == "shm" ? by_shm : by_tcp;
    ASSERT_EQ(frames[1], std::to_string(expected++)) << frames[0];
  }
  EXPECT_EQ(by_shm, count);
  EXPECT_EQ(by_tcp, count);
}

TEST_F(Messages, APublisherReachesSharedMemoryAndConnectionsAtOnce) {
  zmq::socket_t publisher = bound(socket_type::xpub, shm());
  publisher.bind(ipc("socket"));
  zmq::socket_t by_shm = subscriber(shm());
  zmq::socket_t by_ipc = subscriber(ipc("socket"));
  EXPECT_EQ(receive(publisher), subscription(""));
  EXPECT_EQ(receive(publisher), subscription(""));
  const Texts frames{"topic", std::string(100'000, 'p')};
  send(publisher, frames);
  EXPECT_EQ(receive_frames(by_shm), frames);
  EXPECT_EQ(receive_frames(by_ipc), frames);
}

}  // namespace
}  // namespace weir::zmq_plugin
