// Runs what may block for ever, and does not wait for it for ever.
#pragma once

#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>

namespace weir::iceoryx {

// The result of `call`, which runs on a thread of its own that has ended, with all that `call` holds, when this
// returns; empty if it has none within `limit`. Then the thread is left behind, and `late` is given the result if there
// ever is one.
template <class Call, class Late>
auto bounded(std::chrono::nanoseconds limit, Call call, Late late) -> std::optional<decltype(call())> {
  using Value = decltype(call());
  struct Shared {
    std::mutex mutex;
    std::condition_variable changed;
    std::optional<Value> value;
    bool abandoned = false;
  };
  const auto shared = std::make_shared<Shared>();
  std::thread thread([shared, call = std::move(call), late = std::move(late)]() mutable {
    Value value = call();
    {
      const std::lock_guard lock(shared->mutex);
      if (!shared->abandoned) {
        shared->value.emplace(std::move(value));
        shared->changed.notify_one();
        return;
      }
    }
    late(std::move(value));
  });
  {
    std::unique_lock lock(shared->mutex);
    shared->changed.wait_for(lock, limit, [&] { return shared->value.has_value(); });
    shared->abandoned = !shared->value.has_value();
  }
  if (shared->abandoned) {
    thread.detach();
    return std::nullopt;
  }
  thread.join();
  return std::move(shared->value);
}

}  // namespace weir::iceoryx
