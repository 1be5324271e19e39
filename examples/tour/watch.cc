#include <chrono>
#include <cstdio>

#include "transport/node.h"

int main() {
  auto node = weir::Node::open();
  if (!node) return 1;
  auto ticks = node->subscriber("shm://tour/clock?history=5");
  if (!ticks) {
    std::fprintf(stderr, "%s\n", ticks.error().message().c_str());
    return 1;
  }
  while (true) {
    auto wake = ticks->wait(weir::after(std::chrono::seconds(5)));
    if (!wake) {
      std::fprintf(stderr, "%s\n", wake.error().message().c_str());
      return 1;
    }
    if (*wake != weir::Wake::ready) return 0;  // silence for five seconds
    for (auto tick = ticks->take(); tick && *tick; tick = ticks->take()) {
      const auto text = tick->payload();
      std::printf("%.*s  (sequence %llu, lost %llu)\n", static_cast<int>(text.size()),
                  reinterpret_cast<const char*>(text.data()), static_cast<unsigned long long>(tick->sequence()),
                  static_cast<unsigned long long>(tick->lost_before()));
      std::fflush(stdout);
    }
  }
}
