// A ZeroMQ program as people write them with cppzmq; it knows nothing of weir. What it does: see peer_c.c.
#include <poll.h>

#include <array>
#include <cstdint>
#include <cstring>
#include <iostream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include <zmq.hpp>

namespace {

constexpr std::array<std::size_t, 6> sizes{8, 64, 1000, 4096, 65536, 1048576};

void attach(zmq::socket_t& socket, const std::string& how, const std::string& endpoint) {
  if (how == "bind") {
    socket.bind(endpoint);
  } else {
    socket.connect(endpoint);
  }
}

std::string content(std::uint64_t i) {
  std::string bytes(sizes.at(i % sizes.size()), 0);
  std::memcpy(bytes.data(), &i, sizeof(i));
  for (std::size_t k = sizeof(i); k < bytes.size(); ++k) bytes[k] = static_cast<char>(i + k);
  return bytes;
}

void publish(zmq::socket_t& socket, bool topics) {
  pollfd end{0, POLLIN, 0};
  for (std::uint64_t i = 0; ::poll(&end, 1, 0) == 0; ++i) {
    if (topics) socket.send(zmq::buffer(std::string_view(i % 2 == 0 ? "even" : "odd")), zmq::send_flags::sndmore);
    socket.send(zmq::message_t(content(i)), zmq::send_flags::none);
  }
}

void subscribe(zmq::socket_t& socket, bool topics, std::uint64_t count, const std::string& prefix) {
  socket.set(zmq::sockopt::subscribe, prefix);
  const std::uint64_t step = topics && !prefix.empty() ? 2 : 1;
  std::uint64_t expected = prefix == "odd" ? 1 : 0;
  for (std::uint64_t n = 0; n < count; ++n, expected += step) {
    zmq::message_t message;
    if (topics) {
      if (!socket.recv(message) || !message.more()) throw std::runtime_error("no frame after the topic");
    }
    if (!socket.recv(message) || message.more()) throw std::runtime_error("an unexpected frame");
    const auto right = content(expected);
    if (message != zmq::message_t(right)) throw std::runtime_error("not message " + std::to_string(expected));
  }
}

}  // namespace

int main(int argc, char** argv) {
  const std::vector<std::string> words(argv + 1, argv + argc);
  try {
    zmq::context_t context;
    if (words.size() == 4 && words[0] == "publish") {
      zmq::socket_t socket(context, zmq::socket_type::pub);
      socket.set(zmq::sockopt::linger, 0);
      attach(socket, words[1], words[2]);
      publish(socket, words[3] == "topic");
      return 0;
    }
    if (words.size() == 6 && words[0] == "subscribe") {
      zmq::socket_t socket(context, zmq::socket_type::sub);
      attach(socket, words[1], words[2]);
      subscribe(socket, words[3] == "topic", std::stoull(words[4]), words[5]);
      return 0;
    }
    return 2;
  } catch (const std::exception& thrown) {
    std::cerr << "peer_cppzmq: " << thrown.what() << '\n';
    return 1;
  }
}
