// Asks replier.cc for squares: of 1 to 5, of something that is no number, and lastly for a crash.
//
//   requester shm://squares
#include "transport/request_reply/requester.h"

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>

#include <fmt/format.h>

#include "examples/acknowledged/way_back.h"

namespace {

using namespace std::chrono_literals;

constexpr auto patience = 30s;

int fail(const weir::Error& error) {
  fmt::print(stderr, "requester: {}\n", error.message());
  return EXIT_FAILURE;
}

void ask(weir::Requester& requester, const std::string& question) {
  const auto reply = requester.request(std::as_bytes(std::span(question)), weir::after(patience));
  if (reply) {
    const std::string answer(reinterpret_cast<const char*>(reply->payload().data()), reply->payload().size());
    fmt::print("The square of {} is {}\n", question, answer);
  } else {
    fmt::print("No square of {}: {}: {}\n", question, to_string(reply.error().code()), reply.error().message());
  }
}

}  // namespace

int main(int count, char** arguments) {
  if (count != 2) return fail({weir::ErrorCode::invalid_argument, "usage: requester URI"});
  std::setvbuf(stdout, nullptr, _IOLBF, 0);
  auto node = weir::Node::open();
  if (!node) return fail(node.error());
  const auto requests = weir::acknowledged::way_back(arguments[1]);
  if (!requests) return fail(requests.error());
  auto requester = weir::Requester::open(*node, *requests, arguments[1]);
  if (!requester) return fail(requester.error());
  for (const std::string question : {"1", "2", "3", "4", "5", "five", "crash"}) ask(*requester, question);
  fmt::print("Waiting for another replier\n");
  ask(*requester, "6");
  return EXIT_SUCCESS;
}
