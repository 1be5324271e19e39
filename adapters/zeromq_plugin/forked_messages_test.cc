// What a forked child can do with the messages of its parent where WEIR_ZMQ_SEND=copy and WEIR_ZMQ_RECEIVE=copy: all
// that it can with libzmq's.
#include <sys/wait.h>
#include <unistd.h>

#include <cstring>
#include <string>

#include "adapters/zeromq_plugin/test_sockets.h"

namespace weir::zmq_plugin {
namespace {

using zmq::socket_type;
using ForkedMessages = Sockets;

constexpr std::size_t large = 100'000;

// What `body` tells in a child.
template <class Body>
bool is_so_in_child(const Body& body) {
  const pid_t child = fork();
  if (child == 0) _exit(body() ? 0 : 1);
  int status = -1;
  return waitpid(child, &status, 0) == child && status == 0;
}

TEST_F(ForkedMessages, AreReadAndWrittenByTheChild) {
  zmq::socket_t publisher = bound(socket_type::pub, shm());
  zmq::socket_t subscriber = this->subscriber(shm());
  send(publisher, std::string(large, 'x'));
  zmq::message_t received;
  ASSERT_TRUE(subscriber.recv(received));
  zmq::message_t made(large);
  std::memset(made.data(), 'y', made.size());
  const auto is_all_there = [&] {
    const bool is_read = received.to_string() == std::string(large, 'x') && made.to_string() == std::string(large, 'y');
    std::memset(received.data(), 'z', received.size());
    std::memset(made.data(), 'z', made.size());
    return is_read;
  };
  EXPECT_TRUE(is_so_in_child(is_all_there));
  ASSERT_TRUE(publisher.send(made, zmq::send_flags::none));
  EXPECT_TRUE(receive(subscriber) == std::string(large, 'y'));
}

}  // namespace
}  // namespace weir::zmq_plugin
