// Sends messages to itself, through weir or through iceoryx's untyped API alone, so that a tool can count what each
// costs: loan, publish, take and release. RouDi must be running.
//
//   cost_driver weir|bare MESSAGES
#include <cstdio>
#include <cstdlib>
#include <string>

#include <iceoryx_posh/popo/untyped_publisher.hpp>
#include <iceoryx_posh/popo/untyped_subscriber.hpp>
#include <iceoryx_posh/runtime/posh_runtime.hpp>

#include "transport/node.h"

namespace {

constexpr std::uint32_t size = 64;

[[noreturn]] void fail(const char* reason) {
  std::fprintf(stderr, "cost_driver: %s\n", reason);
  std::exit(1);
}

void through_iceoryx(std::uint64_t messages) {
  iox::runtime::PoshRuntime::initRuntime("cost-driver");
  iox::popo::UntypedPublisher publisher({"Cost", "Of", "Message"});
  iox::popo::UntypedSubscriber subscriber({"Cost", "Of", "Message"});
  for (std::uint64_t message = 0; message < messages; ++message) {
    auto loan = publisher.loan(size);
    if (loan.has_error()) fail("loan");
    publisher.publish(loan.value());
    auto sample = subscriber.take();
    if (sample.has_error()) fail("take");
    subscriber.release(sample.value());
  }
}

void through_weir(std::uint64_t messages) {
  auto node = weir::Node::open();
  auto publisher = node->publisher("iceoryx://Cost/Of/Message");
  auto subscriber = node->subscriber("iceoryx://Cost/Of/Message");
  if (!publisher || !subscriber) fail("open");
  for (std::uint64_t message = 0; message < messages; ++message) {
    auto loan = publisher->loan(size);
    if (!loan || !loan->publish()) fail("publish");
    const auto sample = subscriber->take();
    if (!sample || !*sample) fail("take");
  }
}

}  // namespace

int main(int count, char** arguments) {
  if (count != 3) fail("usage: cost_driver weir|bare MESSAGES");
  const std::uint64_t messages = std::stoull(arguments[2]);
  std::string(arguments[1]) == "weir" ? through_weir(messages) : through_iceoryx(messages);
}
