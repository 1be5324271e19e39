#include "transport/shm/janitor.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <exception>
#include <vector>

#include "transport/log.h"
#include "transport/shm/events.h"
#include "transport/shm/lock.h"
#include "transport/shm/root.h"

namespace weir::shm {
namespace {

constexpr std::string_view cleaning = "cannot clean up";  // nobody reads it: a janitor that fails leaves it to the next

// True when the name is gone, whoever removed it.
bool unlink_name(int directory, const std::string& name) {
  return unlinkat(directory, name.c_str(), 0) == 0 || errno == ENOENT;
}

bool remove_directory(int root, const std::string& name) {
  return unlinkat(root, name.c_str(), AT_REMOVEDIR) == 0 || errno == ENOENT;
}

bool exists(int directory, const std::string& name) {
  struct stat status {};
  return fstatat(directory, name.c_str(), &status, AT_SYMLINK_NOFOLLOW) == 0 || errno != ENOENT;
}

// Whether the sticky bit of a shared directory lets us remove a name in it.
bool may_unlink(int directory, const std::string& name) {
  struct stat parent {};
  struct stat status {};
  if (fstat(directory, &parent) != 0 || fstatat(directory, name.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0) {
    return true;  // it shows when we try
  }
  const uid_t user = geteuid();
  return (parent.st_mode & S_ISVTX) == 0 || user == 0 || parent.st_uid == user || status.st_uid == user;
}

bool is_of(const std::string& name, SegmentName segment) {
  const std::optional<SegmentName> owner = parse_companion_name(name);
  return owner && owner->role == segment.role && owner->id == segment.id;
}

// Whether a dead subscriber was counted as a sleeper. Read, not mapped: the file may be of any length.
bool was_counted(const File& file) {
  std::uint64_t magic = 0;
  std::uint32_t counted = 0;
  return pread(file.get(), &magic, sizeof(magic), offsetof(SegmentHeader, magic)) == sizeof(magic) &&
         magic == subscriber_magic &&
         pread(file.get(), &counted, sizeof(counted), offsetof(SubscriberHeader, counted)) == sizeof(counted) &&
         counted == 1;
}

struct Unlocking {
  const File& file;
  LockRange range;
  ~Unlocking() { unlock(file, range); }
};

// Whether a living subscriber has joined that has not listed the topic since this publisher came: what it sent may
// still be wanted, though nobody holds the readers' lock yet.
bool may_be_wanted(int topic_directory, const File& publisher) {
  std::uint64_t first_word = 0;
  if (pread(publisher.get(), &first_word, sizeof(first_word), slots_offset + offsetof(Slot, word)) ==
          sizeof(first_word) &&
      first_word == 0) {
    return false;  // nothing was ever published
  }
  std::uint64_t born = 0;
  if (pread(publisher.get(), &born, sizeof(born), offsetof(PublisherHeader, born)) != sizeof(born)) return false;
  for (const std::string& entry : entries_of(topic_directory)) {
    const auto segment = parse_segment_name(entry);
    if (!segment || segment->role != Role::subscriber) continue;
    const Result<File> file = open_file(topic_directory, entry, O_RDONLY, cleaning);
    // Without a descriptor to look with, it is not known.
    if (!file && file.error().code() == ErrorCode::resource_exhausted) return true;
    if (!file || !is_locked(*file, owner_byte)) continue;
    std::uint32_t stage = 0;
    std::uint64_t listed = 0;
    if (pread(file->get(), &stage, sizeof(stage), offsetof(SubscriberHeader, stage)) == sizeof(stage) &&
        stage == static_cast<std::uint32_t>(Stage::joined) &&
        pread(file->get(), &listed, sizeof(listed), offsetof(SubscriberHeader, listed)) == sizeof(listed) &&
        listed < born) {
      return true;
    }
  }
  return false;
}

// Whether its owner left, rather than died.
bool was_closed(const File& file, SegmentName segment) {
  std::uint32_t stage = 0;
  const off_t where =
      segment.role == Role::publisher ? offsetof(PublisherHeader, stage) : offsetof(SubscriberHeader, stage);
  return pread(file.get(), &stage, sizeof(stage), where) == sizeof(stage) &&
         stage == static_cast<std::uint32_t>(Stage::left);
}

bool remove_segment(int topic_directory, SegmentName segment, SharedCounters& counters) {
  if (is_durable(segment.id)) return false;
  const std::string name = segment_name(segment.role, segment.id);
  const Result<File> file = open_file(topic_directory, name, O_RDWR, cleaning);
  if (!file) {
    // Nobody can own a symbolic link or a socket; a directory stays.
    return !exists(topic_directory, name) ||
           (file.error().code() == ErrorCode::corrupt && unlink_name(topic_directory, name));
  }
  if (!try_lock_briefly(*file, whole_segment, LockKind::exclusive)) return false;
  const Unlocking at_the_end{*file, whole_segment};
  if (!leads_to(topic_directory, name, *file)) return !exists(topic_directory, name);
  if (segment.role == Role::publisher && may_be_wanted(topic_directory, *file)) return false;
  // From here on the lock is held to the end: no other janitor, and no subscriber that comes late.
  for (const std::string& entry : entries_of(topic_directory)) {
    if (is_of(entry, segment) && !unlink_name(topic_directory, entry)) return false;
  }
  if (!unlink_name(topic_directory, name)) return false;
  // Not below 0, where a scribble may have put it: that would wrap to a count that joins could make too low.
  if (segment.role == Role::subscriber && was_counted(*file) && counters.sleepers.load() != 0) {
    counters.sleepers.fetch_sub(1);
  }
  if (spi::is_logged(Severity::info) && !was_closed(*file, segment)) tell_removed(topic_directory, segment);
  return true;
}

void clean(int topic_directory, SharedCounters& counters) {
  for (const std::string& entry : entries_of(topic_directory)) {
    if (const auto segment = parse_segment_name(entry)) {
      remove_segment(topic_directory, *segment, counters);
    } else if (const auto owner = parse_companion_name(entry); owner && !is_durable(owner->id)) {
      // The listing may have missed a segment that came meanwhile, so look. Such an id is not used twice: once its
      // segment is found missing after the companion was seen, it does not come back.
      if (!exists(topic_directory, segment_name(owner->role, owner->id))) unlink_name(topic_directory, entry);
    }
  }
}

// Holds the users' lock all the while: nobody becomes a user, and no other remover takes the epoch file away.
Erased remove_topic(int root, const std::string& name, bool even_durable) {
  if (!is_directory_name(name)) return Erased::files_stay;
  const Result<File> directory = open_file(root, name, O_RDONLY | O_DIRECTORY, cleaning);
  if (!directory) {
    return directory.error().code() == ErrorCode::not_found ? Erased::not_there : Erased::files_stay;
  }
  const Result<File> epoch = open_file(directory->get(), epoch_file, O_RDWR, cleaning);
  if (!epoch) {
    const bool is_empty = epoch.error().code() == ErrorCode::not_found && remove_directory(root, name);
    return is_empty ? Erased::gone : Erased::files_stay;
  }
  if (!try_lock_briefly(*epoch, users_byte, LockKind::exclusive)) return Erased::in_use;
  const Unlocking at_the_end{*epoch, users_byte};
  if (!leads_to(directory->get(), epoch_file, *epoch)) return Erased::in_use;
  const std::vector<std::string> entries = entries_of(directory->get());
  const auto is_kept = [](const std::string& entry) {
    const auto segment = parse_segment_name(entry);
    return segment && is_durable(segment->id);
  };
  if (!even_durable && std::any_of(entries.begin(), entries.end(), is_kept)) return Erased::files_stay;
  if (even_durable && !std::all_of(entries.begin(), entries.end(),
                                   [&](const std::string& entry) { return may_unlink(directory->get(), entry); })) {
    return Erased::files_stay;  // all of it or nothing
  }
  // Segments first: if this ends early, no durable publisher is left without its chunks. In a shared root there may be
  // files of others that only they may remove: what we may goes, and the topic stays until they come.
  const auto unlink_if = [&](auto&& is_ours) {
    return std::count_if(entries.begin(), entries.end(), [&](const std::string& entry) {
             return is_ours(entry) && !unlink_name(directory->get(), entry);
           }) == 0;
  };
  const auto is_segment = [](const std::string& entry) { return parse_segment_name(entry).has_value(); };
  const auto is_companion = [](const std::string& entry) { return parse_companion_name(entry).has_value(); };
  if (!unlink_if(is_segment) || !unlink_if(is_companion) || !unlink_name(directory->get(), topic_file)) {
    return Erased::files_stay;
  }
  const bool is_gone = unlink_name(directory->get(), epoch_file) && remove_directory(root, name);
  return is_gone ? Erased::gone : Erased::files_stay;
}

// For the log: the topic of a directory that may be gone soon.
std::string topic_of(int root, const std::string& name) {
  if (!spi::is_logged(Severity::info) || !is_directory_name(name)) return {};
  const Result<File> directory = open_file(root, name, O_RDONLY | O_DIRECTORY, cleaning);
  return directory ? topic_in(directory->get()) : std::string();
}

// A janitor that runs out of memory leaves the rest to the next one.
template <class Call>
bool unless_exhausted(Call&& call) noexcept {
  try {
    return call();
  } catch (const std::exception&) {
    return false;
  }
}

}  // namespace

bool remove_segment_if_dead(int topic_directory, SegmentName segment, SharedCounters& counters) noexcept {
  return unless_exhausted([&] { return remove_segment(topic_directory, segment, counters); });
}

void clean_topic(int topic_directory, SharedCounters& counters) noexcept {
  unless_exhausted([&] {
    clean(topic_directory, counters);
    return true;
  });
}

bool remove_topic_if_unused(int root, const std::string& name) noexcept {
  return unless_exhausted([&] {
    const Erased erased = remove_topic(root, name, false);
    return erased == Erased::gone || erased == Erased::not_there;
  });
}

Erased erase_topic(int root, const std::string& name) noexcept {
  Erased erased = Erased::files_stay;
  unless_exhausted([&] {
    erased = remove_topic(root, name, true);
    return true;
  });
  return erased;
}

void sweep(int root) noexcept {
  unless_exhausted([&] {
    for (const std::string& entry : entries_of(root)) {
      if (is_half_made(entry)) {
        remove_directory(root, entry);
      } else {
        const std::string topic = topic_of(root, entry);
        if (remove_topic(root, entry, false) == Erased::gone && !topic.empty()) tell_swept(topic);
      }
    }
    return true;
  });
}

}  // namespace weir::shm
