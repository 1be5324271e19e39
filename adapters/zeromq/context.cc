#include "adapters/zeromq/context.h"

#include <pthread.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <map>
#include <mutex>

#include <zmq.h>

#include "adapters/zeromq/endpoints.h"
#include "adapters/zeromq/failure.h"
#include "transport/process.h"

namespace weir::zeromq {
namespace {

// libzmq's default of 1,023 is less than a process may have descriptors for; a slot costs 12 bytes.
constexpr int most_sockets = 16'383;

// What a context takes for itself: an epoll and an event descriptor for each of its two threads and one for its own
// mailbox, and one more for the socket.
constexpr int descriptors_of_a_context = 6;

}  // namespace

// Never destroyed: threads of libzmq may outlive static objects.
class SharedContext {
 public:
  explicit SharedContext(std::uint64_t generation) : generation_(generation) {}

  [[nodiscard]] static SharedContext& of_this_process();
  [[nodiscard]] bool of_another_process() const noexcept { return generation_ != spi::process_generation(); }

  [[nodiscard]] Result<void*> socket(std::string_view endpoint, int type);
  void close(void* socket) noexcept;
  void tell(PeerId id, std::vector<std::string> endpoints);
  [[nodiscard]] std::vector<std::string> bound(PeerId id);
  [[nodiscard]] void* native() noexcept {
    const std::lock_guard lock(mutex_);
    return context_;
  }

 private:
  Status make_context(std::string_view endpoint);
  static void at_exit();

  static constinit std::atomic<SharedContext*> current;

  const std::uint64_t generation_;
  std::mutex mutex_;
  void* context_ = nullptr;
  std::uint64_t open_sockets_ = 0;
  std::map<PeerId, std::vector<std::string>> bound_;
  bool ended_ = false;
};

constinit std::atomic<SharedContext*> SharedContext::current{nullptr};

SharedContext& SharedContext::of_this_process() {
  SharedContext* found = current.load(std::memory_order_acquire);
  const std::uint64_t generation = spi::process_generation();
  while (found == nullptr || found->generation_ != generation) {
    // The one of a parent is left as it is: a thread that is not here may have held its mutex.
    auto* made = new SharedContext(generation);
    if (current.compare_exchange_strong(found, made, std::memory_order_acq_rel)) return *made;
    delete made;
  }
  return *found;
}

// libzmq aborts the process if a new context lacks descriptors or threads, so what it will take is tried before.
Status SharedContext::make_context(std::string_view endpoint) {
  std::array<int, descriptors_of_a_context> tried{};
  int fault = 0;
  for (int& descriptor : tried) {
    descriptor = eventfd(0, EFD_CLOEXEC);
    if (descriptor < 0) fault = errno;
  }
  for (const int descriptor : tried) {
    if (descriptor >= 0) ::close(descriptor);
  }
  if (fault != 0) return socket_failure(endpoint, "making the ZeroMQ context", fault);
  pthread_t thread{};
  fault = pthread_create(
      &thread, nullptr, [](void*) -> void* { return nullptr; }, nullptr);
  if (fault != 0) return socket_failure(endpoint, "a thread for the ZeroMQ context", ENOMEM);
  pthread_join(thread, nullptr);

  context_ = zmq_ctx_new();
  if (context_ == nullptr) return socket_failure(endpoint, "making the ZeroMQ context", errno);
  zmq_ctx_set(context_, ZMQ_MAX_SOCKETS, most_sockets);
  static constinit std::atomic<bool> registered{false};
  if (!registered.exchange(true)) std::atexit(at_exit);
  return {};
}

Result<void*> SharedContext::socket(std::string_view endpoint, int type) {
  const std::lock_guard lock(mutex_);
  if (ended_) return socket_failure(endpoint, "opening a socket while the process ends", ETERM);
  if (context_ == nullptr) {
    if (Status made = make_context(endpoint); !made) return tl::unexpected(made.error());
  }
  void* socket = zmq_socket(context_, type);
  if (socket == nullptr) return socket_failure(endpoint, "opening a socket", errno);
  ++open_sockets_;
  return socket;
}

void SharedContext::close(void* socket) noexcept {
  zmq_close(socket);
  const std::lock_guard lock(mutex_);
  --open_sockets_;
}

void SharedContext::tell(PeerId id, std::vector<std::string> endpoints) {
  const std::lock_guard lock(mutex_);
  if (endpoints.empty()) {
    bound_.erase(id);
  } else {
    bound_[id] = std::move(endpoints);
  }
}

std::vector<std::string> SharedContext::bound(PeerId id) {
  const std::lock_guard lock(mutex_);
  const auto found = bound_.find(id);
  return found == bound_.end() ? std::vector<std::string>() : found->second;
}

void SharedContext::at_exit() {
  SharedContext* shared = current.load(std::memory_order_acquire);
  if (shared->of_another_process()) return;  // a forked child that never opened anything
  {
    const std::lock_guard lock(shared->mutex_);
    shared->ended_ = true;
    // Termination waits for every socket to be closed, which nobody may ever do now.
    if (shared->open_sockets_ != 0 || shared->context_ == nullptr) return;
  }
  while (zmq_ctx_term(shared->context_) != 0 && errno == EINTR) {
  }
}

void Socket::close() noexcept {
  void* handle = std::exchange(handle_, nullptr);
  if (handle != nullptr && !owner_->of_another_process()) owner_->close(handle);
}

Result<Socket> open_socket(std::string_view endpoint, int type) {
  SharedContext& shared = SharedContext::of_this_process();
  return shared.socket(endpoint, type).map([&](void* handle) { return Socket(handle, &shared); });
}

void tell_bound_endpoints(PeerId id, std::vector<std::string> endpoints) {
  SharedContext::of_this_process().tell(id, std::move(endpoints));
}

std::vector<std::string> bound_endpoints(PeerId id) { return SharedContext::of_this_process().bound(id); }

void* native_context() noexcept { return SharedContext::of_this_process().native(); }

}  // namespace weir::zeromq
