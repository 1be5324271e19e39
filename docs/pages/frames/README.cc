// The two programs of README.md, run against each other.
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <span>
#include <thread>

#include "transport/node.h"

namespace {

using namespace std::chrono_literals;

constexpr std::byte pixel{0x5a};
std::atomic<std::size_t> shown = 0;

void render(std::span<std::byte> frame) {
  for (std::byte& each : frame) each = pixel;
}

void show(std::span<const std::byte> frame, std::uint64_t sequence, std::uint64_t lost_before) {
  if (sequence == 0 && lost_before == 0 && frame.back() == pixel) shown = frame.size();
}

void publish() {
#include "1.inc"
  if (!sequence) std::puts(sequence.error().message().c_str());
}

void subscribe() {
  auto node = weir::Node::open();
#include "2.inc"
}

}  // namespace

int main() {
  auto node = weir::Node::open();
  // The subscriber gives up after a second without a message: on a busy machine it may need another start.
  for (int attempt = 0; attempt < 60 && shown == 0; ++attempt) {
    std::jthread subscriber(subscribe);
    auto first = node->publisher("shm://camera/front");
    if (!first || !first->wait_for_subscribers(1, weir::after(60s))) return 1;
    publish();
  }
  return shown == 1920 * 1080 ? 0 : 1;
}
