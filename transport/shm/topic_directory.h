// The directory of a topic that this process uses: joined by the users' lock, with the page of shared counters mapped.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "transport/shm/file.h"
#include "transport/shm/layout.h"
#include "transport/shm/lock.h"
#include "transport/shm/root.h"
#include "transport/status.h"

namespace weir::shm {

class TopicDirectory {
 public:
  // Joins the topic's directory, creating what is missing, and cleans what dead owners left in it (clean_topic).
  //
  // Steps, each repeated from the start when a remover wins the race: mkdir; the epoch file, made unnamed and linked;
  // the users' lock, shared; does the name still lead to the locked file; the topic file, made unnamed with magic, version,
  // full topic and clock, and linked, or the one that is there checked.
  //
  // Errors: permission_denied; resource_exhausted; corrupt for a topic or epoch file that is too short, has the wrong
  // magic, or names another topic; incompatible for another layout version, naming both; unsupported.
  [[nodiscard]] static Result<std::unique_ptr<TopicDirectory>> join(const Place& place);

  // Leaves: drops the users' lock and removes the topic if this was the last user. In a forked child, does nothing shared.
  ~TopicDirectory();

  TopicDirectory(const TopicDirectory&) = delete;
  TopicDirectory& operator=(const TopicDirectory&) = delete;

  [[nodiscard]] int descriptor() const noexcept { return directory_.get(); }
  [[nodiscard]] const Place& place() const noexcept { return place_; }
  [[nodiscard]] SharedCounters& counters() const noexcept;
  [[nodiscard]] const TopicHeader& header() const noexcept;

 private:
  TopicDirectory() = default;

  Place place_;
  File root_;
  File directory_;
  Lock user_;
  Mapping epoch_;
  Mapping topic_;
};

}  // namespace weir::shm
