#include "examples/quickstart/publisher_role.h"

#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <optional>
#include <thread>

#include <fmt/format.h>

#include "examples/quickstart/message.h"
#include "transport/node.h"

namespace quickstart {
namespace {

using std::chrono::steady_clock;

// Waits for one byte from the conductor.
weir::Status await_go(int commands) {
  char byte = 0;
  ssize_t got = 0;
  do {
    got = read(commands, &byte, 1);
  } while (got < 0 && errno == EINTR);
  return got == 1 ? weir::Status() : weir::failure(weir::ErrorCode::closed, "the conductor is gone");
}

// Publishes for as long as it takes: a lossless subscriber may hold us back.
weir::Status publish_patiently(weir::Loan& loan) {
  while (true) {
    const weir::Result<std::uint64_t> sequence = loan.publish();
    if (sequence) {
      return {};
    }
    // Back-pressure: a lossless subscriber took nothing for longer than our deadline. Nothing was sent, no sequence
    // number was spent, and the loan is still ours: try again.
    if (sequence.error().code() != weir::ErrorCode::back_pressure) {
      return tl::unexpected(sequence.error());
    }
  }
}

// Passes on what has changed among the subscribers: joined, left, died.
weir::Status report_events(weir::Publisher& publisher, Reporter& reports) {
  if (publisher.capabilities().membership != weir::MembershipView::full) {
    return {};
  }
  while (true) {
    const auto event = publisher.next_event();
    if (!event) {
      return tl::unexpected(event.error());
    }
    if (!*event) {
      return {};
    }
    reports.event(fmt::format("{} {}", (*event)->peer.name, weir::to_string((*event)->change)));
  }
}

// One message: borrow memory that the subscribers will read, let the file be read right into it, publish.
weir::Status send(weir::Publisher& publisher, const Place& place, const Source& file) {
  weir::Result<weir::Loan> loan = publisher.loan(place.size, sizeof(place));
  if (!loan) {
    return tl::unexpected(loan.error());
  }
  if (weir::Status read = file.read(place.offset, loan->payload()); !read) {
    return read;
  }
  std::memcpy(loan->header().data(), &place, sizeof(place));
  return publish_patiently(*loan);
}

// Sleeps until then, if that is still to come; returns how long it slept.
std::chrono::nanoseconds pause_until(steady_clock::time_point then) {
  const steady_clock::time_point before = steady_clock::now();
  if (then <= before) {
    return std::chrono::nanoseconds(0);
  }
  std::this_thread::sleep_until(then);
  return steady_clock::now() - before;
}

}  // namespace

weir::Status run_publisher(const Task& task, const Source& file, Reporter& reports) {
  weir::Result<weir::Node> node = weir::Node::open();
  if (!node) {
    return tl::unexpected(node.error());
  }
  weir::Result<weir::Publisher> publisher = node->publisher(
      task.uri, {.name = task.name, .grant = weir::Grant::block, .depth = task.depth, .history = task.history});
  if (!publisher) {
    return tl::unexpected(publisher.error());
  }
  reports.joined();

  // What is published after this returned reaches all who were waited for, or is announced to them as lost.
  const bool counts = publisher->capabilities().membership >= weir::MembershipView::subscriptions;
  if (weir::Status ready = publisher->wait_for_subscribers(counts ? 2 : 1, weir::after(std::chrono::seconds(30)));
      !ready) {
    return ready;
  }

  const auto look_around = [&] { return report_events(*publisher, reports); };
  const std::array<std::uint64_t, 3> gates{0, file.size() / 2, file.size() / 4 * 3};
  auto gate = gates.begin();
  steady_clock::time_point began;
  Account account;
  Cutter cutter(file.size(), task.seed);
  while (const std::optional<Place> place = cutter.next()) {
    if (gate != gates.end() && place->offset >= *gate) {
      ++gate;
      reports.progress(account, true);
      if (weir::Status passed = await_go(task.commands).and_then(look_around); !passed) {
        return passed;
      }
    }
    if (account.messages == 0) {
      began = steady_clock::now();
    }
    // The message leaves when its last byte is due, if the stream is to last for people to watch it.
    const double share = static_cast<double>(place->offset + place->size) / static_cast<double>(file.size());
    account.paused += static_cast<std::uint64_t>(
        pause_until(began + std::chrono::duration_cast<std::chrono::nanoseconds>(task.pace * share)).count());
    if (weir::Status sent = send(*publisher, *place, file); !sent) {
      return sent;
    }
    account.messages += 1;
    account.bytes += place->size;
    if (reports.progress(account)) {  // not each time: see there
      if (weir::Status told = look_around(); !told) {
        return told;
      }
    }
  }
  reports.done(account);
  // What subscribers have not read yet outlives a publisher that leaves. Where a backend does not promise that, we stay
  // until the conductor has heard of the last one.
  return publisher->capabilities().survives_publisher ? weir::Status() : await_go(task.commands);
}

}  // namespace quickstart
