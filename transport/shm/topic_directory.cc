#include "transport/shm/topic_directory.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <thread>
#include <utility>

#include <fmt/format.h>

#include "transport/process.h"
#include "transport/shm/boot.h"
#include "transport/shm/clock.h"
#include "transport/shm/janitor.h"
#include "transport/shm/names.h"

namespace weir::shm {
namespace {

// A round is lost to a remover that made progress, or to one that is at work, who may have gigabytes to free and is
// given a pause. So giving up, after ten seconds or more, is for one that is stopped.
constexpr int rounds = 10'000;
constexpr std::chrono::milliseconds pause_for_remover(1);

std::uint64_t this_process() noexcept {
  spi::adopt_process();
  return spi::process_generation();
}

// The clock of this boot.
void set_clock(TopicHeader& header) {
  const TickOrigin origin = tick_origin(best_tick_source());
  header.tick_source = static_cast<std::uint32_t>(origin.source);
  header.origin_ticks = origin.ticks;
  header.origin_nanoseconds = origin.nanoseconds;
  header.boot = this_boot();
}

TopicHeader header_of(std::string_view topic) {
  TopicHeader header{};
  header.magic = topic_magic;
  header.version = layout_version;
  set_clock(header);
  header.topic_size = topic.size();
  std::copy(topic.begin(), topic.end(), header.topic);
  return header;
}

// Another joiner has made the file, or a remover has taken the directory: no error, but another round.
Result<bool> lost_or(const Error& error) {
  if (error.code() == ErrorCode::name_taken || error.code() == ErrorCode::not_found) return false;
  return tl::unexpected(error);
}

}  // namespace

TopicDirectory::TopicDirectory(Place place, File root)
    : place_(std::move(place)), process_(this_process()), root_(std::move(root)) {}

TopicDirectory::~TopicDirectory() {
  if (process_ != spi::process_generation() || !root_) return;
  user_ = Lock();
  remove_topic_if_unused(root_.get(), place_.name);
}

Result<std::unique_ptr<TopicDirectory>> TopicDirectory::join(const Place& place, File root) {
  std::unique_ptr<TopicDirectory> self(new TopicDirectory(place, std::move(root)));
  for (int round = 0; round < rounds; ++round) {
    Result<bool> joined = self->try_join();
    if (joined && !*joined) continue;
    if (joined) {
      clean_topic(self->descriptor(), self->counters());
      return self;
    }
    const ErrorCode code = joined.error().code();
    // Without a root the destructor does not remove the topic: what is spoiled stays as evidence.
    if (code == ErrorCode::corrupt || code == ErrorCode::incompatible) self->root_ = File();
    return tl::unexpected(joined.error());
  }
  return failure(
      ErrorCode::unavailable,
      fmt::format("{}: somebody keeps removing it, or was stopped while doing so: let that process continue, "
                  "or end it",
                  self->what("join")));
}

Result<bool> TopicDirectory::try_join() {
  Result<bool> done = open_directory();
  if (done && *done) done = become_user();
  if (done && *done) done = agree_on_topic();
  return done;
}

Status TopicDirectory::open_own_root() {
  Result<File> root = open_root(place_.root);
  if (!root) {
    return failure(root.error().code(), fmt::format("topic \"{}\": {}", place_.topic, root.error().message()));
  }
  root_ = std::move(*root);
  return {};
}

Result<bool> TopicDirectory::open_directory() {
  user_ = Lock();
  if (!root_) {
    if (Status opened = open_own_root(); !opened) return tl::unexpected(opened.error());
  }
  struct stat status {};
  if (fstat(root_.get(), &status) != 0) return tl::unexpected(system_error(what("examine the root of"), errno));
  const int error_number = make_directory(root_.get(), place_.name, audience_of(status));
  if (error_number == ENOENT) {  // the root has been removed: make it anew
    root_ = File();
    return false;
  }
  if (error_number != 0 && error_number != EEXIST) {
    return tl::unexpected(refused(error_number, status, place_.root, what("make")));
  }
  Result<File> directory = open_file(root_.get(), place_.name, O_RDONLY | O_DIRECTORY, what("open"));
  if (!directory) return lost_or(directory.error());
  directory_ = std::move(*directory);
  if (fstat(descriptor(), &status) != 0) return tl::unexpected(system_error(what("examine"), errno));
  const std::string path = fmt::format("{}/{}", place_.root, place_.name);
  if (Status usable = check_usable(status, path); !usable) {
    return failure(usable.error().code(), fmt::format("topic \"{}\": {}", place_.topic, usable.error().message()));
  }
  audience_ = audience_of(status);
  return true;
}

Result<bool> TopicDirectory::become_user() {
  Result<File> epoch = open(epoch_file, O_RDWR);
  if (!epoch && epoch.error().code() == ErrorCode::not_found) {
    if (Status made = make(epoch_file, {}, S_IRUSR | S_IWUSR, GroupMay::read_and_write); !made)
      return lost_or(made.error());
    epoch = open(epoch_file, O_RDWR);
  }
  if (!epoch) return lost_or(epoch.error());
  if (size_of(*epoch) < page) return spoiled(ErrorCode::corrupt, epoch_file, "is too short");
  Result<Mapping> mapping = Mapping::of(*epoch, page, Access::write, Fork::keeps, what("map", epoch_file));
  if (!mapping) return tl::unexpected(mapping.error());

  // A description of its own for the lock, which must not last as long as the mapping. If the name still leads to
  // `epoch` below, it led there all the while: an unlinked file gets no name again.
  Result<File> to_lock = open(epoch_file, O_RDONLY);
  if (!to_lock) return lost_or(to_lock.error());
  Result<std::optional<Lock>> lock =
      Lock::try_take(std::move(*to_lock), users_byte, LockKind::shared, what("lock", epoch_file));
  if (!lock) return tl::unexpected(lock.error());
  if (!*lock) {
    std::this_thread::sleep_for(pause_for_remover);
    return false;
  }
  user_ = std::move(**lock);
  epoch_ = std::move(*mapping);
  return leads_to(descriptor(), epoch_file, *epoch);
}

Result<bool> TopicDirectory::agree_on_topic() {
  Result<File> file = open(topic_file, O_RDONLY);
  if (!file && file.error().code() == ErrorCode::not_found) {
    const TopicHeader header = header_of(place_.topic);
    if (Status made = make(topic_file, std::as_bytes(std::span(&header, 1)), S_IRUSR, GroupMay::read); !made) {
      return lost_or(made.error());
    }
    file = open(topic_file, O_RDONLY);
  }
  if (!file) return lost_or(file.error());
  if (Status checked = check_topic(*file); !checked) return tl::unexpected(checked.error());
  if (header_.boot != this_boot()) {
    // On a disk, from before the machine was started again: its clock says nothing now. Whoever comes makes a new one.
    if (unlinkat(descriptor(), topic_file, 0) == 0 || errno == ENOENT) return false;
    if (errno != EPERM && errno != EACCES) {
      return tl::unexpected(system_error(what("replace that of the former boot,", topic_file), errno));
    }
    set_clock(header_);  // only its owner may: until that one comes, each member has a copy of its own
  }
  return true;
}

Result<File> TopicDirectory::open(const char* name, int flags) const {
  return open_regular_file(descriptor(), name, flags, what("open", name));
}

Status TopicDirectory::make(const char* name, std::span<const std::byte> content, mode_t mode, GroupMay may) const {
  const std::string making = what("make", name);
  const Result<File> file = make_unnamed(descriptor(), page, making);
  if (!file) return tl::unexpected(file.error());
  // The space is reserved, so neither can fail for want of it.
  if (pwrite(file->get(), content.data(), content.size(), 0) != static_cast<ssize_t>(content.size()) ||
      fchmod(file->get(), mode) != 0) {
    return tl::unexpected(system_error(making, errno));
  }
  if (Status opened = open_to(audience_, may, *file, making); !opened) return opened;
  return link_file(*file, descriptor(), name, making);
}

// Read, not mapped: nobody can truncate it under us afterwards.
Status TopicDirectory::check_topic(const File& file) {
  TopicHeader header{};
  if (pread(file.get(), &header, sizeof(header), 0) != sizeof(header)) {
    return spoiled(ErrorCode::corrupt, topic_file, "is too short");
  }
  if (header.magic != topic_magic) return spoiled(ErrorCode::corrupt, topic_file, "is not a topic file of weir");
  if (header.version != layout_version) {
    return spoiled(ErrorCode::incompatible, topic_file,
                   fmt::format("has layout version {}, and this program version {}", header.version, layout_version));
  }
  if (header.topic_size > max_topic_size) return spoiled(ErrorCode::corrupt, topic_file, "has an impossible topic");
  const std::string_view topic(header.topic, header.topic_size);
  if (topic != place_.topic) {
    return spoiled(ErrorCode::corrupt, topic_file, fmt::format("is that of topic \"{}\"", topic));
  }
  if (header.tick_source > static_cast<std::uint32_t>(TickSource::time_stamp_counter)) {
    return spoiled(ErrorCode::corrupt, topic_file, fmt::format("names an unknown clock, {}", header.tick_source));
  }
  header_ = header;
  return {};
}

SharedCounters& TopicDirectory::counters() const noexcept { return *reinterpret_cast<SharedCounters*>(epoch_.data()); }

std::string TopicDirectory::what(std::string_view attempt, std::string_view file) const {
  return fmt::format("topic \"{}\": cannot {} {}/{}{}{}", place_.topic, attempt, place_.root, place_.name,
                     file.empty() ? "" : "/", file);
}

tl::unexpected<Error> TopicDirectory::spoiled(ErrorCode code, std::string_view file, std::string_view fault) const {
  return failure(code, fmt::format("topic \"{}\": the file {} of {}/{} {}: stop the users of the topic and run weir "
                                   "clean, or remove that directory",
                                   place_.topic, file, place_.root, place_.name, fault));
}

}  // namespace weir::shm
