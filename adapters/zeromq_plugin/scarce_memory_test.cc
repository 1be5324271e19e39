// Endpoints whose memory is used up before their marks are reached, and file systems that are full: nothing is lost but
// what a plain PUB drops, nothing comes twice, and all goes on when there is memory again. WEIR_ZMQ_MEMORY is 4 MiB
// here.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "adapters/zeromq_plugin/test_sockets.h"
#include "transport/shm/test_processes.h"

namespace weir::zmq_plugin {
namespace {

using zmq::socket_type;

constexpr std::size_t message_size = std::size_t{512} << 10U;
constexpr int most_in_memory = 8;

class ScarceMemory : public Sockets {
 protected:
  ScarceMemory() {
    const char* const memory = std::getenv("WEIR_ZMQ_MEMORY");
    if (memory == nullptr || std::string_view(memory) != "4MiB") throw std::runtime_error("WEIR_ZMQ_MEMORY=4MiB");
  }
  zmq::socket_t lossless_publisher() {
    zmq::socket_t publisher = make(socket_type::pub);
    publisher.set(zmq::sockopt::xpub_nodrop, true);
    return publisher;
  }
  // Made here: neither what was sent before, nor lent memory.
  static std::string content(int number) { return std::string(message_size, static_cast<char>(number)); }
  static bool try_to_send(zmq::socket_t& publisher, int number) {
    return static_cast<bool>(publisher.send(zmq::buffer(content(number)), zmq::send_flags::dontwait));
  }
};

TEST_F(ScarceMemory, WhatFindsNoneIsRefusedAndGoesOutAfterATake) {
  zmq::socket_t publisher = lossless_publisher();
  publisher.bind(shm());
  zmq::socket_t subscriber = this->subscriber(shm());
  int sent = 0;
  for (int round = 0; round < 3; ++round) {
    const int before = sent;
    while (try_to_send(publisher, sent)) ++sent;
    EXPECT_EQ(zmq_errno(), EAGAIN);
    EXPECT_GT(sent, before);
    EXPECT_LE(sent - before, most_in_memory);
    for (int number = before; number < sent; ++number) EXPECT_TRUE(receive(subscriber) == content(number)) << number;
    EXPECT_TRUE(has_nothing(subscriber)) << "what was refused was received";
  }
}

TEST_F(ScarceMemory, WhatNeverFitsIsSaidToBeTooLargeAndNotWaitedFor) {
  constexpr std::size_t memory = std::size_t{4} << 20U;
  zmq::socket_t publisher = lossless_publisher();
  publisher.bind(shm());
  zmq::socket_t subscriber = this->subscriber(shm());
  bool is_too_large = false;
  for (std::size_t size = memory - 200; size < memory; ++size) {
    const std::string content(size, 'x');
    ASSERT_TRUE(publisher.send(zmq::str_buffer("first"), zmq::send_flags::sndmore));
    const int error = error_of([&] {
      if (!publisher.send(zmq::buffer(content), zmq::send_flags::dontwait)) throw zmq::error_t();
    });
    ASSERT_EQ(error, is_too_large || error != 0 ? EMSGSIZE : 0) << size;
    is_too_large = error != 0;
    if (!is_too_large) {
      ASSERT_EQ(receive_frames(subscriber).at(1).size(), size);
    }
  }
  EXPECT_TRUE(is_too_large);
}

TEST_F(ScarceMemory, APlainPublisherDropsWhatFindsNoneAndGoesOn) {
  zmq::socket_t publisher = bound(socket_type::pub, shm());
  zmq::socket_t subscriber = this->subscriber(shm());
  std::vector<zmq::message_t> held(most_in_memory + 1);
  for (int round = 0; round < 3; ++round) {
    // What an application holds cannot be overwritten.
    int received = 0;
    for (zmq::message_t& message : held) {
      send(publisher, content(received));
      if (!subscriber.recv(message, zmq::recv_flags::dontwait)) break;
      EXPECT_TRUE(message.to_string() == content(received)) << received;
      ++received;
    }
    EXPECT_GT(received, 0);
    EXPECT_LE(received, most_in_memory);
    for (zmq::message_t& message : held) message.rebuild();
  }
}

TEST_F(ScarceMemory, TheLastFrameOfAMessageWaitsAndCanBeSentAgain) {
  zmq::socket_t publisher = lossless_publisher();
  publisher.bind(shm());
  zmq::socket_t subscriber = this->subscriber(shm());
  int sent = 0;
  while (try_to_send(publisher, sent)) ++sent;
  publisher.set(zmq::sockopt::sndtimeo, 20);
  ASSERT_TRUE(publisher.send(zmq::str_buffer("first"), zmq::send_flags::sndmore));
  EXPECT_FALSE(publisher.send(zmq::buffer(content(sent)), zmq::send_flags::none));
  for (int number = 0; number < sent; ++number) EXPECT_TRUE(receive(subscriber) == content(number)) << number;
  EXPECT_TRUE(has_nothing(subscriber));
  send(publisher, content(sent));
  EXPECT_TRUE(receive_frames(subscriber) == (Texts{"first", content(sent)}));
  EXPECT_TRUE(has_nothing(subscriber));
}

TEST_F(ScarceMemory, AMessageWhoseEndWasRefusedCanBeGivenUpForAnother) {
  zmq::socket_t publisher = lossless_publisher();
  publisher.bind(shm());
  zmq::socket_t subscriber = this->subscriber(shm());
  int sent = 0;
  while (try_to_send(publisher, sent)) ++sent;
  publisher.set(zmq::sockopt::sndtimeo, -1);
  ASSERT_TRUE(publisher.send(zmq::str_buffer("given up"), zmq::send_flags::sndmore));
  EXPECT_FALSE(try_to_send(publisher, sent)) << "who asks not to wait does not wait";
  for (int number = 0; number < sent; ++number) EXPECT_TRUE(receive(subscriber) == content(number)) << number;
  send(publisher, Texts{"another", "message"});
  EXPECT_EQ(receive_frames(subscriber), (Texts{"another", "message"}));
  EXPECT_TRUE(has_nothing(subscriber));
}

TEST_F(ScarceMemory, MessagesThatAreMadeAndKeptLeaveRoomForThoseThatAreSent) {
  zmq::socket_t publisher = bound(socket_type::pub, shm());
  zmq::socket_t subscriber = this->subscriber(shm());
  std::vector<zmq::message_t> pool;
  for (int number = 0; number < 2 * most_in_memory; ++number) {
    // Each thread's next large message is made where its last one was sent.
    send(publisher, content(number));
    EXPECT_TRUE(receive(subscriber) == content(number)) << number;
    zmq::message_t& made = pool.emplace_back(message_size);
    std::memset(made.data(), number, made.size());
  }
  for (int number = 0; number < 2 * most_in_memory; ++number) {
    zmq::message_t shared;
    shared.copy(pool[static_cast<std::size_t>(number)]);
    ASSERT_TRUE(publisher.send(shared, zmq::send_flags::none));
    EXPECT_TRUE(receive(subscriber) == content(number)) << number;
  }
}

TEST_F(ScarceMemory, WhatTheFirstOfTwoPlacesHasWaitsForTheSecondAndComesOnce) {
  zmq::socket_t publisher = lossless_publisher();
  publisher.bind(shm("one"));
  publisher.bind(shm("two"));
  zmq::socket_t at_one = subscriber(shm("one"));
  zmq::socket_t at_two = subscriber(shm("two"));
  constexpr int count = 100;
  const std::jthread sender([&] {
    for (int number = 0; number < count; ++number) {
      // Refused is what nobody has: it is sent once more.
      if (!try_to_send(publisher, number)) send(publisher, content(number));
    }
  });
  // The first one beyond what the second place has memory for: one has it, two cannot.
  int number = 0;
  for (; number <= most_in_memory; ++number) ASSERT_TRUE(receive(at_one) == content(number)) << number;
  const std::jthread reader([&] {
    for (int later = 0; later < count; ++later) ASSERT_TRUE(receive(at_two) == content(later)) << later;
  });
  for (; number < count; ++number) ASSERT_TRUE(receive(at_one) == content(number)) << number;
}

TEST_F(ScarceMemory, ThePlaceThatIsWaitedForInVainLosesItAndNoOther) {
  zmq::socket_t publisher = lossless_publisher();
  publisher.set(zmq::sockopt::sndtimeo, 20);
  publisher.bind(shm("one"));
  publisher.bind(shm("two"));
  zmq::socket_t at_one = subscriber(shm("one"));
  zmq::socket_t at_two = subscriber(shm("two"));
  for (int number = 0; number < 2 * most_in_memory; ++number) {
    EXPECT_TRUE(try_to_send(publisher, number)) << number;
    EXPECT_TRUE(receive(at_one) == content(number)) << number;
    EXPECT_TRUE(has_nothing(at_one)) << "it came twice";
  }
  zmq::message_t message;
  int received = 0;
  for (; at_two.recv(message, zmq::recv_flags::dontwait); ++received) {
    EXPECT_TRUE(message.to_string() == content(received)) << received;
  }
  message.rebuild();
  EXPECT_GT(received, 0);
  EXPECT_LE(received, most_in_memory);
  EXPECT_TRUE(try_to_send(publisher, 99));
  EXPECT_TRUE(receive(at_one) == content(99));
  EXPECT_TRUE(receive(at_two) == content(99));
}

// Another program's file, which takes all that is left of a file system.
class Glutton {
 public:
  explicit Glutton(std::string path) : path_(std::move(path)) {
    const int file = open(path_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    const std::vector<char> bytes(4096);
    while (write(file, bytes.data(), bytes.size()) > 0) {
    }
    ::close(file);
  }
  ~Glutton() { unlink(path_.c_str()); }
  Glutton(const Glutton&) = delete;
  Glutton& operator=(const Glutton&) = delete;

 private:
  std::string path_;
};

class FullFileSystem : public ScarceMemory {
 protected:
  // Runs `body`, which makes its sockets in a context of its own, in a child whose root is a small file system.
  void in_small_file_system(const std::function<void()>& body) {
    const std::string root = directory_.path("root");
    ASSERT_EQ(mkdir(root.c_str(), 0700), 0);
    shm::testing::in_private_mounts([&] {
      shm::testing::mount_tmpfs(root, "size=16m,mode=0700");
      context_ = zmq::context_t();
      body();
      context_ = zmq::context_t();
    });
  }
  [[nodiscard]] Glutton fill() const { return Glutton(directory_.path("root/glutton")); }
};

TEST_F(FullFileSystem, BindingIsRefusedAndWorksLater) {
  in_small_file_system([&] {
    zmq::socket_t publisher = make(socket_type::xpub);
    {
      const Glutton glutton = fill();
      EXPECT_EQ(error_of([&] { publisher.bind(shm()); }), ENOSPC);
    }
    publisher.bind(shm());
    zmq::socket_t subscriber = this->subscriber(shm());
    EXPECT_EQ(receive(publisher), subscription(""));
    send(publisher, "text");
    EXPECT_EQ(receive(subscriber), "text");
  });
}

TEST_F(FullFileSystem, ASubscriptionThatCannotBeSaidIsRefusedAndCanBeMadeLater) {
  in_small_file_system([&] {
    zmq::socket_t publisher = bound(socket_type::xpub, shm());
    zmq::socket_t subscriber = this->subscriber(shm(), {"short"});
    EXPECT_EQ(receive(publisher), subscription("short"));
    const std::string prefix(100'000, 'x');
    {
      const Glutton glutton = fill();
      EXPECT_EQ(error_of([&] { subscriber.set(zmq::sockopt::subscribe, prefix); }), ENOSPC);
      EXPECT_TRUE(has_nothing(publisher));
      send(publisher, "short text");
      EXPECT_EQ(receive(subscriber), "short text");
    }
    subscriber.set(zmq::sockopt::subscribe, prefix);
    EXPECT_TRUE(receive(publisher) == subscription(prefix));
    subscriber.set(zmq::sockopt::unsubscribe, prefix);
    EXPECT_TRUE(receive(publisher) == unsubscription(prefix)) << "what was refused counted";
  });
}

TEST_F(FullFileSystem, WhoLosesNothingIsRefusedAndOthersDrop) {
  in_small_file_system([&] {
    zmq::socket_t lossless = lossless_publisher();
    lossless.bind(shm("lossless"));
    zmq::socket_t plain = bound(socket_type::pub, shm("plain"));
    zmq::socket_t subscriber = this->subscriber(shm("lossless"));
    subscriber.connect(shm("plain"));
    {
      const Glutton glutton = fill();
      EXPECT_FALSE(try_to_send(lossless, 1));
      EXPECT_EQ(zmq_errno(), EAGAIN);
      EXPECT_TRUE(try_to_send(plain, 2));
      EXPECT_TRUE(has_nothing(subscriber));
      send(lossless, "small ones lie where there is memory");
      EXPECT_EQ(receive(subscriber), "small ones lie where there is memory");
    }
    for (zmq::socket_t* const publisher : {&lossless, &plain}) {
      EXPECT_TRUE(try_to_send(*publisher, 3));
      EXPECT_TRUE(receive(subscriber) == content(3));
      EXPECT_TRUE(has_nothing(subscriber));
    }
  });
}

}  // namespace
}  // namespace weir::zmq_plugin
