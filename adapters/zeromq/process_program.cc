// What can only be seen in a process of its own: its end, its limits, its signals, its children. Ends with 0 if all was
// as it should be, else says what was not.
//
//   process_program CASE ENDPOINT
#include <pthread.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <exception>
#include <map>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <fmt/format.h>
#include <zmq.h>

#include "adapters/zeromq/context.h"
#include "transport/node.h"

namespace weir::zeromq {
namespace {

using namespace std::chrono_literals;

template <class Value>
Value must(Result<Value> result) {
  if (!result) throw std::runtime_error(result.error().message());
  if constexpr (!std::is_void_v<Value>) return std::move(*result);
}

void check(bool holds, const char* what) {
  if (!holds) throw std::runtime_error(what);
}

template <class Value>
void check_fails(const Result<Value>& result, ErrorCode code, const char* call) {
  if (result) throw std::runtime_error(std::string(call) + " succeeded");
  if (result.error().code() != code) {
    throw std::runtime_error(
        fmt::format("{}: {}: {}", call, to_string(result.error().code()), result.error().message()));
  }
}

// Sends and ends: what is sent must arrive all the same.
void send_and_end(const std::string& uri) {
  Node node = must(Node::open());
  Publisher publisher = must(node.publisher(uri));
  must(publisher.wait_for_subscribers(1, never));
  const std::vector<std::byte> message(100'000);
  for (int sent = 0; sent < 100; ++sent) must(publisher.send(message));
}

// The end waits for no handle that is never destroyed, or destroyed later than the context's end.
void static_handles(const std::string& uri) {
  static Node node = must(Node::open());
  static std::optional<Publisher> publisher = must(node.publisher(uri));
  static auto* never_destroyed = new Subscriber(must(node.subscriber(uri)));
  must(publisher->wait_for_subscribers(1, never));
  must(publisher->send({}));
  must(never_destroyed->wait(never));
}

// The context is shut down beneath everybody.
void shutdown(const std::string& uri) {
  Node node = must(Node::open());
  Publisher publisher = must(node.publisher(uri + "&grant=block"));
  Subscriber subscriber = must(node.subscriber(uri));
  must(publisher.wait_for_subscribers(1, never));
  {
    const std::jthread later([] {
      std::this_thread::sleep_for(50ms);  // most likely while the wait sleeps; any moment will do
      zmq_ctx_shutdown(native_context());
    });
    check_fails(subscriber.wait(never), ErrorCode::closed, "Subscriber::wait");
  }
  check_fails(subscriber.take(), ErrorCode::closed, "take");
  check_fails(publisher.send({}), ErrorCode::closed, "send");
  check_fails(publisher.wait_for_subscribers(2, never), ErrorCode::closed, "wait_for_subscribers");
  check_fails(publisher.wait(never), ErrorCode::closed, "Publisher::wait");
  check_fails(node.publisher(uri), ErrorCode::closed, "publisher");
}

// libzmq itself aborts when its context finds no descriptor.
void descriptors(const std::string& uri) {
  rlimit limit{};
  getrlimit(RLIMIT_NOFILE, &limit);
  rlimit low = limit;
  Node node = must(Node::open());
  int refused = 0;
  for (low.rlim_cur = 4; low.rlim_cur < 40; ++low.rlim_cur) {
    setrlimit(RLIMIT_NOFILE, &low);
    Result<Publisher> publisher = node.publisher(uri);
    Result<int> descriptor = publisher ? publisher->fd() : tl::unexpected(publisher.error());
    if (!descriptor) {
      check_fails(descriptor, ErrorCode::resource_exhausted, "with few descriptors");
      ++refused;
    }
  }
  setrlimit(RLIMIT_NOFILE, &limit);
  check(refused > 3, "few descriptors were never too few");
  must(node.publisher(uri));
}

// Signals interrupt system calls, not waits.
void signals(const std::string& uri) {
  struct sigaction action {};
  action.sa_handler = [](int) {};  // without SA_RESTART
  sigaction(SIGUSR1, &action, nullptr);
  Node node = must(Node::open());
  Publisher publisher = must(node.publisher(uri + "&grant=block"));
  Subscriber subscriber = must(node.subscriber(uri));
  std::atomic<bool> done{false};
  std::jthread pelter([&done, target = pthread_self()] {
    while (!done) {
      pthread_kill(target, SIGUSR1);
      std::this_thread::yield();
    }
  });
  must(publisher.wait_for_subscribers(1, never));
  for (int round = 0; round < 200; ++round) {
    must(publisher.send({}));
    check(must(subscriber.wait(never)) == Wake::ready, "a wait ended early");
    check(static_cast<bool>(must(subscriber.take())), "a take came back with nothing after a wait");
  }
  check(must(subscriber.wait(after(20ms))) == Wake::deadline, "a wait did not last to its deadline");
  done = true;
}

// A child uses nothing of its parent's, has a context of its own, and ends without waiting for anybody.
void forks(const std::string& uri) {
  Node node = must(Node::open());
  Publisher publisher = must(node.publisher(uri));
  Subscriber subscriber = must(node.subscriber(uri));
  must(publisher.wait_for_subscribers(1, never));
  for (int child = 0; child < 3; ++child) {
    const pid_t process = fork();
    if (process == 0) {
      try {
        check_fails(publisher.send({}), ErrorCode::forked, "send");
        check_fails(subscriber.take(), ErrorCode::forked, "take");
        if (child > 0) {
          Node own = must(Node::open());
          Subscriber mine = must(own.subscriber(uri));
          check(must(mine.wait(never)) == Wake::ready, "the child hears nothing");
        }
        std::exit(0);  // NOLINT(concurrency-mt-unsafe): its exit handlers are what is tried
      } catch (const std::exception& thrown) {
        fmt::print(stderr, "child: {}\n", thrown.what());
        _exit(1);
      }
    }
    if (child > 0) {
      must(publisher.wait_for_subscribers(2, never));
      must(publisher.send({}));
    }
    int status = -1;
    check(waitpid(process, &status, 0) == process && status == 0, "a child ended badly");
    while (publisher.wait_for_subscribers(2, at_once)) {  // until it is known to be gone
    }
  }
  must(publisher.send({}));
  check(must(subscriber.wait(never)) == Wake::ready, "the parent hears nothing");
}

}  // namespace
}  // namespace weir::zeromq

int main(int count, char** arguments) {
  using namespace weir::zeromq;
  const std::map<std::string, void (*)(const std::string&)> cases{
      {"send_and_end", send_and_end}, {"static_handles", static_handles},
      {"shutdown", shutdown},         {"descriptors", descriptors},
      {"signals", signals},           {"forks", forks}};
  const std::vector<std::string> words(arguments + 1, arguments + count);
  const auto found = words.size() == 2 ? cases.find(words[0]) : cases.end();
  if (found == cases.end()) {
    fmt::print(stderr, "usage: process_program CASE ENDPOINT\n");
    return 2;
  }
  try {
    found->second(words[1]);
    return 0;
  } catch (const std::exception& thrown) {
    fmt::print(stderr, "process_program {}: {}\n", words[0], thrown.what());
    return 1;
  }
}
