// Sends messages to itself within one process, through weir or through libzmq alone, so that a tool can count what the
// adapter adds: the same sockets with the same options, the same messages. Payloads are not touched.
//
//   cost_driver MESSAGES [bare|raw|topic|envelope SIZE]...
//
// The messages are one part of the program for each pair (adapters/testing/counted_part.h); what sets up and ends, and
// some messages that grow what is kept, are not in it.
#include <sys/wait.h>
#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <exception>
#include <stdexcept>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <zmq.hpp>

#include "adapters/testing/counted_part.h"
#include "transport/node.h"

namespace weir::zeromq {
namespace {

constexpr const char* address = "inproc://cost";

template <class Exchange>
void repeat(std::uint64_t messages, Exchange exchange) {
  constexpr int first_ones = 500;
  for (int message = 0; message < first_ones; ++message) exchange();
  const testing::CountedPart part;
  for (std::uint64_t message = 0; message < messages; ++message) exchange();
}

void run_bare(std::uint64_t messages, std::size_t size) {
  zmq::context_t context;
  zmq::socket_t publisher(context, zmq::socket_type::xpub);
  zmq::socket_t subscriber(context, zmq::socket_type::sub);
  publisher.set(zmq::sockopt::xpub_verboser, true);
  // Marks as every socket has them, but out of reach: on its own libzmq would drop messages for which there is room
  // (docs/zeromq.md).
  publisher.set(zmq::sockopt::sndhwm, 1'000'000);
  subscriber.set(zmq::sockopt::rcvhwm, 1'000'000);
  subscriber.set(zmq::sockopt::subscribe, "");
  publisher.bind(address);
  subscriber.connect(address);
  zmq::message_t subscription;
  if (!publisher.recv(subscription)) throw std::runtime_error("no subscription");
  repeat(messages, [&] {
    zmq_msg_t sent;
    if (zmq_msg_init_size(&sent, size) != 0 || zmq_msg_data(&sent) == nullptr) throw zmq::error_t();
    if (zmq_msg_send(&sent, publisher.handle(), ZMQ_DONTWAIT) < 0) throw zmq::error_t();
    zmq_msg_t received;
    zmq_msg_init(&received);
    if (zmq_msg_recv(&received, subscriber.handle(), ZMQ_DONTWAIT) < 0) throw zmq::error_t();
    if (zmq_msg_size(&received) != size || zmq_msg_data(&received) == nullptr || zmq_msg_more(&received) != 0) {
      throw std::runtime_error("not the message that was just sent");
    }
    zmq_msg_close(&received);
  });
}

template <class Value>
Value must(Result<Value> result) {
  if (!result) throw std::runtime_error(result.error().message());
  if constexpr (!std::is_void_v<Value>) return std::move(*result);
}

void run_weir(const std::string& options, std::uint64_t messages, std::size_t size) {
  const std::string uri = fmt::format("zmq+{}?depth=255{}", address, options);
  Node node = must(Node::open());
  Publisher publisher = must(node.publisher(uri));
  Subscriber subscriber = must(node.subscriber(uri));
  must(publisher.wait_for_subscribers(1, never));
  repeat(messages, [&] {
    auto loan = publisher.loan(size);
    if (!loan) throw std::runtime_error(loan.error().message());
    if (auto sequence = loan->publish(); !sequence) throw std::runtime_error(sequence.error().message());
    auto sample = subscriber.take();
    if (!sample) throw std::runtime_error(sample.error().message());
    if (!*sample || sample->payload().size() != size) {
      throw std::runtime_error("not the message that was just published");
    }
  });
}

void run(const std::string& way, std::uint64_t messages, std::size_t size) {
  if (way == "bare") return run_bare(messages, size);
  run_weir(way == "topic" ? "&frames=topic" : (way == "envelope" ? "&envelope=1" : ""), messages, size);
}

}  // namespace
}  // namespace weir::zeromq

int main(int count, char** arguments) {
  const std::vector<std::string> words(arguments + 1, arguments + count);
  try {
    if (words.size() % 2 != 1) {
      throw std::runtime_error("usage: cost_driver MESSAGES [bare|raw|topic|envelope SIZE]...");
    }
    const std::uint64_t messages = std::stoull(words[0]);
    for (std::size_t at = 1; at < words.size(); at += 2) {
      const std::string& way = words[at];
      const std::size_t size = std::stoull(words[at + 1]);
      // In a process of its own, for what others have allocated changes what an allocation takes.
      const pid_t process = fork();
      if (process == 0) {
        weir::zeromq::run(way, messages, size);
        return 0;
      }
      int status = 0;
      if (process < 0 || waitpid(process, &status, 0) != process || status != 0)
        throw std::runtime_error(way + " failed");
    }
    return 0;
  } catch (const std::exception& thrown) {
    fmt::print(stderr, "cost_driver: {}\n", thrown.what());
    return 1;
  }
}
