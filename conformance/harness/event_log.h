// Where a peer writes its events: memory that it shares with the test, so that they survive its SIGKILL and writing one
// costs no system call.
//
// One writer, any readers. An event is visible to readers once it is complete; a writer killed in between leaves the
// log as it was before.
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "conformance/history/event.h"
#include "transport/deadline.h"

namespace weir::conformance {

class EventLog {
 public:
  // Events that fit. The memory is only taken as it is written.
  static constexpr std::size_t capacity = 1U << 21U;

  // A new, empty log. Throws HarnessFailure.
  [[nodiscard]] static std::shared_ptr<EventLog> create();
  // The log behind a descriptor inherited from the test, which is closed.
  [[nodiscard]] static std::shared_ptr<EventLog> attach(int descriptor);

  EventLog(const EventLog&) = delete;
  EventLog& operator=(const EventLog&) = delete;
  ~EventLog();

  // For handing it on to a peer process; owned by the log.
  [[nodiscard]] int descriptor() const noexcept { return descriptor_; }

  // Writer: appends an event and its time. False when the log is full.
  bool append(Event event) noexcept;

  // Readers.
  [[nodiscard]] std::size_t size() const noexcept;
  // All events, or those from number `first` on.
  [[nodiscard]] std::vector<Event> events(std::size_t first = 0) const;

  // Waits until there are at least `count` events. False at the deadline.
  [[nodiscard]] bool wait_for(std::size_t count, Deadline deadline) const;

  // How far the publisher that works now has come: numbers whose publish was called, and was accepted. Cheaper than an
  // event for each; as durable.
  struct Progress {
    std::uint64_t begun = 0;
    std::uint64_t accepted = 0;
  };
  void set_progress(Progress progress) noexcept;
  [[nodiscard]] Progress progress() const noexcept;

  // A flag from the test to a peer that works until told to stop.
  void ask_to_halt() noexcept;
  void allow_to_go_on() noexcept;
  [[nodiscard]] bool asked_to_halt() const noexcept;

 private:
  struct Shared {
    std::atomic<std::uint32_t> count;
    std::atomic<std::uint32_t> readers_waiting;
    std::atomic<std::uint32_t> halt;
    std::atomic<std::uint64_t> begun;
    std::atomic<std::uint64_t> accepted;
    alignas(64) Event events[capacity];
  };

  EventLog(int descriptor, Shared* shared) : descriptor_(descriptor), shared_(shared) {}
  [[nodiscard]] static std::shared_ptr<EventLog> map(int descriptor);

  int descriptor_;
  Shared* shared_;
};

}  // namespace weir::conformance
