// What zmq_socket_monitor tells of shm:// endpoints.
#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include <chrono>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>

#include "adapters/zeromq_plugin/test_sockets.h"

namespace weir::zmq_plugin {
namespace {

using zmq::socket_type;

class Monitors : public Sockets {
 protected:
  zmq::socket_t monitor_of(zmq::socket_t& socket, const std::string& address) {
    EXPECT_EQ(zmq_socket_monitor(socket.handle(), address.c_str(), ZMQ_EVENT_ALL), 0);
    return connected(socket_type::pair, address);
  }
  // The next event's number; its endpoint is that of the test.
  int next(zmq::socket_t& monitor) {
    const Texts frames = receive_frames(monitor);
    EXPECT_EQ(frames.size(), 2U);
    std::uint16_t number = 0;
    if (frames.size() == 2 && frames[0].size() == 6) std::memcpy(&number, frames[0].data(), sizeof(number));
    return number;
  }
};

TEST_F(Monitors, ABinderIsToldWhoComesAndGoes) {
  zmq::socket_t publisher = make(socket_type::pub);
  zmq::socket_t monitor = monitor_of(publisher, "inproc://binder");
  publisher.bind(shm());
  EXPECT_EQ(next(monitor), ZMQ_EVENT_LISTENING);
  zmq::socket_t subscriber = this->subscriber(shm(), {});
  EXPECT_EQ(next(monitor), ZMQ_EVENT_ACCEPTED);
  EXPECT_EQ(next(monitor), ZMQ_EVENT_HANDSHAKE_SUCCEEDED);
  subscriber.close();
  EXPECT_EQ(next(monitor), ZMQ_EVENT_DISCONNECTED);
  publisher.unbind(shm());
  EXPECT_EQ(next(monitor), ZMQ_EVENT_CLOSED);
  publisher.close();
  EXPECT_EQ(next(monitor), ZMQ_EVENT_MONITOR_STOPPED);
}

// Whether a thread of this process blocks a signal; one that has ended meanwhile does.
bool blocks(const std::filesystem::path& thread, int signal) {
  std::ifstream status(thread / "status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with("SigBlk:")) return (std::stoull(line.substr(7), nullptr, 16) >> (signal - 1) & 1U) != 0;
  }
  return true;
}

TEST_F(Monitors, TheirThreadsTakeNoSignalsOfTheApplication) {
  zmq::socket_t publisher = bound(socket_type::pub, shm());
  zmq::socket_t monitor = monitor_of(publisher, "inproc://signals");
  EXPECT_EQ(next(monitor), ZMQ_EVENT_LISTENING);
  const auto others_take = [] {
    const std::string self = std::to_string(gettid());
    for (const auto& thread : std::filesystem::directory_iterator("/proc/self/task")) {
      if (thread.path().filename() != self && !blocks(thread.path(), SIGUSR1)) return true;
    }
    return false;
  };
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(10);  // libzmq's block them at last
  while (others_take() && std::chrono::steady_clock::now() < deadline) std::this_thread::yield();
  EXPECT_FALSE(others_take());
}

TEST_F(Monitors, AConnectedSocketIsToldOfItsPublisherAndOfConnectionsOfLibzmq) {
  zmq::socket_t subscriber = this->subscriber(shm());
  zmq::socket_t monitor = monitor_of(subscriber, "inproc://connected");
  {
    zmq::socket_t publisher = bound(socket_type::pub, shm());
    EXPECT_EQ(next(monitor), ZMQ_EVENT_CONNECTED);
    EXPECT_EQ(next(monitor), ZMQ_EVENT_HANDSHAKE_SUCCEEDED);
  }
  EXPECT_EQ(next(monitor), ZMQ_EVENT_DISCONNECTED);
  zmq::socket_t other = bound(socket_type::pub, ipc("socket"));
  subscriber.connect(ipc("socket"));
  EXPECT_EQ(next(monitor), ZMQ_EVENT_CONNECTED);
  EXPECT_EQ(next(monitor), ZMQ_EVENT_HANDSHAKE_SUCCEEDED);
}

TEST_F(Monitors, ASocketWithoutSharedMemoryIsToldWhatLibzmqTellsUntilItIsClosed) {
  zmq::socket_t publisher = make(socket_type::pub);
  zmq::socket_t monitor = monitor_of(publisher, "inproc://native");
  publisher.bind(ipc("socket"));
  EXPECT_EQ(next(monitor), ZMQ_EVENT_LISTENING);
  zmq::socket_t subscriber = this->subscriber(ipc("socket"));
  EXPECT_EQ(next(monitor), ZMQ_EVENT_ACCEPTED);
  EXPECT_EQ(next(monitor), ZMQ_EVENT_HANDSHAKE_SUCCEEDED);
  subscriber.close();
  EXPECT_EQ(next(monitor), ZMQ_EVENT_DISCONNECTED);
  publisher.close();
  EXPECT_EQ(next(monitor), ZMQ_EVENT_MONITOR_STOPPED);
}

// Threads that are made from now on want more address space than there is, as where it has run out.
class NoThreads {
 public:
  NoThreads() {
    pthread_getattr_default_np(&before_);
    pthread_attr_t attributes;
    pthread_getattr_default_np(&attributes);
    pthread_attr_setstacksize(&attributes, std::size_t{1} << 56U);
    pthread_setattr_default_np(&attributes);
    pthread_attr_destroy(&attributes);
  }
  ~NoThreads() {
    pthread_setattr_default_np(&before_);
    pthread_attr_destroy(&before_);
  }
  NoThreads(const NoThreads&) = delete;
  NoThreads& operator=(const NoThreads&) = delete;

 private:
  pthread_attr_t before_;
};

TEST_F(Monitors, OneWhoseThreadCannotStartIsRefusedAndAnotherTryWorks) {
  zmq::socket_t publisher = bound(socket_type::pub, shm());
  zmq::socket_t subscriber = this->subscriber(shm());
  {
    const NoThreads none;
    for (int tries = 0; tries < 3; ++tries) {
      EXPECT_EQ(zmq_socket_monitor(publisher.handle(), "inproc://refused", ZMQ_EVENT_ALL), -1);
      EXPECT_EQ(zmq_errno(), EAGAIN);
      send(publisher, "text");
      EXPECT_EQ(receive(subscriber), "text");
    }
  }
  zmq::socket_t monitor = monitor_of(publisher, "inproc://refused");
  EXPECT_EQ(next(monitor), ZMQ_EVENT_LISTENING);
  send(publisher, "text");
  EXPECT_EQ(receive(subscriber), "text");
}

}  // namespace
}  // namespace weir::zmq_plugin
