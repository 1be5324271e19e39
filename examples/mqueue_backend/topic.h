// The directory of a topic, root/escaped-topic, and what lies in it: for each subscriber ID.life, which it holds
// locked, and ID.PUBLISHER.SEQUENCE, the messages that wait for it and are too large for its queue.
//
// A lock of fcntl(2) is not inherited by children and ends with its process; but a process does not see its own, so
// subscribers of this process are remembered.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "transport/endpoint.h"
#include "transport/status.h"

namespace mqueue {

class Topic {
 public:
  // Errors: permission_denied.
  [[nodiscard]] static weir::Result<Topic> at(const weir::Endpoint& endpoint);

  [[nodiscard]] const std::string& name() const noexcept { return name_; }
  [[nodiscard]] const std::string& path() const noexcept { return path_; }

  // Makes a locked life file, visible only once it is locked, in a directory that is made if need be. Returns its
  // descriptor.
  [[nodiscard]] weir::Result<int> enter(const std::string& subscriber) const;
  // Removes it, the waiting files, the queue, and the directory if that was the last.
  void leave(const std::string& subscriber, int life) const noexcept;

  // The ids of the subscribers that live.
  [[nodiscard]] std::vector<std::string> subscribers() const;

  void make_directory() const noexcept;
  void remove_directory_if_empty() const noexcept;

  // Removes what the dead have left in all topics of the root.
  void sweep_root() const noexcept;

 private:
  Topic(std::string name, std::string root, std::string path)
      : name_(std::move(name)), root_(std::move(root)), path_(std::move(path)) {}

  std::string name_;
  std::string root_;
  std::string path_;
};

// The name of a subscriber's queue.
[[nodiscard]] std::string queue_of(const std::string& subscriber);

// A random number that is not 0.
[[nodiscard]] std::uint64_t random_id();

}  // namespace mqueue
