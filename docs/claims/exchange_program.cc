// One end of an exchange whose inside is looked at: by libzmq itself, or by weir.
//
//   exchange_program zmq  publish   ENDPOINT COUNT SIZE      weir publish   URI COUNT SIZE
//   exchange_program zmq  subscribe ENDPOINT COUNT           weir subscribe URI COUNT
//
// A publisher waits for a subscriber, sends, says "sent" and stays until its input ends. A subscriber says "ready",
// waits for a line, takes up to COUNT messages until none has come for a second, says how many they were, and stays.
#include <chrono>
#include <cstdint>
#include <exception>
#include <iostream>
#include <stdexcept>
#include <string>
#include <vector>

#include <zmq.hpp>

#include "transport/node.h"

namespace {

constexpr std::chrono::seconds silence(1);

template <class Value>
Value must(weir::Result<Value> result) {
  if (!result) throw std::runtime_error(result.error().message());
  if constexpr (!std::is_void_v<Value>) return std::move(*result);
}

void say(const std::string& line) { std::cout << line << std::endl; }

void wait_for_line() {
  std::string line;
  std::getline(std::cin, line);
}

void publish_by_zmq(const std::string& endpoint, std::uint64_t count, std::size_t size) {
  zmq::context_t context;
  zmq::socket_t socket(context, zmq::socket_type::xpub);
  socket.bind(endpoint);
  zmq::message_t subscription;
  if (!socket.recv(subscription)) throw std::runtime_error("no subscription");
  for (std::uint64_t sent = 0; sent < count; ++sent) socket.send(zmq::message_t(size), zmq::send_flags::none);
  say("sent");
  wait_for_line();
}

void subscribe_by_zmq(const std::string& endpoint, std::uint64_t count) {
  zmq::context_t context;
  zmq::socket_t socket(context, zmq::socket_type::sub);
  socket.set(zmq::sockopt::subscribe, "");
  socket.connect(endpoint);
  say("ready");
  wait_for_line();
  socket.set(zmq::sockopt::rcvtimeo, static_cast<int>(std::chrono::milliseconds(silence).count()));
  std::uint64_t received = 0;
  for (zmq::message_t message; received < count && socket.recv(message);) ++received;
  say(std::to_string(received));
  wait_for_line();
}

void publish_by_weir(const std::string& uri, std::uint64_t count, std::size_t size) {
  weir::Node node = must(weir::Node::open());
  weir::Publisher publisher = must(node.publisher(uri));
  must(publisher.wait_for_subscribers(1, weir::never));
  for (std::uint64_t sent = 0; sent < count; ++sent) must(must(publisher.loan(size)).publish());
  say("sent");
  wait_for_line();
}

void subscribe_by_weir(const std::string& uri, std::uint64_t count) {
  weir::Node node = must(weir::Node::open());
  weir::Subscriber subscriber = must(node.subscriber(uri));
  say("ready");
  wait_for_line();
  std::uint64_t received = 0;
  while (received < count && must(subscriber.wait(weir::after(silence))) == weir::Wake::ready) {
    while (must(subscriber.take())) ++received;
  }
  say(std::to_string(received));
  wait_for_line();
}

}  // namespace

int main(int argc, char** argv) {
  const std::vector<std::string> words(argv + 1, argv + argc);
  try {
    if (words.size() < 4)
      throw std::runtime_error("usage: exchange_program zmq|weir publish|subscribe WHERE COUNT [SIZE]");
    const bool by_zmq = words[0] == "zmq";
    const std::uint64_t count = std::stoull(words[3]);
    if (words[1] == "publish") {
      (by_zmq ? publish_by_zmq : publish_by_weir)(words[2], count, std::stoull(words.at(4)));
    } else {
      (by_zmq ? subscribe_by_zmq : subscribe_by_weir)(words[2], count);
    }
    return 0;
  } catch (const std::exception& thrown) {
    std::cerr << "exchange_program: " << thrown.what() << '\n';
    return 1;
  }
}
