// Waiting: for messages, in polls, and until the context ends.
#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <chrono>
#include <string>
#include <thread>

#include "adapters/zeromq_plugin/libzmq.h"
#include "adapters/zeromq_plugin/test_sockets.h"

namespace weir::zmq_plugin {
namespace {

using zmq::socket_type;
using Waiting = Sockets;

TEST_F(Waiting, AReceiveSleepsUntilAMessageComes) {
  zmq::socket_t publisher = bound(socket_type::pub, shm());
  zmq::socket_t subscriber = this->subscriber(shm());
  std::atomic<pid_t> thread{0};
  std::jthread receiver([&] {
    thread = gettid();
    for (int number = 0; number < 20; ++number) EXPECT_EQ(receive(subscriber), std::to_string(number));
  });
  while (thread == 0) std::this_thread::yield();
  for (int number = 0; number < 20; ++number) {
    until_asleep(thread);
    send(publisher, std::to_string(number));
  }
}

// Looking through what does not match takes some ten times as long as the receive may.
TEST_F(Waiting, TimeoutsEndItAlsoAmongMessagesThatDoNotMatch) {
  constexpr int count = 250'000;
  const auto make_roomy = [&](socket_type type) {
    zmq::socket_t socket = make(type);
    socket.set(zmq::sockopt::sndhwm, count);
    socket.set(zmq::sockopt::rcvhwm, count);
    return socket;
  };
  zmq::socket_t publisher = make_roomy(socket_type::pub);
  publisher.bind(shm());
  zmq::socket_t subscriber = make_roomy(socket_type::sub);
  subscriber.connect(shm());
  subscriber.set(zmq::sockopt::subscribe, "a");
  subscriber.set(zmq::sockopt::rcvtimeo, 1);
  for (int number = 0; number < count; ++number) send(publisher, "b");
  send(publisher, "a");
  EXPECT_EQ(receive(subscriber), "") << "it was looked for beyond the time";
  subscriber.set(zmq::sockopt::rcvtimeo, static_cast<int>(soon.count()));
  EXPECT_EQ(receive(subscriber), "a");
}

TEST_F(Waiting, TimeoutsEndIt) {
  zmq::socket_t subscriber = this->subscriber(shm());
  subscriber.set(zmq::sockopt::rcvtimeo, 50);
  const auto begin = std::chrono::steady_clock::now();
  zmq::message_t message;
  EXPECT_FALSE(subscriber.recv(message));
  EXPECT_GE(std::chrono::steady_clock::now() - begin, std::chrono::milliseconds(50));
  subscriber.set(zmq::sockopt::rcvtimeo, 0);
  EXPECT_FALSE(subscriber.recv(message));
}

TEST_F(Waiting, ASignalInterruptsIt) {
  zmq::socket_t subscriber = this->subscriber(shm());
  struct sigaction action {};
  action.sa_handler = [](int) {};
  sigaction(SIGUSR1, &action, nullptr);
  std::atomic<pid_t> thread{0};
  std::atomic<bool> done{false};
  std::jthread receiver([&] {
    thread = gettid();
    std::array<char, 8> buffer{};
    EXPECT_EQ(zmq_recv(subscriber.handle(), buffer.data(), buffer.size(), 0), -1);
    EXPECT_EQ(zmq_errno(), EINTR);
    done = true;
  });
  while (thread == 0) std::this_thread::yield();
  while (!done) {
    until_asleep(thread);
    if (!done) pthread_kill(receiver.native_handle(), SIGUSR1);
  }
}

TEST_F(Waiting, APollSeesSharedMemoryConnectionsAndFilesAlike) {
  zmq::socket_t by_shm = bound(socket_type::pub, shm());
  zmq::socket_t by_tcp = bound(socket_type::xpub, "tcp://127.0.0.1:*");
  zmq::socket_t one = subscriber(shm(), {"a"});
  zmq::socket_t two = subscriber(by_tcp.get(zmq::sockopt::last_endpoint));
  EXPECT_EQ(receive(by_tcp), subscription(""));
  std::array<int, 2> pipe{};
  ASSERT_EQ(::pipe(pipe.data()), 0);
  std::array<zmq_pollitem_t, 3> items{
      {{one.handle(), 0, ZMQ_POLLIN, 0}, {two.handle(), 0, ZMQ_POLLIN, 0}, {nullptr, pipe[0], ZMQ_POLLIN, 0}}};
  EXPECT_EQ(zmq_poll(items.data(), 3, 0), 0);
  for (int round = 0; round < 100; ++round) {
    const auto which = static_cast<std::size_t>(round % 3);
    std::jthread other([&] {
      if (which == 0) send(by_shm, "b: not subscribed");
      if (which == 0) send(by_shm, "a" + std::to_string(round));
      if (which == 1) send(by_tcp, std::to_string(round));
      if (which == 2) {
        EXPECT_EQ(write(pipe[1], "x", 1), 1);
      }
    });
    ASSERT_EQ(zmq_poll(items.data(), 3, 60'000), 1) << round;
    ASSERT_NE(items[which].revents & ZMQ_POLLIN, 0) << round;
    char byte = 0;
    if (which == 0) {
      EXPECT_EQ(receive(one), "a" + std::to_string(round));
    } else if (which == 1) {
      EXPECT_EQ(receive(two), std::to_string(round));
    } else {
      EXPECT_EQ(read(pipe[0], &byte, 1), 1);
    }
  }
  EXPECT_EQ(zmq_poll(items.data(), 3, 0), 0);
  ::close(pipe[0]);
  ::close(pipe[1]);
}

TEST_F(Waiting, TheEndOfTheContextWakesWhoeverWaits) {
  zmq::socket_t publisher = make(socket_type::pub);
  publisher.set(zmq::sockopt::xpub_nodrop, true);
  publisher.set(zmq::sockopt::sndtimeo, -1);
  publisher.bind(shm());
  zmq::socket_t slow = this->subscriber(shm());
  zmq::socket_t subscriber = this->subscriber(shm("other"));
  subscriber.set(zmq::sockopt::rcvtimeo, -1);
  std::atomic<int> woken{0};
  std::jthread receiver([&] {
    zmq::message_t message;
    EXPECT_EQ(error_of([&] { static_cast<void>(subscriber.recv(message)); }), ETERM);
    ++woken;
    subscriber.close();
  });
  std::atomic<int> sent{0};
  std::jthread sender([&] {
    EXPECT_EQ(error_of([&] {
                while (publisher.send(zmq::str_buffer("more"), zmq::send_flags::none)) ++sent;
              }),
              ETERM);
    ++woken;
    publisher.close();
    slow.close();
  });
  while (sent < 2000) std::this_thread::yield();  // all that there is room for
  context_.shutdown();
  receiver.join();
  sender.join();
  EXPECT_EQ(woken, 2);
}

// As when it was made by one thread while another ended the context.
TEST_F(Waiting, ASocketThatWasNotToldOfTheEndOfItsContextFindsOut) {
  zmq::socket_t publisher = make(socket_type::pub);
  publisher.set(zmq::sockopt::xpub_nodrop, true);
  publisher.set(zmq::sockopt::sndtimeo, -1);
  publisher.bind(shm());
  zmq::socket_t slow = this->subscriber(shm());
  while (publisher.send(zmq::str_buffer("x"), zmq::send_flags::dontwait)) {
  }
  std::atomic<pid_t> thread{0};
  std::jthread sender([&] {
    thread = gettid();
    EXPECT_EQ(error_of([&] { static_cast<void>(publisher.send(zmq::str_buffer("x"), zmq::send_flags::none)); }), ETERM);
  });
  while (thread == 0) std::this_thread::yield();
  until_asleep(thread);
  ASSERT_EQ(libzmq().ctx_shutdown(context_.handle()), 0);
  sender.join();
  EXPECT_EQ(error_of([&] { publisher.bind(shm("other")); }), ETERM);
}

TEST_F(Waiting, AForkedChildIsToldThatTheSocketIsNotItsOwn) {
  zmq::socket_t publisher = bound(socket_type::pub, shm());
  zmq::socket_t subscriber = this->subscriber(shm());
  send(publisher, std::string(100'000, 'x'));
  zmq::message_t inherited;
  ASSERT_TRUE(subscriber.recv(inherited));
  send(publisher, "parent's");
  const pid_t child = fork();
  if (child == 0) {
    std::array<char, 8> buffer{};
    const bool refused = zmq_recv(subscriber.handle(), buffer.data(), buffer.size(), 0) == -1 &&
                         zmq_errno() == ENOTSOCK && zmq_send(publisher.handle(), "x", 1, 0) == -1 &&
                         zmq_errno() == ENOTSOCK;
    const bool readable = static_cast<char*>(inherited.data())[99'999] == 'x';
    inherited.rebuild();
    // A context of its own works.
    void* const context = zmq_ctx_new();
    void* const own = zmq_socket(context, ZMQ_PUB);
    const bool sends = zmq_connect(own, shm().c_str()) == 0 && zmq_send(own, "child's", 7, 0) == 7;
    zmq_close(own);
    _exit(refused && readable && sends ? 0 : 1);
  }
  int status = -1;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  Texts received{receive(subscriber), receive(subscriber)};
  std::sort(received.begin(), received.end());
  EXPECT_EQ(received, (Texts{"child's", "parent's"}));
}

TEST_F(Waiting, WhateverAForkedChildDoesWithItItsParentIsWokenAndWaitsAsEver) {
  zmq::socket_t publisher = bound(socket_type::pub, shm());
  zmq::socket_t subscriber = this->subscriber(shm());
  subscriber.set(zmq::sockopt::rcvtimeo, 50);
  EXPECT_EQ(receive(subscriber), "");
  const int descriptor = subscriber.get(zmq::sockopt::fd);
  EXPECT_EQ(subscriber.get(zmq::sockopt::events) & ZMQ_POLLIN, 0);
  send(publisher, "before");
  const pid_t child = fork();
  if (child == 0) {
    alarm(60);
    const auto is_refused = [](int result) { return result == -1 && zmq_errno() == ENOTSOCK; };
    zmq_pollitem_t item{subscriber.handle(), 0, ZMQ_POLLIN, 0};
    const bool polls = !is_refused(zmq_poll(&item, 1, 0));
    const bool connects = !is_refused(zmq_connect(subscriber.handle(), shm("other").c_str()));
    const bool disconnects = !is_refused(zmq_disconnect(subscriber.handle(), shm().c_str()));
    const bool subscribes = !is_refused(zmq_setsockopt(subscriber.handle(), ZMQ_SUBSCRIBE, "x", 1));
    const bool monitors = !is_refused(zmq_socket_monitor(subscriber.handle(), "inproc://x", ZMQ_EVENT_ALL));
    zmq_close(subscriber.handle());
    zmq_close(publisher.handle());
    zmq_ctx_term(context_.handle());
    _exit((polls ? 1 : 0) + (connects ? 2 : 0) + (disconnects ? 4 : 0) + (subscribes ? 8 : 0) + (monitors ? 16 : 0));
  }
  int status = -1;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  EXPECT_TRUE(becomes_readable(descriptor)) << "the child has not looked at it";
  EXPECT_EQ(receive(subscriber), "before");
  EXPECT_EQ(subscriber.get(zmq::sockopt::events) & ZMQ_POLLIN, 0);
  EXPECT_FALSE(is_readable(descriptor)) << "the context ended for the child alone";
  EXPECT_EQ(receive(subscriber), "");
  std::atomic<pid_t> thread{0};
  subscriber.set(zmq::sockopt::rcvtimeo, static_cast<int>(soon.count()));
  std::jthread receiver([&] {
    thread = gettid();
    EXPECT_EQ(receive(subscriber), "after");
  });
  while (thread == 0) std::this_thread::yield();
  until_asleep(thread);
  send(publisher, "after");
  receiver.join();
  zmq::socket_t other = make(socket_type::pub);
  EXPECT_EQ(error_of([&] { other.bind(shm()); }), EADDRINUSE) << "it is still bound";
}

}  // namespace
}  // namespace weir::zmq_plugin
