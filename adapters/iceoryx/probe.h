// Asks RouDi whether it still works, by registering a process and taking it back.
//
// Nothing less will do: the pid, the socket and the lock file of a RouDi whose threads wait for a mutex of a dead
// process are as they were. A probe never blocks: RouDi's socket holds ten messages, and a RouDi that is stuck does not
// read them.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "transport/deadline.h"
#include "transport/status.h"

namespace weir::iceoryx {

// Which RouDi listens at its socket. Two are equal if it is the same.
struct RoudiIdentity {
  std::uint64_t device = 0;
  std::uint64_t inode = 0;
  std::int64_t changed = 0;
  friend bool operator==(const RoudiIdentity&, const RoudiIdentity&) = default;
};

// Where RouDi listens, for messages.
inline constexpr const char* roudi_socket = "/tmp/roudi";

// The RouDi that listens now, or whose socket is there while this process has no descriptor left to ask; empty if there
// is none. Does not wait.
[[nodiscard]] std::optional<RoudiIdentity> listening_roudi() noexcept;

// One conversation at a time, each a registration and a farewell. Not thread-safe.
class Probe {
 public:
  // Errors: resource_exhausted, internal.
  [[nodiscard]] static Result<std::unique_ptr<Probe>> create();
  Probe(const Probe&) = delete;
  Probe& operator=(const Probe&) = delete;
  ~Probe();

  enum class Answer : std::uint8_t { none, answered };

  // Goes on with the conversation, or begins one. `answered` when RouDi has taken the registration back.
  Answer step();

  // The same until an answer or the deadline.
  Answer wait(Deadline deadline);

  [[nodiscard]] int descriptor() const noexcept { return socket_; }

 private:
  explicit Probe(std::string name, int socket) : name_(std::move(name)), socket_(socket) {}
  enum class Stage : std::uint8_t { idle, registering, leaving };
  bool tell(const std::string& message) const;
  [[nodiscard]] std::string hear() const;

  std::string name_;
  int socket_;
  Stage stage_ = Stage::idle;
};

// A word that no process uses: a runtime or socket name that begins with `weir-`, the pid, and something random.
[[nodiscard]] std::string unique_name(std::string_view role);

// Removes the sockets and locks that weir's processes left in /tmp when they were killed.
void sweep_dead_names() noexcept;

}  // namespace weir::iceoryx
