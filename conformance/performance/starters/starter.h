// A program that has one peer linked in and nothing else, to be started afresh: for the time to its first message, for
// the memory of a topic, and to be watched by a tool that counts instructions.
//
//   starter receive NAME          opens, receives one message, tells when
//   starter send NAME             opens, sends one message as soon as somebody is there, tells when it was started
//   starter idle-receive NAME N   opens N topics and tells how much memory that took; sends nothing
//   starter idle-send NAME N      the same for the sender
//   starter exchange NAME N       sends N messages to itself, one after the other
//
// It tells its figure on standard output as a line, then waits until its standard input ends.
#pragma once

#include <sys/prctl.h>
#include <unistd.h>

#include <csignal>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <fstream>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "conformance/performance/batches.h"
#include "conformance/performance/failure.h"
#include "conformance/performance/loads/exchange.h"
#include "conformance/performance/peers/peer.h"

namespace weir::performance {

namespace starter {

inline constexpr Task task{.message = {64, Touch::nothing}, .blocking = true};

inline void tell(double figure) {
  std::printf("%.0f\n", figure);
  std::fflush(stdout);
}

// Until whoever started this has seen enough.
inline void await_end() {
  char ignored = 0;
  while (read(STDIN_FILENO, &ignored, 1) > 0) {
  }
}

// Memory of this process that no other has, and that no file backs.
[[nodiscard]] inline double anonymous_bytes() {
  std::ifstream file("/proc/self/status");
  const std::string key = "RssAnon:";
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with(key)) {
      return std::stod(line.substr(key.size())) * 1024;
    }
  }
  fail("/proc/self/status has no RssAnon");
}

template <class Make>
void open_topics(const std::string& role, const std::string& name, std::uint64_t count, Make make) {
  using Type = std::remove_cvref_t<decltype(*make(task, name))>;
  const double before = anonymous_bytes();
  std::vector<decltype(std::declval<Type>().sender(there))> senders;
  std::vector<decltype(std::declval<Type>().receiver(there))> receivers;
  std::vector<decltype(make(task, name))> carriers;
  for (std::uint64_t topic = 0; topic < count; ++topic) {
    carriers.push_back(make(task, name + std::to_string(topic) + "-"));
    if (role == "idle-send") {
      senders.push_back(carriers.back()->sender(there));
    } else {
      receivers.push_back(carriers.back()->receiver(there));
    }
  }
  for (auto& sender : senders) {
    sender.await_receivers(1);
  }
  tell(anonymous_bytes() - before);
  await_end();
}

template <class Make>
void exchange(const std::string& name, std::uint64_t count, Make make) {
  const auto carrier = make(task, name);
  auto receiver = carrier->receiver(there);
  auto sender = carrier->sender(there);
  sender.await_receivers(1);
  for (std::uint64_t number = 0; number < count; ++number) {
    performance::send(sender, task.message, number);
    performance::receive(receiver, task, number);
  }
}

template <class Make>
void run(const std::string& role, const std::string& name, std::uint64_t count, Make make) {
  const double started = wall_nanoseconds();
  if (role == "send") {
    const auto carrier = make(task, name);
    auto sender = carrier->sender(there);
    sender.await_receivers(1);
    performance::send(sender, task.message, 0);
    tell(started);
    await_end();
  } else if (role == "receive") {
    const auto carrier = make(task, name);
    auto receiver = carrier->receiver(there);
    performance::receive(receiver, task, 0);
    tell(wall_nanoseconds());
    await_end();
  } else if (role == "exchange") {
    exchange(name, count, make);
  } else {
    open_topics(role, name, count, make);
  }
}

}  // namespace starter

// `make(task, name)`: a carrier that all processes with this name share.
template <class Make>
int starter_main(int count, char** arguments, Make make) {
  // Whoever started it ends it; if that one is killed, the kernel does.
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  try {
    if (count < 3) fail("usage: starter send|receive|idle-send|idle-receive|exchange NAME [N]");
    starter::run(arguments[1], arguments[2], count > 3 ? std::stoull(arguments[3]) : 1, make);
    return 0;
  } catch (const std::exception& thrown) {
    std::fprintf(stderr, "%s: %s\n", arguments[0], thrown.what());
    return 1;
  }
}

}  // namespace weir::performance
