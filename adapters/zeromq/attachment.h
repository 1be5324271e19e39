// Binds and connects a socket to its native endpoints, and takes back the ipc names that it bound.
//
// What ZeroMQ leaves to chance is settled here, before it is asked:
//   - zmq_bind silently takes an ipc name away from a living binder: refused with name_taken;
//   - zmq_bind deletes whatever file is at the path: refused with invalid_argument unless it is a socket;
//   - it never deletes its own socket file: done at close, if the file is still the one that was bound.
// The socket file of a process that was killed stays until somebody binds the name again.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "adapters/zeromq/context.h"
#include "adapters/zeromq/options.h"
#include "transport/status.h"

namespace weir::zeromq {

// The longest path of an ipc endpoint, in bytes: what fits into a Unix socket address.
inline constexpr std::size_t longest_ipc_path = 107;

class Attachment {
 public:
  Attachment() = default;
  Attachment(Attachment&& other) noexcept : files_(std::move(other.files_)), bound_(std::move(other.bound_)) {
    other.files_.clear();
  }
  Attachment& operator=(Attachment&& other) noexcept {
    std::swap(files_, other.files_);
    std::swap(bound_, other.bound_);
    return *this;
  }
  Attachment(const Attachment&) = delete;
  Attachment& operator=(const Attachment&) = delete;
  ~Attachment() { release(); }

  // Removes the socket files, so that the names are free at once. Call it before the socket is closed.
  void release() noexcept;

  // The endpoints that were bound, as ZeroMQ resolved them: with the port that it chose for port 0.
  [[nodiscard]] const std::vector<std::string>& bound() const noexcept { return bound_; }

 private:
  friend Result<Attachment> attach(zmq::socket_ref socket, const Options& options);
  Status bind(zmq::socket_ref socket, const std::string& uri, const std::string& native);

  struct File {
    std::string path;
    dev_t device;
    ino_t inode;
  };
  std::vector<File> files_;
  std::vector<std::string> bound_;
};

// Sets what both roles have in common (keys, reconnection) first.
// Errors: those of set_keys(); name_taken, invalid_argument, limit_exceeded for a path over longest_ipc_path, not_found
// for a directory that is not there, permission_denied.
[[nodiscard]] Result<Attachment> attach(zmq::socket_ref socket, const Options& options);

}  // namespace weir::zeromq
