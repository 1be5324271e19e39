// The one thread that iceoryx's notifications wake. It rings the bells of the ports concerned, looks after what no
// notification tells, and watches RouDi.
//
// RouDi's absence is noticed within detection_limit, its being stuck within deadlock_limit (limits.h).
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <mutex>
#include <thread>
#include <unordered_map>

#include <iceoryx_posh/internal/popo/building_blocks/condition_variable_data.hpp>

#include "adapters/iceoryx/limits.h"
#include "adapters/iceoryx/probe.h"
#include "transport/status.h"

namespace weir::iceoryx {

class Runtime;

// What the attendant looks at.
class Attended {
 public:
  Attended() = default;
  Attended(const Attended&) = delete;
  Attended& operator=(const Attended&) = delete;

  // Something may have changed. Called on the attendant's thread; never after forget() has returned.
  virtual void look() noexcept = 0;
  // Whether it wants to be looked at every millisecond: what it waits for is never announced.
  [[nodiscard]] virtual bool impatient() const noexcept { return false; }

 protected:
  ~Attended() = default;
};

class Attendant {
 public:
  // Errors: those of Runtime::request and Probe::create.
  [[nodiscard]] static Result<std::unique_ptr<Attendant>> start(Runtime& runtime);
  Attendant(const Attendant&) = delete;
  Attendant& operator=(const Attendant&) = delete;
  ~Attendant();

  // From now on `attended` is looked at: now and then, and whenever its index is notified. Returns the index.
  [[nodiscard]] std::uint64_t attend(Attended& attended);
  void forget(Attended& attended) noexcept;

  // Where notifications go.
  [[nodiscard]] iox::popo::ConditionVariableData& condition() noexcept { return *condition_; }

  // Goes round at once.
  void hurry() noexcept;

 private:
  Attendant(Runtime& runtime, iox::popo::ConditionVariableData& condition, std::unique_ptr<Probe> probe);
  void work();
  void look_at(std::uint64_t index) noexcept;
  void look_at_all() noexcept;
  // Returns how long the next round may take.
  std::chrono::milliseconds go_round();
  void watch_roudi();

  Runtime& runtime_;
  iox::popo::ConditionVariableData* condition_;
  std::unique_ptr<Probe> probe_;
  std::chrono::steady_clock::time_point asked_;     // when the probe's conversation was begun
  std::chrono::steady_clock::time_point answered_;  // when it last came to its end
  bool asking_ = false;

  std::mutex mutex_;
  std::unordered_multimap<std::uint64_t, Attended*> attended_;  // by index; several may share one
  std::uint64_t next_index_ = 0;
  std::atomic<bool> ending_{false};
  std::thread thread_;
};

}  // namespace weir::iceoryx
