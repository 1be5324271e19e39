// A publisher or a subscriber in a process of its own, which checks whatever it sees and says what it comes to.
//
//   peer publish iceoryx://A/B/C?history=4 [microseconds between messages]
//   peer subscribe iceoryx://A/B/C?depth=8 [samples to hold]
//
// It says `ready`, then `at N` now and then, and at the end, upon SIGTERM or an error, `ended …`. It exits with 0
// unless something was wrong: an account of losses that does not add up, a torn message, a call that took longer than
// stated.
#include <signal.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <chrono>
#include <cstring>
#include <deque>
#include <map>
#include <string>
#include <thread>

#include <fmt/format.h>

#include "adapters/iceoryx/testing/peer_limits.h"
#include "transport/node.h"

namespace weir::iceoryx {
namespace {

using Clock = std::chrono::steady_clock;

std::atomic<bool> ended{false};

void say(const std::string& text) {
  const std::string line = text + '\n';
  [[maybe_unused]] const auto written = ::write(STDOUT_FILENO, line.data(), line.size());
}

[[noreturn]] void wrong(const std::string& text) {
  say("WRONG: " + text);
  ::_exit(3);
}

// Everything that is called goes through here: a call may take its own waiting time and the time stated for noticing
// that RouDi is gone or stuck, no more.
template <class Call>
auto timed(const char* name, std::chrono::milliseconds own_wait, Call call) {
  const auto begun = Clock::now();
  auto result = call();
  const auto took = Clock::now() - begun;
  if (took > own_wait + longest_call) {
    wrong(fmt::format("{} took {} ms", name, std::chrono::duration_cast<std::chrono::milliseconds>(took).count()));
  }
  return result;
}

// Says how far it is, fifty times a second.
class Progress {
 public:
  void note(std::uint64_t count) {
    if (Clock::now() < next_) return;
    next_ = Clock::now() + std::chrono::milliseconds(20);
    say(fmt::format("at {}", count));
  }

 private:
  Clock::time_point next_ = Clock::now();
};

struct Content {
  std::uint64_t number;
  std::array<std::uint64_t, 15> same;

  static Content of(std::uint64_t number) {
    Content content{.number = number, .same = {}};
    content.same.fill(~number);
    return content;
  }
  friend bool operator==(const Content&, const Content&) = default;
};

int publish(Node& node, const std::string& uri, std::chrono::microseconds interval) {
  auto publisher = node.publisher(uri);
  if (!publisher) {
    say(fmt::format("ended with {}: {}", to_string(publisher.error().code()), publisher.error().message()));
    return 0;
  }
  say("ready");
  Progress progress;
  std::uint64_t number = 0;
  while (!ended) {
    progress.note(number);
    const Content content = Content::of(number);
    const auto sent =
        timed("send", std::chrono::seconds(1), [&] { return publisher->send(std::as_bytes(std::span(&content, 1))); });
    if (sent) {
      if (*sent != number) wrong(fmt::format("publish returned #{}, not #{}", *sent, number));
      ++number;
    } else if (sent.error().code() == ErrorCode::unavailable) {
      say(fmt::format("ended with unavailable after {}", number));
      return 0;
    } else if (sent.error().code() != ErrorCode::resource_exhausted &&
               sent.error().code() != ErrorCode::back_pressure) {
      wrong(sent.error().message());
    }
    if (interval.count() > 0) std::this_thread::sleep_for(interval);
  }
  say(fmt::format("ended after {}", number));
  return 0;
}

class Account {
 public:
  void check(const Sample& sample) {
    Content content{};
    if (sample.payload().size() != sizeof(content)) wrong("a message of another size");
    std::memcpy(&content, sample.payload().data(), sizeof(content));
    if (content != Content::of(sample.sequence())) wrong(fmt::format("#{} is torn or mixed up", sample.sequence()));
    const auto known = next_.find(sample.publisher());
    if (known != next_.end() && sample.sequence() != known->second + sample.lost_before()) {
      wrong(fmt::format("#{} of {:x} came with {} announced lost, where #{} was the next", sample.sequence(),
                        sample.publisher(), sample.lost_before(), known->second));
    }
    next_[sample.publisher()] = sample.sequence() + 1;
    lost_ += sample.lost_before();
  }
  [[nodiscard]] std::uint64_t lost() const { return lost_; }

 private:
  std::map<PeerId, std::uint64_t> next_;
  std::uint64_t lost_ = 0;
};

int subscribe(Node& node, const std::string& uri, std::size_t hold) {
  auto subscriber = node.subscriber(uri);
  if (!subscriber) {
    say(fmt::format("ended with {}: {}", to_string(subscriber.error().code()), subscriber.error().message()));
    return 0;
  }
  say("ready");
  Progress progress;
  Account account;
  std::deque<Sample> held;
  std::uint64_t taken = 0;
  const auto unavailable = [&](const Error& error) {
    if (error.code() != ErrorCode::unavailable) wrong(error.message());
    say(fmt::format("ended with unavailable after {}, lost {}", taken, account.lost()));
    return 0;
  };
  while (!ended) {
    progress.note(taken);
    constexpr std::chrono::milliseconds wait(50);
    const auto wake = timed("wait", wait, [&] { return subscriber->wait(after(wait)); });
    if (!wake) return unavailable(wake.error());
    while (true) {
      auto sample = timed("take", std::chrono::milliseconds(0), [&] { return subscriber->take(); });
      if (!sample) return unavailable(sample.error());
      if (!*sample) break;
      account.check(*sample);
      ++taken;
      held.push_back(std::move(*sample));
      if (held.size() > hold) held.pop_front();
      progress.note(taken);
      if (ended) break;
    }
  }
  say(fmt::format("ended after {}, lost {}", taken, account.lost()));
  return 0;
}

}  // namespace
}  // namespace weir::iceoryx

int main(int count, char** arguments) {
  using namespace weir;
  struct sigaction action {};
  action.sa_handler = [](int) { iceoryx::ended = true; };
  sigaction(SIGTERM, &action, nullptr);
  auto node = Node::open();
  if (!node || count < 3) return 2;
  const std::string role = arguments[1];
  const unsigned long number = count > 3 ? std::stoul(arguments[3]) : 0;
  const int result = role == "publish" ? iceoryx::publish(*node, arguments[2], std::chrono::microseconds(number))
                                       : iceoryx::subscribe(*node, arguments[2], number);
  return result;
}
