#include <chrono>
#include <cstdio>
#include <span>
#include <string>
#include <thread>

#include "transport/node.h"

int main() {
  auto node = weir::Node::open();
  if (!node) return 1;
  auto ticks = node->publisher("shm://tour/clock?history=5");
  if (!ticks) {
    std::fprintf(stderr, "%s\n", ticks.error().message().c_str());
    return 1;
  }
  for (int tick = 0;; ++tick) {
    const std::string text = "tick " + std::to_string(tick);
    if (auto sent = ticks->send(std::as_bytes(std::span(text))); !sent) {
      std::fprintf(stderr, "%s\n", sent.error().message().c_str());
      return 1;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  }
}
