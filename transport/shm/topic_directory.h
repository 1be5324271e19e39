// The directory of a topic that this process uses: joined by the users' lock, with the page of shared counters mapped.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "transport/shm/file.h"
#include "transport/shm/layout.h"
#include "transport/shm/lock.h"
#include "transport/shm/root.h"
#include "transport/shm/sharing.h"
#include "transport/status.h"

namespace weir::shm {

class TopicDirectory {
 public:
  // Joins the topic's directory, creating what is missing, and cleans what dead owners left in it (clean_topic).
  //
  // `root`: the opened directory place.root where the caller has it; else it is opened, and made as needed.
  //
  // Steps, each repeated from the start when a remover wins the race: mkdir; the epoch file, made unnamed and linked;
  // the users' lock, shared; does the name still lead to the locked file; the topic file, made unnamed with magic,
  // version, full topic and clock, and linked, or the one that is there checked.
  //
  // Errors: permission_denied, also for a directory of another user that no group shares; resource_exhausted; corrupt
  // for a topic or epoch file that is too short, has the wrong magic, or names another topic; incompatible for another
  // layout version, naming both; unsupported; unavailable when a remover that does not go on (it is stopped) keeps the
  // topic locked. After an error nothing of the attempt is left, and what is corrupt or incompatible is left as it was
  // found.
  [[nodiscard]] static Result<std::unique_ptr<TopicDirectory>> join(const Place& place, File root = File());

  // Leaves: drops the users' lock and removes the topic if this was the last user. In a forked child, does nothing
  // shared.
  ~TopicDirectory();

  TopicDirectory(const TopicDirectory&) = delete;
  TopicDirectory& operator=(const TopicDirectory&) = delete;

  [[nodiscard]] int descriptor() const noexcept { return directory_.get(); }
  [[nodiscard]] const Place& place() const noexcept { return place_; }
  // For whom the files in it are.
  [[nodiscard]] Audience audience() const noexcept { return audience_; }
  // Readable in a forked child too, like all mappings but the lock's.
  [[nodiscard]] SharedCounters& counters() const noexcept;
  // A copy, checked at join.
  [[nodiscard]] const TopicHeader& header() const noexcept { return header_; }

 private:
  TopicDirectory(Place place, File root);

  // One round of join(). False: a remover won, start again.
  Result<bool> try_join();
  Status open_own_root();
  Result<bool> open_directory();
  Result<bool> become_user();
  Result<bool> agree_on_topic();
  Status check_topic(const File& file);

  // Files of the directory: one that is there, and a new one of a page that begins with `content`.
  [[nodiscard]] Result<File> open(const char* name, int flags) const;
  [[nodiscard]] Status make(const char* name, std::span<const std::byte> content, mode_t mode, GroupMay may) const;

  // "topic "camera": cannot <attempt> /dev/shm/...": what system_error wants.
  [[nodiscard]] std::string what(std::string_view attempt, std::string_view file = {}) const;
  [[nodiscard]] tl::unexpected<Error> spoiled(ErrorCode code, std::string_view file, std::string_view fault) const;

  Place place_;
  std::uint64_t process_;  // that joined (process.h)
  File root_;
  File directory_;
  Audience audience_ = Audience::owner;
  Lock user_;
  Mapping epoch_;
  TopicHeader header_{};
};

}  // namespace weir::shm
