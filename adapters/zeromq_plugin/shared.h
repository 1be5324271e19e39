// Counted references, and a lock that is seldom wanted by two.
#pragma once

#include <atomic>
#include <cstdint>
#include <thread>
#include <utility>

namespace weir::zmq_plugin {

// What is kept by several: class Self : public Counted<Self> deletes itself when the last reference goes. Thread-safe.
template <class Self>
class Counted {
 public:
  Counted() = default;
  Counted(const Counted&) = delete;
  Counted& operator=(const Counted&) = delete;

  void keep() noexcept { references_.fetch_add(1, std::memory_order_relaxed); }
  void let_go() noexcept {
    if (references_.fetch_sub(1, std::memory_order_acq_rel) == 1) delete static_cast<Self*>(this);
  }

 protected:
  ~Counted() = default;

 private:
  std::atomic<std::uint32_t> references_{1};
};

// One reference.
template <class Kept>
class Ref {
 public:
  Ref() = default;
  // Takes the reference over that `kept` was made with.
  explicit Ref(Kept* kept) noexcept : kept_(kept) {}
  Ref(const Ref& other) noexcept : kept_(other.kept_) {
    if (kept_ != nullptr) kept_->keep();
  }
  Ref(Ref&& other) noexcept : kept_(std::exchange(other.kept_, nullptr)) {}
  Ref& operator=(const Ref& other) noexcept {
    if (this != &other) {
      Ref copy(other);
      std::swap(kept_, copy.kept_);
    }
    return *this;
  }
  Ref& operator=(Ref&& other) noexcept {
    std::swap(kept_, other.kept_);
    return *this;
  }
  ~Ref() {
    if (kept_ != nullptr) kept_->let_go();
  }

  [[nodiscard]] Kept* get() const noexcept { return kept_; }
  Kept& operator*() const noexcept { return *kept_; }
  Kept* operator->() const noexcept { return kept_; }
  explicit operator bool() const noexcept { return kept_ != nullptr; }

 private:
  Kept* kept_ = nullptr;
};

// For std::lock_guard. It is held for as long as a message is copied, or a descriptor made, at most; and contended only
// where an application makes or closes large messages on another thread than it sends them.
class SpinLock {
 public:
  void lock() noexcept {
    while (!try_lock()) std::this_thread::yield();
  }
  bool try_lock() noexcept { return !held_.exchange(true, std::memory_order_acquire); }
  void unlock() noexcept { held_.store(false, std::memory_order_release); }

 private:
  std::atomic<bool> held_{false};
};

}  // namespace weir::zmq_plugin
