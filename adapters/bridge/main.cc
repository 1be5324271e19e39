// weir-bridge: carries messages between transports until it is told to end (SIGINT, SIGTERM, SIGHUP). Upon SIGUSR1 it
// says what it has carried so far.
//
//   weir-bridge --route iceoryx://Radar/FrontLeft/Object zmq+ipc:///tmp/radar
//   weir-bridge --route 'shm://camera/*' 'zmq+ipc:///tmp/camera-*' --when-full drop
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <stop_token>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "adapters/bridge/bridge.h"
#include "tools/weir/printable.h"
#include "tools/weir/standard_streams.h"

namespace {

using weir::bridge::Bridge;
using weir::bridge::WhenFull;

// It carries on also when this cannot be written, or nobody reads it any more.
void say(const std::string& sentence) {
  std::fputs((weir::tool::printable(sentence) + "\n").c_str(), stdout);
  std::fflush(stdout);
}

void report(const Bridge& bridge) {
  for (const auto& [options, counts] : bridge.routes()) {
    say(fmt::format("{} -> {}: carried {} messages, {} bytes; lost {}, dropped {}, unfit {}; {} returns", options.from,
                    options.to, counts.carried, counts.bytes, counts.lost, counts.dropped, counts.unfit,
                    counts.returns));
  }
}

}  // namespace

int main(int count, char** arguments) {
  weir::tool::fill_standard_streams();
  CLI::App program("Carries messages between transports, in each route from one endpoint to another.", "weir-bridge");
  std::vector<std::pair<std::string, std::string>> routes;
  program
      .add_option("--route", routes,
                  "FROM TO: endpoints, each with its options; one * in both topics carries all that fit")
      ->required();
  WhenFull when_full = WhenFull::block;
  program.add_option("--when-full", when_full, "what becomes of a message for which TO has no room")
      ->transform(CLI::CheckedTransformer(
          std::map<std::string, WhenFull>{{"block", WhenFull::block}, {"drop", WhenFull::drop}}));
  CLI11_PARSE(program, count, arguments);

  // Before any thread: each then leaves these signals to this one.
  sigset_t awaited;
  sigemptyset(&awaited);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGUSR1}) sigaddset(&awaited, signal);
  sigprocmask(SIG_BLOCK, &awaited, nullptr);
  std::signal(SIGPIPE, SIG_IGN);

  auto node = weir::Node::open();
  if (!node) {
    say(node.error().message());
    return EXIT_FAILURE;
  }
  Bridge::Rules rules;
  for (auto& [from, to] : routes) rules.push_back({.from = from, .to = to, .when_full = when_full});
  auto bridge = Bridge::open(*node, rules, say);
  if (!bridge) {
    say(fmt::format("weir-bridge: {}", bridge.error().message()));
    return EXIT_FAILURE;
  }
  for (const auto& rule : rules) say(fmt::format("carrying {} -> {}", rule.from, rule.to));
  {
    const std::jthread runner([&](const std::stop_token& stop) { (*bridge)->run(stop); });
    for (int signal = 0; signal != SIGINT && signal != SIGTERM && signal != SIGHUP;) {
      sigwait(&awaited, &signal);
      if (signal == SIGUSR1) report(**bridge);
    }
  }
  report(**bridge);
  return EXIT_SUCCESS;
}
