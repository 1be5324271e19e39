#include "adapters/iceoryx/attendant.h"

#include <algorithm>

#include <fmt/format.h>
#include <iceoryx_posh/internal/popo/building_blocks/condition_listener.hpp>

#include "adapters/iceoryx/runtime.h"

namespace weir::iceoryx {
namespace {

using Clock = std::chrono::steady_clock;

// How often all is looked at unasked. A publisher that is killed between its sample and its notification leaves a
// sample that nobody announces.
constexpr std::chrono::milliseconds round_length(100);
constexpr std::chrono::milliseconds impatient_round_length(1);
constexpr std::chrono::milliseconds time_between_probes(1000);
constexpr std::chrono::milliseconds answer_limit(4500);

// The last index is the attendant's own, by which it is told to hurry.
constexpr std::uint64_t own_index = iox::MAX_NUMBER_OF_NOTIFIERS - 1;

}  // namespace

Result<std::unique_ptr<Attendant>> Attendant::start(Runtime& runtime) {
  return Probe::create().and_then([&](std::unique_ptr<Probe>&& probe) {
    return runtime
        .request<iox::popo::ConditionVariableData>(
            [](iox::runtime::PoshRuntime& posh) { return posh.getMiddlewareConditionVariable(); })
        .map([&](iox::popo::ConditionVariableData* condition) {
          return std::unique_ptr<Attendant>(new Attendant(runtime, *condition, std::move(probe)));
        });
  });
}

Attendant::Attendant(Runtime& runtime, iox::popo::ConditionVariableData& condition, std::unique_ptr<Probe> probe)
    : runtime_(runtime), condition_(&condition), probe_(std::move(probe)), answered_(Clock::now()) {
  thread_ = std::thread([this] { work(); });
}

Attendant::~Attendant() {
  ending_ = true;
  hurry();
  thread_.join();
  condition_->m_toBeDestroyed.store(true, std::memory_order_relaxed);
  // RouDi has not answered yet, and would complain that the asker is gone.
  if (asking_ && runtime_.gone() == nullptr) probe_->wait(Clock::now() + request_limit);
}

void Attendant::hurry() noexcept {
  condition_->m_activeNotifications[own_index].store(true, std::memory_order_release);
  [[maybe_unused]] const auto posted = condition_->m_semaphore.post();
}

std::uint64_t Attendant::attend(Attended& attended) {
  const std::lock_guard lock(mutex_);
  const std::uint64_t index = next_index_++ % own_index;
  attended_.emplace(index, &attended);
  return index;
}

void Attendant::forget(Attended& attended) noexcept {
  const std::lock_guard lock(mutex_);
  std::erase_if(attended_, [&](const auto& entry) { return entry.second == &attended; });
}

void Attendant::look_at(std::uint64_t index) noexcept {
  const std::lock_guard lock(mutex_);
  const auto [first, last] = attended_.equal_range(index);
  std::for_each(first, last, [](const auto& entry) { entry.second->look(); });
}

void Attendant::look_at_all() noexcept {
  const std::lock_guard lock(mutex_);
  for (const auto& [index, attended] : attended_) attended->look();
}

std::chrono::milliseconds Attendant::go_round() {
  watch_roudi();
  look_at_all();
  const std::lock_guard lock(mutex_);
  const bool impatient =
      std::any_of(attended_.begin(), attended_.end(), [](const auto& entry) { return entry.second->impatient(); });
  return impatient ? impatient_round_length : round_length;
}

void Attendant::work() {
  iox::popo::ConditionListener listener(*condition_);
  auto next_round = Clock::now();
  while (!ending_) {
    if (Clock::now() >= next_round) next_round = Clock::now() + go_round();
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(next_round - Clock::now()).count();
    const auto wait = static_cast<std::uint64_t>(std::clamp<std::int64_t>(left, 0, round_length.count()));
    for (const std::uint64_t index : listener.timedWait(iox::units::Duration::fromMilliseconds(wait))) {
      if (index == own_index) {
        next_round = Clock::now();
      } else {
        look_at(index);
      }
    }
  }
}

void Attendant::watch_roudi() {
  if (runtime_.gone() != nullptr) return;
  const auto listening = listening_roudi();
  if (listening != runtime_.roudi()) {
    runtime_.lose(listening ? "RouDi was started anew, and the new one knows nothing of this process"
                            : "RouDi is gone");
    return;
  }
  const auto now = Clock::now();
  if (!asking_ && now - answered_ < time_between_probes) return;
  if (!asking_) asked_ = now;
  asking_ = probe_->step() == Probe::Answer::none;
  if (!asking_) {
    answered_ = now;
  } else if (now - asked_ > answer_limit) {
    runtime_.lose("RouDi is there and does not answer, as when it waits for a mutex that a killed process held");
  }
}

}  // namespace weir::iceoryx
