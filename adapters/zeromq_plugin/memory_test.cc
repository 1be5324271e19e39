// Where messages lie: lent, given out in place, hoarded, and never twice.
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include <fmt/format.h>

#include "adapters/zeromq_plugin/test_sockets.h"

namespace weir::zmq_plugin {
namespace {

using zmq::socket_type;

class Memory : public Sockets {
 protected:
  // Whether that address lies in a file of this test.
  [[nodiscard]] bool is_shared(const void* address) const {
    std::ifstream maps("/proc/self/maps");
    const auto place = reinterpret_cast<std::uintptr_t>(address);
    for (std::string line; std::getline(maps, line);) {
      std::uintptr_t begin = 0;
      std::uintptr_t end = 0;
      if (std::sscanf(line.c_str(), "%lx-%lx", &begin, &end) == 2 && begin <= place && place < end) {
        return line.find(directory_.path()) != std::string::npos;
      }
    }
    return false;
  }
};

TEST_F(Memory, LargeMessagesAreReadWhereTheyWereWritten) {
  zmq::socket_t publisher = bound(socket_type::pub, shm());
  zmq::socket_t subscriber = this->subscriber(shm());
  send(publisher, std::string(100'000, '1'));
  zmq::message_t first;
  ASSERT_TRUE(subscriber.recv(first));
  EXPECT_TRUE(is_shared(first.data()));

  // A thread that sends large messages writes the next one to shared memory.
  zmq::message_t next(100'000);
  EXPECT_TRUE(is_shared(next.data()));
  std::memset(next.data(), '2', next.size());
  ASSERT_TRUE(publisher.send(next, zmq::send_flags::none));
  zmq::message_t second;
  ASSERT_TRUE(subscriber.recv(second));
  EXPECT_EQ(second.to_string(), std::string(100'000, '2'));
  EXPECT_EQ(first.to_string(), std::string(100'000, '1'));
}

TEST_F(Memory, AWrongGuessCostsACopyAndNothingElse) {
  zmq::socket_t publisher = bound(socket_type::pub, shm());
  zmq::socket_t subscriber = this->subscriber(shm());
  zmq::socket_t other = bound(socket_type::pub, shm("other"));
  zmq::socket_t others_subscriber = this->subscriber(shm("other"));
  zmq::socket_t one = bound(socket_type::pair, "inproc://pair");
  zmq::socket_t two = connected(socket_type::pair, "inproc://pair");
  for (int round = 0; round < 200; ++round) {
    const std::string content(100'000 + static_cast<std::size_t>(round), static_cast<char>('a' + round % 26));
    const auto make_message = [&] {
      send(publisher, "guess me");
      send(publisher, content);
      EXPECT_EQ(receive(subscriber), "guess me");
      EXPECT_EQ(receive(subscriber), content);
      return zmq::message_t(content.data(), content.size());
    };
    zmq::message_t to_pair = make_message();
    ASSERT_TRUE(one.send(to_pair, zmq::send_flags::none));
    zmq::message_t to_other = make_message();
    ASSERT_TRUE(other.send(to_other, zmq::send_flags::none));
    const zmq::message_t to_nobody = make_message();
    EXPECT_EQ(receive(two), content);
    EXPECT_EQ(receive(others_subscriber), content);
  }
}

TEST_F(Memory, WhoKeepsACopyOfWhatItSendsKeepsWhatItSent) {
  zmq::socket_t publisher = bound(socket_type::pub, shm());
  zmq::socket_t subscriber = this->subscriber(shm());
  send(publisher, std::string(100'000, '0'));
  EXPECT_EQ(receive(subscriber), std::string(100'000, '0'));
  zmq::message_t message(100'000);
  std::memset(message.data(), '1', message.size());
  zmq::message_t kept;
  kept.copy(message);
  ASSERT_TRUE(publisher.send(message, zmq::send_flags::none));
  for (int number = 0; number < 3000; ++number) {
    send(publisher, std::string(100'000, '2'));
    if (number == 0) {
      EXPECT_EQ(receive(subscriber), std::string(100'000, '1'));
    }
    EXPECT_EQ(receive(subscriber), std::string(100'000, '2'));
  }
  EXPECT_EQ(kept.to_string(), std::string(100'000, '1'));
}

TEST_F(Memory, HoardersGetCopiesAndNobodyIsHarmed) {
  zmq::socket_t publisher = make(socket_type::pub);
  publisher.set(zmq::sockopt::xpub_nodrop, true);
  publisher.bind(shm());
  zmq::socket_t subscriber = this->subscriber(shm());
  std::vector<zmq::message_t> hoard(300);
  for (std::size_t number = 0; number < hoard.size(); ++number) {
    send(publisher, std::string(50'000, static_cast<char>(number)));
    ASSERT_TRUE(subscriber.recv(hoard[number]));
  }
  const auto in_place = std::count_if(hoard.begin(), hoard.end(),
                                      [this](const zmq::message_t& message) { return is_shared(message.data()); });
  EXPECT_EQ(in_place, 64);
  for (std::size_t number = 0; number < hoard.size(); ++number) {
    EXPECT_EQ(hoard[number].to_string(), std::string(50'000, static_cast<char>(number)));
  }
  hoard.clear();
  send(publisher, std::string(50'000, 'x'));
  zmq::message_t message;
  ASSERT_TRUE(subscriber.recv(message));
  EXPECT_TRUE(is_shared(message.data())) << "what was given back can be given out again";
}

TEST_F(Memory, AForkedChildClosesSocketsAndMessagesThatItsParentIsUsing) {
  zmq::socket_t publisher = bound(socket_type::pub, shm());
  zmq::socket_t subscriber = this->subscriber(shm());
  const std::string content(1'000'000, 'x');
  send(publisher, content);
  EXPECT_EQ(receive(subscriber), content);
  zmq::message_t unsent(content.data(), content.size());
  ASSERT_TRUE(is_shared(unsent.data()));
  {
    // Most of the time it holds what a child must not wait for.
    const std::jthread sender([&](const std::stop_token& stop) {
      while (!stop.stop_requested()) {
        send(publisher, content);
        EXPECT_EQ(receive(subscriber).size(), content.size());
      }
    });
    for (int round = 0; round < 20; ++round) {
      const pid_t child = fork();
      if (child == 0) {
        alarm(60);
        if (round % 2 == 0) zmq_msg_close(unsent.handle());
        zmq_close(publisher.handle());
        if (round % 2 != 0) zmq_msg_close(unsent.handle());
        _exit(0);
      }
      int status = -1;
      ASSERT_EQ(waitpid(child, &status, 0), child);
      ASSERT_EQ(status, 0) << round;
    }
  }
  ASSERT_TRUE(publisher.send(unsent, zmq::send_flags::none));
  EXPECT_EQ(receive(subscriber), content);
}

// As an object that the thread had before it sent anything, and that says good-bye.
struct Farewell {
  zmq::socket_t* socket = nullptr;
  Farewell() = default;
  Farewell(const Farewell&) = delete;
  Farewell& operator=(const Farewell&) = delete;
  ~Farewell() {
    if (socket == nullptr) return;
    for (int round = 0; round < 2; ++round) {
      send(*socket, std::string(100'000, 'b'));
      zmq::message_t next(100'000);
      std::memset(next.data(), 'c', next.size());
      EXPECT_TRUE(socket->send(next, zmq::send_flags::none));
    }
  }
};

TEST_F(Memory, AThreadSendsUpToItsVeryEnd) {
  zmq::socket_t one = bound(socket_type::pub, shm("one"));
  zmq::socket_t two = bound(socket_type::pub, shm("two"));
  zmq::socket_t at_one = subscriber(shm("one"));
  zmq::socket_t at_two = subscriber(shm("two"));
  std::thread([&] {
    thread_local Farewell farewell;
    farewell.socket = &two;
    send(one, std::string(100'000, 'a'));
  }).join();
  EXPECT_EQ(receive(at_one), std::string(100'000, 'a'));
  for (const char letter : {'b', 'c', 'b', 'c'}) EXPECT_EQ(receive(at_two), std::string(100'000, letter));
  send(one, std::string(100'000, 'd'));
  EXPECT_EQ(receive(at_one), std::string(100'000, 'd')) << "it is not gone with the thread";
}

TEST_F(Memory, MessagesOutliveTheirSocketsAndTheContext) {
  zmq::message_t received;
  zmq::message_t unsent;
  {
    zmq::context_t context;
    zmq::socket_t publisher(context, socket_type::pub);
    publisher.bind(shm());
    zmq::socket_t subscriber(context, socket_type::sub);
    subscriber.connect(shm());
    subscriber.set(zmq::sockopt::subscribe, "");
    send(publisher, std::string(100'000, 'x'));
    ASSERT_TRUE(subscriber.recv(received));
    unsent.rebuild(100'000);
    EXPECT_TRUE(is_shared(unsent.data()));
  }
  EXPECT_EQ(received.to_string(), std::string(100'000, 'x'));
  std::memset(unsent.data(), 'y', unsent.size());
  EXPECT_EQ(access(directory_.path("root/v1/feed").c_str(), F_OK), 0);
  received.rebuild();
  unsent.rebuild();
  EXPECT_EQ(access(directory_.path("root/v1/feed").c_str(), F_OK), -1) << "the last to go cleans up";
}

}  // namespace
}  // namespace weir::zmq_plugin
