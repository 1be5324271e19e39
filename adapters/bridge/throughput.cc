// How fast a stream of 1 MiB messages is through each side of a bridge alone, and through the bridge: in rounds that
// follow one another, so that a busy machine meets all alike.
//
//   ./bazelw run -c opt //adapters/bridge:throughput [-- ROUNDS]
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <functional>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "adapters/bridge/route.h"
#include "conformance/performance/temporary_root.h"

namespace weir::bridge {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t size = 1U << 20U;
constexpr int messages = 1000;
constexpr auto patience = 60s;

template <class Value>
Value must(Result<Value> result) {
  if (!result) throw std::runtime_error(result.error().message());
  if constexpr (!std::is_void_v<Value>) return std::move(*result);
}

// MiB a second from `into` to `out_of`, which are the same place, or joined by a bridge. Nothing is lost on the way.
double stream(Node& node, const std::string& into, const std::string& out_of) {
  Subscriber subscriber = must(node.subscriber(out_of, {.policy = SlowPolicy::lossless, .depth = 16}));
  Publisher publisher = must(node.publisher(into, {.grant = Grant::block, .deadline = patience}));
  must(publisher.wait_for_subscribers(1, after(patience)));
  const std::string content(size, 'x');
  const auto send = [&] { must(publisher.send(std::as_bytes(std::span(content)))); };
  const auto receive = [&] {
    while (true) {
      if (must(subscriber.take())) return;
      if (must(subscriber.wait(after(patience))) != Wake::ready) throw std::runtime_error("a message is missing");
    }
  };
  do {  // until the way is there: ZeroMQ connects when it likes
    send();
  } while (must(subscriber.wait(after(100ms))) != Wake::ready);
  while (must(subscriber.wait(after(100ms))) == Wake::ready) receive();
  const auto begin = std::chrono::steady_clock::now();
  const std::jthread sender([&] {
    for (int message = 0; message < messages; ++message) send();
  });
  for (int message = 0; message < messages; ++message) receive();
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
  return messages / took.count();
}

double bridged(Node& node, const std::string& into, const std::string& out_of) {
  const auto route =
      must(Route::open(node, {.from = into + "?policy=lossless&depth=16", .to = out_of + "?grant=block&deadline=60s"},
                       [](const std::string& sentence) { fmt::print("{}\n", sentence); }));
  const std::jthread carrier([&](const std::stop_token& stop) { route->run(stop); });
  return stream(node, into, out_of);
}

double median(std::vector<double> rates) {
  std::sort(rates.begin(), rates.end());
  return rates.at(rates.size() / 2);
}

void run(int rounds) {
  const performance::TemporaryRoot root;
  const std::string socket = fmt::format("zmq+ipc:///tmp/weir-throughput-{}", ::getpid());
  Node node = must(Node::open());
  std::vector<double> shm;
  std::vector<double> zeromq;
  std::vector<double> both;
  for (int round = 0; round < rounds; ++round) {
    shm.push_back(stream(node, "shm://alone", "shm://alone"));
    zeromq.push_back(stream(node, socket, socket));
    both.push_back(bridged(node, "shm://stream", socket));
  }
  const double slower = std::min(median(shm), median(zeromq));
  fmt::print("1 MiB messages, median of {} rounds of {}:\n", rounds, messages);
  fmt::print("  shm alone              {:8.0f} MiB/s\n", median(shm));
  fmt::print("  ZeroMQ ipc alone       {:8.0f} MiB/s\n", median(zeromq));
  fmt::print("  shm, bridge, ZeroMQ    {:8.0f} MiB/s: {:.0f} % of the slower side alone\n", median(both),
             100 * median(both) / slower);
}

}  // namespace
}  // namespace weir::bridge

int main(int count, char** arguments) {
  try {
    weir::bridge::run(count > 1 ? std::max(1, std::atoi(arguments[1])) : 5);
    return EXIT_SUCCESS;
  } catch (const std::exception& thrown) {
    fmt::print(stderr, "throughput: {}\n", thrown.what());
    return EXIT_FAILURE;
  }
}
