// What ZMQ_FD tells whoever waits on it, in all the ways there that libzmq allows.
#include <fcntl.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <set>
#include <string>
#include <thread>

#include "adapters/zeromq_plugin/test_sockets.h"
#include "transport/shm/layout.h"
#include "transport/shm/names.h"

namespace weir::zmq_plugin {
namespace {

using zmq::socket_type;
using Descriptor = Sockets;

TEST_F(Descriptor, TellsOfWhatIsNewUntilSomebodyLooks) {
  zmq::socket_t publisher = bound(socket_type::pub, shm());
  zmq::socket_t subscriber = this->subscriber(shm());
  const int descriptor = subscriber.get(zmq::sockopt::fd);
  EXPECT_EQ(subscriber.get(zmq::sockopt::events) & ZMQ_POLLIN, 0);
  EXPECT_FALSE(is_readable(descriptor));
  send(publisher, "1");
  send(publisher, "2");
  EXPECT_TRUE(becomes_readable(descriptor));
  EXPECT_NE(subscriber.get(zmq::sockopt::events) & ZMQ_POLLIN, 0);
  EXPECT_FALSE(is_readable(descriptor)) << "an event loop would spin on what it knows";
  EXPECT_EQ(receive(subscriber, zmq::recv_flags::dontwait), "1");
  EXPECT_NE(subscriber.get(zmq::sockopt::events) & ZMQ_POLLIN, 0);
  EXPECT_EQ(receive(subscriber, zmq::recv_flags::dontwait), "2");
  EXPECT_TRUE(has_nothing(subscriber));
  for (int number = 0; number < 200; ++number) {
    std::jthread other([&] { send(publisher, std::to_string(number)); });
    ASSERT_TRUE(becomes_readable(descriptor)) << number;
    std::string received;
    while (received.empty()) {
      if ((subscriber.get(zmq::sockopt::events) & ZMQ_POLLIN) != 0) {
        received = receive(subscriber, zmq::recv_flags::dontwait);
      } else {
        ASSERT_TRUE(becomes_readable(descriptor)) << number;
      }
    }
    ASSERT_EQ(received, std::to_string(number));
    ASSERT_TRUE(has_nothing(subscriber)) << "who has not seen the end may not wait";
  }
}

TEST_F(Descriptor, AskedForBeforeThereWasAnEndpointServesAllOfThem) {
  zmq::socket_t subscriber = make(socket_type::sub);
  const int descriptor = subscriber.get(zmq::sockopt::fd);
  subscriber.set(zmq::sockopt::subscribe, "");
  subscriber.connect(shm());
  zmq::socket_t publisher = bound(socket_type::pub, shm());
  static_cast<void>(subscriber.get(zmq::sockopt::events));
  send(publisher, "text");
  EXPECT_TRUE(becomes_readable(descriptor));
  EXPECT_EQ(subscriber.get(zmq::sockopt::fd), descriptor);
  EXPECT_EQ(receive(subscriber), "text");
}

TEST_F(Descriptor, TellsOfRoomOnceItWasAskedForAndNotAfterwards) {
  for (const socket_type type : {socket_type::pub, socket_type::xpub}) {
    for (const std::size_t size : {std::size_t{1}, std::size_t{64} * 1024}) {
      SCOPED_TRACE(std::to_string(static_cast<int>(type)) + " " + std::to_string(size));
      const std::string endpoint = shm(std::to_string(static_cast<int>(type)) + "-" + std::to_string(size));
      const std::string text(size, 'x');
      zmq::socket_t publisher = make(type);
      publisher.set(zmq::sockopt::xpub_nodrop, true);
      publisher.bind(endpoint);
      zmq::socket_t subscriber = this->subscriber(endpoint);
      if (type == socket_type::xpub) {
        EXPECT_EQ(receive(publisher), subscription(""));
      }
      const int descriptor = publisher.get(zmq::sockopt::fd);
      for (int round = 0; round < 3; ++round) {
        while (publisher.send(zmq::buffer(text), zmq::send_flags::dontwait)) {
        }
        ASSERT_EQ(publisher.get(zmq::sockopt::events) & ZMQ_POLLOUT, 0);
        ASSERT_FALSE(is_readable(descriptor));
        EXPECT_EQ(receive(subscriber), text);
        ASSERT_TRUE(becomes_readable(descriptor));
        ASSERT_NE(publisher.get(zmq::sockopt::events) & ZMQ_POLLOUT, 0);
        EXPECT_EQ(receive(subscriber), text);
        ASSERT_FALSE(is_readable(descriptor)) << "nobody waits for it";
      }
    }
  }
}

TEST_F(Descriptor, TellsOfWhatComesAfterAReceiveThatHadNoTime) {
  zmq::socket_t publisher = bound(socket_type::pub, shm());
  zmq::socket_t subscriber = this->subscriber(shm());
  subscriber.set(zmq::sockopt::rcvtimeo, 0);
  const int descriptor = subscriber.get(zmq::sockopt::fd);
  for (const char* const text : {"1", "2", "3"}) {
    static_cast<void>(subscriber.get(zmq::sockopt::events));
    send(publisher, text);
    ASSERT_TRUE(becomes_readable(descriptor)) << text;
    EXPECT_EQ(receive(subscriber), text);
    EXPECT_EQ(receive(subscriber), "");
    EXPECT_FALSE(is_readable(descriptor)) << "an event loop would spin";
  }
}

TEST_F(Descriptor, AskedForLateTellsOfWhatComes) {
  zmq::socket_t publisher = bound(socket_type::pub, shm());
  zmq::socket_t subscriber = this->subscriber(shm());
  std::atomic<pid_t> thread{0};
  std::jthread receiver([&] {
    thread = gettid();
    EXPECT_EQ(receive(subscriber), "1");
  });
  while (thread == 0) std::this_thread::yield();
  until_asleep(thread);
  send(publisher, "1");
  receiver.join();
  EXPECT_TRUE(has_nothing(subscriber));
  const int descriptor = subscriber.get(zmq::sockopt::fd);
  send(publisher, "2");
  EXPECT_TRUE(becomes_readable(descriptor));
  EXPECT_EQ(receive(subscriber, zmq::recv_flags::dontwait), "2");
}

TEST_F(Descriptor, TellsOfRoomAfterARefusal) {
  zmq::socket_t publisher = make(socket_type::pub);
  publisher.set(zmq::sockopt::xpub_nodrop, true);
  publisher.bind(shm());
  zmq::socket_t subscriber = this->subscriber(shm());
  const int descriptor = publisher.get(zmq::sockopt::fd);
  const std::string large(std::size_t{64} * 1024, 'x');
  for (int round = 0; round < 3; ++round) {
    ASSERT_NE(publisher.get(zmq::sockopt::events) & ZMQ_POLLOUT, 0);
    while (publisher.send(zmq::buffer(large), zmq::send_flags::dontwait)) {
    }
    ASSERT_FALSE(is_readable(descriptor));
    EXPECT_TRUE(receive(subscriber) == large);
    ASSERT_TRUE(becomes_readable(descriptor));
  }
}

class Spoilt : public Sockets {
 protected:
  using Files = std::set<std::filesystem::path>;

  [[nodiscard]] Files publishers() const {
    Files files;
    for (const auto& file : std::filesystem::directory_iterator(directory_.path("root/v1/feed"))) {
      const auto segment = shm::parse_segment_name(file.path().filename().string());
      if (segment && segment->role == Role::publisher) files.insert(file.path());
    }
    return files;
  }
  // As by a stray pointer of its process.
  static void overwrite_ring(const std::filesystem::path& path) {
    const int file = open(path.c_str(), O_RDWR | O_CLOEXEC);
    const std::string garbage(std::filesystem::file_size(path) - shm::slots_offset, '\xFF');
    EXPECT_EQ(pwrite(file, garbage.data(), garbage.size(), shm::slots_offset), static_cast<ssize_t>(garbage.size()));
    ::close(file);
  }
};

TEST_F(Spoilt, PublishersHideNoMessageOfAnother) {
  zmq::socket_t subscriber = this->subscriber(shm());
  zmq::socket_t publisher = connected(socket_type::pub, shm());
  EXPECT_TRUE(has_nothing(subscriber));
  const Files healthy = publishers();
  zmq::socket_t spoilt = connected(socket_type::pub, shm());
  std::atomic<pid_t> thread{0};
  std::jthread receiver([&] {
    thread = gettid();
    EXPECT_EQ(receive(subscriber), "text") << "which is there";
  });
  while (thread == 0) std::this_thread::yield();
  until_asleep(thread);
  for (const auto& path : publishers()) {
    if (!healthy.contains(path)) overwrite_ring(path);
  }
  send(publisher, "text");
}

}  // namespace
}  // namespace weir::zmq_plugin
