// Receives the million messages of publisher.cc, and accounts for each: received in order, or announced as lost.
//
//   subscriber 'shm://feed?grant=block&policy=lossless'
#include <charconv>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <string_view>

#include <fmt/chrono.h>
#include <fmt/format.h>

#include "transport/node.h"

namespace {

using namespace std::chrono_literals;

constexpr long messages = 1'000'000;
constexpr long report_every = 100'000;
constexpr auto patience = 30s;

int fail(std::string_view reason) {
  fmt::print(stderr, "subscriber: {}\n", reason);
  return EXIT_FAILURE;
}

// The number of a text "Message 7".
std::optional<long> number_in(const weir::Sample& sample) {
  const std::string_view text(reinterpret_cast<const char*>(sample.payload().data()), sample.payload().size());
  constexpr std::string_view prefix = "Message ";
  long number = 0;
  if (!text.starts_with(prefix)) return {};
  const auto [end, error] = std::from_chars(text.data() + prefix.size(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return {};
  return number;
}

}  // namespace

int main(int count, char** arguments) {
  if (count != 2) return fail("usage: subscriber URI");
  std::setvbuf(stdout, nullptr, _IOLBF, 0);
  auto node = weir::Node::open();
  if (!node) return fail(node.error().message());
  auto subscriber = node->subscriber(arguments[1]);
  if (!subscriber) return fail(subscriber.error().message());

  fmt::print("Subscriber started, waiting for messages...\n");
  long received = 0;
  long announced = 0;  // as lost, by the transport
  long next = 0;
  while (next < messages) {
    const auto wake = subscriber->wait(weir::after(patience));
    if (!wake) return fail(wake.error().message());
    if (*wake != weir::Wake::ready) {
      return fail(fmt::format("nothing came for {}: {} received, the last {} are missing", patience, received,
                              messages - next));
    }
    while (next < messages) {
      auto sample = subscriber->take();
      if (!sample) return fail(sample.error().message());
      if (!*sample) break;
      const std::optional<long> number = number_in(*sample);
      if (!number || *number < next) return fail("a message came twice, out of order, or from somebody else");
      announced += static_cast<long>(sample->lost_before());
      next = *number + 1;
      if (++received % report_every == 0) fmt::print("Received {} messages\n", received);
    }
  }
  const long missing = messages - received;
  fmt::print("Subscriber finished: {} received, {} missing, {} of them announced.\n", received, missing, announced);
  if (subscriber->capabilities().exact_loss && announced != missing) return fail("a loss was not announced");
  return EXIT_SUCCESS;
}
