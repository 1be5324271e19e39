// weir bench: how fast a backend is on this machine, between two processes, in a few seconds. A first impression:
// docs/performance.md has measurements that can be compared with each other.
#include "tools/weir/bench.h"

#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstring>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "tools/weir/commands.h"
#include "tools/weir/sending.h"
#include "tools/weir/target.h"
#include "transport/shm/file.h"

namespace weir::tool {
namespace {

using Clock = std::chrono::steady_clock;
constexpr std::array<std::size_t, 2> sizes{64, 1U << 20U};
constexpr auto patience = std::chrono::seconds(10);

// Topics of this process's own. Errors: unsupported where it could make none.
Result<BenchTopics> topics_of(Node& node, const Endpoint& backend) {
  const std::string name = fmt::format("weir-bench-{}", getpid());
  const auto topics = [&](auto topic_of_direction) {
    BenchTopics both;
    for (const auto& [direction, uri] : {std::pair("there", &both.there), std::pair("back", &both.back)}) {
      Endpoint endpoint = backend;
      endpoint.topic = topic_of_direction(direction);
      endpoint.options.try_emplace("depth", "64");
      *uri = endpoint.text();
    }
    return both;
  };
  if (backend.scheme == "shm")
    return topics([&](const char* direction) { return fmt::format("{}/{}", name, direction); });
  if (backend.scheme == "iceoryx") {
    return topics([&](const char* direction) { return fmt::format("weir/{}/{}", name, direction); });
  }
  // An abstract name leaves no file.
  if (backend.scheme == "zmq+ipc")
    return topics([&](const char* direction) { return fmt::format("@{}-{}", name, direction); });
  if (const auto known = node.capabilities(backend.text()); !known) return tl::unexpected(known.error());
  return failure(ErrorCode::unsupported,
                 fmt::format("weir bench makes topics of its own, and knows how on shm, iceoryx and zmq+ipc, not on {}",
                             backend.text()));
}

// The other process. It ends with this object.
class Answerer {
 public:
  static Result<Answerer> start(const BenchTopics& topics) {
    std::array<std::string, 4> words{"weir", "bench-answer", topics.there, topics.back};
    std::array<char*, 5> arguments{words[0].data(), words[1].data(), words[2].data(), words[3].data(), nullptr};
    pid_t pid = -1;
    const int error_number = posix_spawn(&pid, "/proc/self/exe", nullptr, nullptr, arguments.data(), environ);
    if (error_number != 0) return tl::unexpected(shm::system_error("cannot start a second process", error_number));
    return Answerer(pid);
  }
  Answerer(Answerer&& other) noexcept : pid_(std::exchange(other.pid_, -1)) {}
  Answerer& operator=(Answerer&&) = delete;
  Answerer(const Answerer&) = delete;
  Answerer& operator=(const Answerer&) = delete;
  ~Answerer() {
    if (pid_ < 0) return;
    kill(pid_, SIGTERM);
    waitpid(pid_, nullptr, 0);
  }

 private:
  explicit Answerer(pid_t pid) : pid_(pid) {}
  pid_t pid_;
};

class Measurement {
 public:
  Measurement(Session& session, Publisher there, Subscriber back, std::chrono::nanoseconds budget)
      : session_(session), there_(std::move(there)), back_(std::move(back)), budget_(budget) {}

  // Half of the time from a message to its answer; both sides sleep while they wait. Sorted, in nanoseconds.
  Result<std::vector<double>> one_way_times(std::size_t size) {
    constexpr std::size_t warming = 100;
    std::vector<double> times;
    const std::vector<std::byte> payload = message(size, BenchWord::answer);
    const auto end = after(budget_);
    for (std::size_t trip = 0; trip < 2 * warming || !passed(end); ++trip) {
      const auto begin = Clock::now();
      if (Status sent = send(payload); !sent) return tl::unexpected(sent.error());
      const Result<Sample> answer = next_message(back_, after(patience), stop());
      if (!answer) return tl::unexpected(answer.error());
      if (trip >= warming) times.push_back(std::chrono::duration<double, std::nano>(Clock::now() - begin).count() / 2);
    }
    std::sort(times.begin(), times.end());
    return times;
  }

  struct Stream {
    std::uint64_t sent = 0;
    std::uint64_t received = 0;
    double seconds = 0;
  };
  // Messages one behind the other, until the other side says that it had them.
  Result<Stream> stream(std::size_t size) {
    const std::vector<std::byte> payload = message(size, BenchWord::count);
    const auto begin = Clock::now();
    Stream stream;
    for (const auto end = after(budget_); !passed(end); ++stream.sent) {
      if (Status sent = send(payload); !sent) return tl::unexpected(sent.error());
    }
    if (Status sent = send(message(smallest_bench_message, BenchWord::tell)); !sent)
      return tl::unexpected(sent.error());
    const Result<Sample> told = next_message(back_, after(patience), stop());
    if (!told) return tl::unexpected(told.error());
    std::memcpy(&stream.received, &told->payload()[1], sizeof(stream.received));
    stream.seconds = std::chrono::duration<double>(Clock::now() - begin).count();
    return stream;
  }

 private:
  static std::vector<std::byte> message(std::size_t size, BenchWord word) {
    std::vector<std::byte> payload(size, std::byte{0x5a});
    payload[0] = static_cast<std::byte>(word);
    return payload;
  }
  Status send(std::span<const std::byte> payload) {
    return send_message(session_, there_, payload, {}, after(patience));
  }
  [[nodiscard]] std::stop_token stop() const { return session_.interrupts.token(); }

  Session& session_;
  Publisher there_;
  Subscriber back_;
  std::chrono::nanoseconds budget_;
};

void say(Console& console, const std::string& text, const Json& json) {
  if (console.json()) {
    console.document(json);
  } else {
    console.line(text);
  }
}

// Latency and throughput of messages of this size.
Status measure(Console& console, Measurement& measurement, std::size_t size) {
  const Result<std::vector<double>> times = measurement.one_way_times(size);
  if (!times) return tl::unexpected(times.error());
  const auto at = [&times](double share) {
    return times->at(static_cast<std::size_t>(share * static_cast<double>(times->size() - 1)));
  };
  const std::string name = bytes_text(static_cast<double>(size));
  say(console,
      fmt::format("{:>8}  one way: p50 {}, p99 {}, longest {} ({} messages)", name, duration_text(at(0.5) / 1e9),
                  duration_text(at(0.99) / 1e9), duration_text(at(1) / 1e9), times->size()),
      {{"measured", "one_way"},
       {"size", size},
       {"p50_ns", at(0.5)},
       {"p99_ns", at(0.99)},
       {"longest_ns", at(1)},
       {"messages", times->size()}});
  const Result<Measurement::Stream> stream = measurement.stream(size);
  if (!stream) return tl::unexpected(stream.error());
  const double rate = static_cast<double>(stream->received) / stream->seconds;
  say(console,
      fmt::format(
          "{:>8}  stream:  {} messages/s, {}/s{}", "", quantity_text(rate),
          bytes_text(rate * static_cast<double>(size)),
          stream->received == stream->sent ? "" : fmt::format("; {} were lost", stream->sent - stream->received)),
      {{"measured", "stream"},
       {"size", size},
       {"messages_per_second", rate},
       {"bytes_per_second", rate * static_cast<double>(size)},
       {"messages", stream->received},
       {"lost", stream->sent - stream->received}});
  return {};
}

Status bench(Session& session, const BenchOptions& options) {
  const Result<Endpoint> backend = backend_of(options.backend);
  if (!backend) return tl::unexpected(backend.error());
  const Result<Capabilities> capabilities = session.node.capabilities(backend->text());
  if (!capabilities) return tl::unexpected(capabilities.error());
  Endpoint with_policy = *backend;
  if (capabilities->lossless_block) {
    with_policy.options.try_emplace("policy", "lossless");
    with_policy.options.try_emplace("grant", "block");
  }
  const Result<BenchTopics> topics = topics_of(session.node, with_policy);
  if (!topics) return tl::unexpected(topics.error());
  Result<Publisher> there = session.node.publisher(topics->there);
  if (!there) return tl::unexpected(there.error());
  const Result<Answerer> answerer = Answerer::start(*topics);
  if (!answerer) return tl::unexpected(answerer.error());
  Result<Subscriber> back = session.node.subscriber(topics->back);
  if (!back) return tl::unexpected(back.error());
  Status met = there->wait_for_subscribers(1, after(patience), session.interrupts.token());
  if (!met) return met;
  session.console.note(
      fmt::format("{}, between two processes; each message is copied in whole, and its reader looks "
                  "at the first byte",
                  backend->scheme));
  const auto budget = std::chrono::nanoseconds(static_cast<std::int64_t>(options.seconds / 4 * 1e9));
  Measurement measurement(session, std::move(*there), std::move(*back), budget);
  for (const std::size_t size : sizes) {
    if (Status measured = measure(session.console, measurement, size); !measured) return measured;
  }
  return {};
}

}  // namespace

ExitCode run(Session& session, const BenchOptions& options) {
  const Status done = bench(session, options);
  return done || done.error().code() == ErrorCode::interrupted ? ExitCode::done : session.console.error(done.error());
}

}  // namespace weir::tool
