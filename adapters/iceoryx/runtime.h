// This process as RouDi knows it: one iceoryx runtime, shared by all endpoints, for as long as one of them lives.
//
// iceoryx's own runtime is a static object: it aborts when RouDi is away, cannot be made again when RouDi was, and
// speaks for its parent in a forked child. So weir makes the runtime itself and hands it to iceoryx as what
// PoshRuntime::getInstance() returns. A runtime that the application made before is used instead.
//
// Thread-safe.
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include <iceoryx_posh/runtime/posh_runtime.hpp>

#include "adapters/iceoryx/limits.h"
#include "adapters/iceoryx/probe.h"
#include "transport/status.h"

namespace weir::iceoryx {

class Attendant;
class RoudiProcess;

class Runtime {
 public:
  // Starts a RouDi where none runs; may be empty.
  using Spawn = std::function<Result<std::unique_ptr<RoudiProcess>>()>;

  // The runtime of this process, made if there is none that works. Errors: unavailable, saying how to start RouDi.
  [[nodiscard]] static Result<std::shared_ptr<Runtime>> join(const Spawn& spawn);

  Runtime(const Runtime&) = delete;
  Runtime& operator=(const Runtime&) = delete;
  ~Runtime();

  // Why nothing can be done any more: RouDi died, was restarted, is stuck, or has struck this process off its list.
  // Null as long as all is well. What it points to lives as long as the runtime.
  [[nodiscard]] const Error* gone() const noexcept { return gone_.load(std::memory_order_acquire); }
  // The first cause holds.
  void lose(std::string reason);

  // Asks RouDi for a port or the like. Errors: unavailable if it does not answer (then it is lost); resource_exhausted
  // or internal if it refuses, with iceoryx's name for the reason.
  template <class Data>
  Result<Data*> request(std::function<Data*(iox::runtime::PoshRuntime&)> ask) {
    return ask_roudi([ask = std::move(ask)](iox::runtime::PoshRuntime& runtime) -> void* { return ask(runtime); })
        .map([](void* data) { return static_cast<Data*>(data); });
  }

  // Wakes ports and watches RouDi.
  [[nodiscard]] Attendant& attendant() noexcept { return *attendant_; }
  [[nodiscard]] const RoudiIdentity& roudi() const noexcept { return roudi_; }
  [[nodiscard]] const std::string& name() const noexcept { return name_; }

 private:
  class Posh;
  Runtime(std::string name, RoudiIdentity roudi);
  static Result<std::shared_ptr<Runtime>> make(const Spawn& spawn);
  // Makes the iceoryx runtime. Errors: unavailable.
  Status connect();
  Result<void*> ask_roudi(std::function<void*(iox::runtime::PoshRuntime&)> ask);
  // Deletes it, after which another can be made, or leaves it be in a forked child.
  static void retire(Runtime* runtime) noexcept;
  [[nodiscard]] bool inherited() const noexcept;

  std::string name_;
  RoudiIdentity roudi_;
  std::uint64_t process_;
  std::unique_ptr<RoudiProcess> own_roudi_;  // goes last
  std::unique_ptr<Posh> posh_;               // null if the application's own is used
  iox::runtime::PoshRuntime* runtime_ = nullptr;
  std::unique_ptr<Attendant> attendant_;
  std::atomic<const Error*> gone_{nullptr};
};

}  // namespace weir::iceoryx
