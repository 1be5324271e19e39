// Sends a million numbered messages to whoever subscribes. The URI chooses the transport, and whether a slow subscriber
// may lose some or holds the publisher back:
//
//   publisher 'shm://feed?grant=block&policy=lossless'
//   publisher 'zmq+ipc:///tmp/my_ipc_socket'               (also to unmodified ZeroMQ programs)
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <span>
#include <thread>

#include <fmt/format.h>

#include "transport/node.h"

namespace {

using namespace std::chrono_literals;

constexpr int messages = 1'000'000;
constexpr int report_every = 100'000;
constexpr auto patience = 30s;

int fail(const weir::Error& error) {
  fmt::print(stderr, "publisher: {}\n", error.message());
  return EXIT_FAILURE;
}

// A publisher that closes may take with it what is still on its way: ZeroMQ has it in queues and in the kernel. So it
// waits until all is taken, or, where the transport does not know, until the subscriber leaves, which has it all then.
weir::Status await_the_end(weir::Publisher& publisher) {
  const weir::Deadline deadline = weir::after(patience);
  weir::Status taken = publisher.wait_until_taken(messages - 1, deadline);
  if (taken || taken.error().code() != weir::ErrorCode::unsupported) return taken;
  while (publisher.wait_for_subscribers(1, weir::at_once)) {
    if (weir::passed(deadline)) {
      fmt::print("A subscriber is still there; what it has not received by now may be lost.\n");
      break;
    }
    std::this_thread::sleep_for(10ms);
  }
  return {};
}

}  // namespace

int main(int count, char** arguments) {
  if (count != 2) {
    fmt::print(stderr, "usage: publisher URI\n");
    return EXIT_FAILURE;
  }
  std::setvbuf(stdout, nullptr, _IOLBF, 0);
  auto node = weir::Node::open();
  if (!node) return fail(node.error());
  auto publisher = node->publisher(arguments[1]);
  if (!publisher) return fail(publisher.error());

  fmt::print("Publisher started, waiting for a subscriber...\n");
  if (auto ready = publisher->wait_for_subscribers(1, weir::after(patience)); !ready) return fail(ready.error());

  fmt::print("Sending messages...\n");
  int held_back = 0;
  fmt::memory_buffer text;
  for (int number = 0; number < messages; ++number) {
    text.clear();
    fmt::format_to(std::back_inserter(text), "Message {}", number);
    const auto message = std::as_bytes(std::span(text.data(), text.size()));
    for (auto sent = publisher->send(message); !sent; sent = publisher->send(message)) {
      if (sent.error().code() != weir::ErrorCode::back_pressure) return fail(sent.error());
      ++held_back;
      const auto space = publisher->wait(weir::after(patience));
      if (!space) return fail(space.error());
      if (*space != weir::Wake::ready) return fail(sent.error());
    }
    if (number % report_every == 0) fmt::print("Sent {} messages\n", number);
  }
  if (auto done = await_the_end(*publisher); !done) return fail(done.error());
  fmt::print("Publisher finished: {} messages, refused {} times while a subscriber was slow.\n", messages, held_back);
  return EXIT_SUCCESS;
}
