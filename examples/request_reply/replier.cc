// Answers requests for squares of numbers. "crash" makes it crash in the middle of the request, to show what its
// requester sees.
//
//   replier shm://squares
#include "transport/request_reply/replier.h"

#include <charconv>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "examples/acknowledged/way_back.h"

namespace {

int fail(const weir::Error& error) {
  fmt::print(stderr, "replier: {}\n", error.message());
  return EXIT_FAILURE;
}

weir::Result<std::vector<std::byte>> square(std::span<const std::byte> request) {
  const std::string text(reinterpret_cast<const char*>(request.data()), request.size());
  if (text == "crash") ::raise(SIGKILL);
  long number = 0;
  const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (fault != std::errc() || end != text.data() + text.size()) {
    return weir::failure(weir::ErrorCode::invalid_argument, fmt::format("\"{}\" is not a number", text));
  }
  fmt::print("Squaring {}\n", number);
  const std::string answer = std::to_string(number * number);
  const auto bytes = std::as_bytes(std::span(answer));
  return std::vector<std::byte>(bytes.begin(), bytes.end());
}

}  // namespace

int main(int count, char** arguments) {
  if (count != 2) return fail({weir::ErrorCode::invalid_argument, "usage: replier URI"});
  std::setvbuf(stdout, nullptr, _IOLBF, 0);
  auto node = weir::Node::open();
  if (!node) return fail(node.error());
  const auto requests = weir::acknowledged::way_back(arguments[1]);
  if (!requests) return fail(requests.error());
  auto replier = weir::Replier::open(*node, *requests, arguments[1]);
  if (!replier) return fail(replier.error());
  fmt::print("Replier started\n");
  while (true) {
    if (const auto served = replier->serve(square, weir::never); !served) return fail(served.error());
  }
}
