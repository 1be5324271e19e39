#include "adapters/zeromq_plugin/test_sockets.h"

#include <poll.h>

#include <cstdio>
#include <thread>

#include <fmt/format.h>

namespace weir::zmq_plugin {

std::string Sockets::shm(std::string_view name) const {
  return fmt::format("shm://{}?root={}", name, directory_.path("root"));
}

zmq::socket_t Sockets::make(zmq::socket_type type) {
  zmq::socket_t socket(context_, type);
  socket.set(zmq::sockopt::linger, 0);
  socket.set(zmq::sockopt::rcvtimeo, static_cast<int>(soon.count()));
  socket.set(zmq::sockopt::sndtimeo, static_cast<int>(soon.count()));
  return socket;
}

zmq::socket_t Sockets::bound(zmq::socket_type type, const std::string& endpoint) {
  zmq::socket_t socket = make(type);
  socket.bind(endpoint);
  return socket;
}

zmq::socket_t Sockets::connected(zmq::socket_type type, const std::string& endpoint) {
  zmq::socket_t socket = make(type);
  socket.connect(endpoint);
  return socket;
}

zmq::socket_t Sockets::subscriber(const std::string& endpoint, std::initializer_list<std::string_view> prefixes) {
  zmq::socket_t socket = connected(zmq::socket_type::sub, endpoint);
  for (const std::string_view prefix : prefixes) socket.set(zmq::sockopt::subscribe, prefix);
  return socket;
}

void send(zmq::socket_t& socket, std::string_view text) {
  ASSERT_TRUE(socket.send(zmq::buffer(text), zmq::send_flags::none)) << "no room";
}

void send(zmq::socket_t& socket, const Texts& frames) {
  for (std::size_t index = 0; index < frames.size(); ++index) {
    const auto flags = index + 1 < frames.size() ? zmq::send_flags::sndmore : zmq::send_flags::none;
    ASSERT_TRUE(socket.send(zmq::buffer(frames[index]), flags)) << "no room";
  }
}

std::string receive(zmq::socket_t& socket, zmq::recv_flags flags) {
  zmq::message_t message;
  return socket.recv(message, flags) ? message.to_string() : std::string();
}

Texts receive_frames(zmq::socket_t& socket) {
  Texts frames;
  zmq::message_t message;
  do {
    if (!socket.recv(message)) return frames;
    frames.push_back(message.to_string());
    EXPECT_EQ(message.more(), socket.get(zmq::sockopt::rcvmore) != 0);
  } while (message.more());
  return frames;
}

bool has_nothing(zmq::socket_t& socket) {
  zmq::message_t message;
  return !socket.recv(message, zmq::recv_flags::dontwait);
}

bool becomes_readable(int descriptor) {
  pollfd item{.fd = descriptor, .events = POLLIN, .revents = 0};
  return ::poll(&item, 1, 60'000) == 1;
}
bool is_readable(int descriptor) {
  pollfd item{.fd = descriptor, .events = POLLIN, .revents = 0};
  return ::poll(&item, 1, 0) == 1;
}

void until_asleep(pid_t thread) {
  const std::string path = "/proc/self/task/" + std::to_string(thread) + "/stat";
  for (char state = 'R'; state != 'S'; std::this_thread::yield()) {
    FILE* const file = fopen(path.c_str(), "r");
    if (file == nullptr) return;
    if (fscanf(file, "%*d (%*[^)]) %c", &state) != 1) state = 'R';
    fclose(file);
  }
}

std::string subscription(std::string_view prefix) { return std::string(1, '\1').append(prefix); }
std::string unsubscription(std::string_view prefix) { return std::string(1, '\0').append(prefix); }

}  // namespace weir::zmq_plugin
