// Sends messages to itself, so that a tool can count what each costs: loan,
// publish, take and release, through the URI API, in one process. Payloads are
// not touched.
//
//   instructions_driver --messages 20000 [--uri shm://…] [--size 64] [--idle
//   64]
//
// Run under valgrind --tool=callgrind with two numbers of messages: the
// difference leaves set-up and end out (instructions_test.cc).
#include <cstdint>
#include <exception>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "conformance/performance/failure.h"
#include "conformance/performance/temporary_root.h"
#include "transport/node.h"

namespace weir::performance {
namespace {

struct Options {
  std::uint64_t messages = 1000;
  std::size_t size = 64;
  std::uint64_t idle = 0;  // subscribers beside the one that takes
  std::string uri = "shm://instructions";
};

void exchange_message(Publisher& publisher, Subscriber& subscriber, std::size_t size) {
  auto loan = publisher.loan(size);
  if (!loan) {
    fail(loan.error());
  }
  if (auto sequence = loan->publish(); !sequence) {
    fail(sequence.error());
  }
  auto sample = subscriber.take();
  if (!sample) {
    fail(sample.error());
  }
  if (!*sample || sample->payload().size() != size) {
    fail("the message that was just published is not the one that was taken");
  }
}

void run(const Options& options) {
  const TemporaryRoot root;
  Node node = must(Node::open());
  Publisher publisher = must(node.publisher(options.uri));
  Subscriber subscriber = must(node.subscriber(options.uri));
  std::vector<Subscriber> idle;
  while (idle.size() < options.idle) {
    idle.push_back(must(node.subscriber(options.uri)));
  }
  for (std::uint64_t message = 0; message < options.messages; ++message) {
    exchange_message(publisher, subscriber, options.size);
  }
}

}  // namespace
}  // namespace weir::performance

int main(int count, char** arguments) {
  weir::performance::Options options;
  CLI::App app(
      "Sends messages to itself, to be watched by a tool that counts "
      "instructions.");
  app.add_option("--messages", options.messages, "how many")->capture_default_str();
  app.add_option("--size", options.size, "bytes of payload of each")->capture_default_str();
  app.add_option("--idle", options.idle, "subscribers that take nothing")->capture_default_str();
  app.add_option("--uri", options.uri, "endpoint")->capture_default_str();
  CLI11_PARSE(app, count, arguments);
  try {
    weir::performance::run(options);
    return 0;
  } catch (const std::exception& thrown) {
    fmt::print(stderr, "instructions_driver: {}\n", thrown.what());
    return 1;
  }
}
