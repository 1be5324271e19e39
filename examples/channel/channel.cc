// A channel between two programs through shared memory that is named by a file, with the hints that such a channel has
// to give: full, so that the peer drains it, and drained, so that it can be filled again.
//
//   channel bind    shm:///home/me/myfile?depth=8  < book.txt
//   channel connect shm:///home/me/myfile?depth=8  > copy.txt
//
// Bytes are read straight into the memory, and written straight from it. Either side may come first. What the programs
// say goes to their standard error.
//
// bind fails when it finds that its peer has gone. It cannot know that of one that goes after the last look, so what it
// has sent may have been read by nobody: connect alone knows that it has received all.
#include <unistd.h>

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

#include <fmt/format.h>

#include "transport/node.h"

namespace {

using namespace std::chrono_literals;

constexpr std::size_t block = 65536;
constexpr auto patience = 30s;

template <class... Words>
void say(fmt::format_string<Words...> text, Words&&... words) {
  fmt::print(stderr, "{}\n", fmt::format(text, std::forward<Words>(words)...));
}

int fail(std::string_view reason) {
  say("channel: {}", reason);
  return EXIT_FAILURE;
}

// Why there is no such channel over this transport; empty if there is.
std::string objection(const weir::Endpoint& endpoint, const weir::Capabilities& capabilities) {
  if (capabilities.zero_copy) return {};
  return fmt::format(
      "{} has no memory named by a file: \"{}\" names a socket, and every message is copied through the kernel. Use "
      "shm:// for this channel, or a program that does not ask for memory",
      endpoint.scheme, endpoint.topic);
}

// ---- bind ----

// Publishes the loan, and waits while the channel is full. An empty loan ends the channel.
weir::Status put(weir::Publisher& publisher, weir::Loan loan, std::uint64_t& times_full) {
  for (auto sent = loan.publish(weir::at_once); !sent; sent = loan.publish(weir::at_once)) {
    if (sent.error().code() != weir::ErrorCode::back_pressure) return tl::unexpected(sent.error());
    if (++times_full <= 3) say("full: the peer is to drain it");
    const auto drained = publisher.wait(weir::after(patience));
    if (!drained) return tl::unexpected(drained.error());
    if (*drained != weir::Wake::ready) return tl::unexpected(sent.error());
    if (times_full <= 3) say("drained: filling it again");
  }
  return {};
}

int bind(weir::Node& node, const char* uri) {
  auto publisher = node.publisher(uri, {.grant = weir::Grant::block});
  if (!publisher) return fail(publisher.error().message());
  say("bound {}", uri);
  if (auto ready = publisher->wait_for_subscribers(1, weir::after(patience)); !ready) {
    return fail(ready.error().message());
  }
  std::uint64_t bytes = 0;
  std::uint64_t times_full = 0;
  for (ssize_t size = 1; size > 0; bytes += static_cast<std::uint64_t>(size)) {
    auto loan = publisher->loan(block);
    if (!loan) return fail(loan.error().message());
    size = ::read(STDIN_FILENO, loan->payload().data(), block);
    if (size < 0) return fail("the standard input cannot be read");
    if (auto shrunk = loan->shrink(static_cast<std::size_t>(size)); !shrunk) return fail(shrunk.error().message());
    // To publish to nobody is no error.
    if (!publisher->wait_for_subscribers(1, weir::at_once)) return fail("the peer has gone before the end");
    if (auto done = put(*publisher, std::move(*loan), times_full); !done) return fail(done.error().message());
  }
  say("sent {} bytes, full {} times", bytes, times_full);
  return EXIT_SUCCESS;
}

// ---- connect ----

bool write_all(std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(STDOUT_FILENO, bytes.data(), bytes.size());
    if (written <= 0) return false;
    bytes = bytes.subspan(static_cast<std::size_t>(written));
  }
  return true;
}

int connect(weir::Node& node, const char* uri) {
  auto subscriber = node.subscriber(uri, {.policy = weir::SlowPolicy::lossless});
  if (!subscriber) return fail(subscriber.error().message());
  say("connected to {}", uri);
  std::uint64_t bytes = 0;
  std::uint64_t times_drained = 0;
  while (true) {
    auto sample = subscriber->take();
    if (!sample) return fail(sample.error().message());
    if (!*sample) {
      ++times_drained;
      const auto wake = subscriber->wait(weir::after(patience));
      if (!wake) return fail(wake.error().message());
      if (*wake != weir::Wake::ready) return fail("nothing came for half a minute, not even the end");
      continue;
    }
    if (sample->lost_before() > 0) return fail("a part is lost");
    if (sample->payload().empty()) break;
    if (!write_all(sample->payload())) return fail("the standard output cannot be written");
    bytes += sample->payload().size();
  }
  say("received {} bytes, drained {} times", bytes, times_drained);
  return EXIT_SUCCESS;
}

}  // namespace

int main(int count, char** arguments) {
  const std::string_view role = count == 3 ? arguments[1] : "";
  if (role != "bind" && role != "connect") return fail("usage: channel bind|connect URI");
  auto node = weir::Node::open();
  if (!node) return fail(node.error().message());
  const auto endpoint = weir::Endpoint::parse(arguments[2]);
  if (!endpoint) return fail(endpoint.error().message());
  const auto capabilities = node->capabilities(arguments[2]);
  if (!capabilities) return fail(capabilities.error().message());
  if (const std::string reason = objection(*endpoint, *capabilities); !reason.empty()) return fail(reason);
  return role == "bind" ? bind(*node, arguments[2]) : connect(*node, arguments[2]);
}
