#include "transport/shm/observer.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <cerrno>
#include <cstddef>
#include <type_traits>
#include <utility>

#include <fmt/format.h>

#include "transport/shm/boot.h"
#include "transport/shm/chunk_ref.h"
#include "transport/shm/lock.h"
#include "transport/shm/root.h"
#include "transport/shm/segment.h"

namespace weir::shm {
namespace {

constexpr std::string_view looking = "looking";
constexpr std::uint64_t newest_sampled = 32;

// A value at an offset of a file; empty if the file is too short.
template <class Value>
std::optional<Value> value_at(const File& file, std::size_t offset) {
  static_assert(std::is_trivially_copyable_v<Value>);
  Value value;
  const ssize_t got = pread(file.get(), &value, sizeof(value), static_cast<off_t>(offset));
  return got == static_cast<ssize_t>(sizeof(value)) ? std::optional<Value>(value) : std::nullopt;
}

std::uint64_t word_at(const File& file, std::size_t offset) {
  return value_at<std::uint64_t>(file, offset).value_or(0);
}
std::uint32_t half_word_at(const File& file, std::size_t offset) {
  return value_at<std::uint32_t>(file, offset).value_or(0);
}

// Whether anybody holds a lock of any kind on the range.
bool is_held(const File& file, LockRange range) {
  struct flock lock {};
  lock.l_type = F_WRLCK;
  lock.l_whence = SEEK_SET;
  lock.l_start = range.first;
  lock.l_len = range.count;
  return fcntl(file.get(), F_OFD_GETLK, &lock) != 0 || lock.l_type != F_UNLCK;
}

std::uint64_t memory_of(int directory, const std::string& name) {
  constexpr std::uint64_t block = 512;
  struct stat status {};
  return fstatat(directory, name.c_str(), &status, AT_SYMLINK_NOFOLLOW) == 0
             ? static_cast<std::uint64_t>(status.st_blocks) * block
             : 0;
}

// The common part of a segment's header. False: it is not one of this layout.
bool read_common(const File& file, SegmentName name, ObservedMember& member) {
  const auto header = value_at<SegmentHeader>(file, 0);
  const std::uint64_t magic = name.role == Role::publisher ? publisher_magic : subscriber_magic;
  if (!header || header->magic != magic || header->version != layout_version || header->id != name.id) return false;
  const bool is_alive = is_locked(file, owner_byte);
  member.peer = {.role = name.role,
                 .id = name.id,
                 .name = std::string(header->name, std::min<std::size_t>(header->name_size, sizeof(header->name))),
                 .pid = header->pid,
                 .alive = is_alive};
  member.durable = is_durable(name.id);
  member.condition = is_alive ? Condition::alive : member.durable ? Condition::away : Condition::dead;
  member.removable = !member.durable && !is_held(file, whole_segment);
  member.type = type_of(header->type);
  return true;
}

// The ring of a publisher, slot by slot.
class Ring {
 public:
  Ring(const File& file, std::uint64_t slots) : file_(file), slots_(slots) {}

  // One more than the newest published sequence. The slots from 0 on hold consecutive samples up to the newest, and
  // older ones behind it, so it is found by bisection. A publisher that goes once round meanwhile makes it too small by
  // less than a ring.
  [[nodiscard]] std::uint64_t end() const {
    const std::uint64_t first = word(0);
    if (first == 0) return 0;
    const std::uint64_t base = first / 4;
    std::uint64_t low = base;
    std::uint64_t high = base + slots_;
    while (low < high) {
      const std::uint64_t middle = low + (high - low) / 2;
      if (word(middle) >= 4 * middle + 2) {
        low = middle + 1;
      } else {
        high = middle;
      }
    }
    return low;
  }
  [[nodiscard]] std::uint64_t word(std::uint64_t sequence) const { return field(sequence, offsetof(Slot, word)); }
  [[nodiscard]] std::uint64_t size(std::uint64_t sequence) const { return field(sequence, offsetof(Slot, size)); }
  [[nodiscard]] std::uint64_t ticks(std::uint64_t sequence) const { return field(sequence, offsetof(Slot, ticks)); }
  [[nodiscard]] std::uint64_t slots() const noexcept { return slots_; }

 private:
  [[nodiscard]] std::uint64_t field(std::uint64_t sequence, std::size_t offset) const {
    return word_at(file_, slots_offset + (sequence & (slots_ - 1)) * sizeof(Slot) + offset);
  }
  const File& file_;
  std::uint64_t slots_;
};

std::optional<ObservedPublisher> publisher_in(const File& file, SegmentName name, const TopicHeader& topic) {
  ObservedPublisher publisher;
  const std::uint64_t slots = word_at(file, offsetof(PublisherHeader, slots));
  const std::uint32_t grant = half_word_at(file, offsetof(PublisherHeader, grant));
  if (!read_common(file, name, publisher) || !std::has_single_bit(slots) || slots > max_slots ||
      grant > static_cast<std::uint32_t>(Grant::reject)) {
    return std::nullopt;
  }
  publisher.grant = static_cast<Grant>(grant);
  publisher.depth = word_at(file, offsetof(PublisherHeader, depth));
  publisher.history = word_at(file, offsetof(PublisherHeader, history));
  publisher.waits = publisher.peer.alive && word_at(file, offsetof(PublisherHeader, want)) != 0;
  const Ring ring(file, slots);
  publisher.published = ring.end();
  const std::uint64_t most = std::min({newest_sampled, slots, publisher.published});
  for (std::uint64_t sequence = publisher.published - most; sequence < publisher.published; ++sequence) {
    const std::uint64_t size = ring.size(sequence);
    if (ring.word(sequence) / 4 != sequence || size > class_size(class_count - 1)) continue;  // overwritten, scribble
    ++publisher.sampled;
    publisher.sampled_bytes += size;
  }
  const std::uint64_t ticks = publisher.published == 0 ? no_ticks : ring.ticks(publisher.published - 1);
  if (ticks != no_ticks && topic.boot == this_boot() &&
      topic.tick_source <= static_cast<std::uint32_t>(TickSource::time_stamp_counter)) {
    publisher.last =
        time_of(ticks, {static_cast<TickSource>(topic.tick_source), topic.origin_ticks, topic.origin_nanoseconds});
  }
  return publisher;
}

std::optional<ObservedSubscriber> subscriber_in(const File& file, SegmentName name) {
  ObservedSubscriber subscriber;
  const std::uint32_t policy = half_word_at(file, offsetof(SubscriberHeader, policy));
  if (!read_common(file, name, subscriber) || policy > static_cast<std::uint32_t>(SlowPolicy::lossless)) {
    return std::nullopt;
  }
  subscriber.policy = static_cast<SlowPolicy>(policy);
  subscriber.depth = word_at(file, offsetof(SubscriberHeader, depth));
  subscriber.history = word_at(file, offsetof(SubscriberHeader, history));
  subscriber.adapts = half_word_at(file, offsetof(SubscriberHeader, adapts)) != 0;
  const std::uint64_t cursors =
      std::min<std::uint64_t>(word_at(file, offsetof(SubscriberHeader, cursors_used)), cursor_count);
  for (std::uint64_t index = 0; index < cursors; ++index) {
    const std::size_t offset = cursors_offset + index * sizeof(Cursor);
    if (const PeerId id = word_at(file, offset + offsetof(Cursor, publisher)); id != 0) {
      subscriber.cursors.push_back({.publisher = id, .next = word_at(file, offset + offsetof(Cursor, next))});
    }
  }
  const std::uint64_t pins = std::min<std::uint64_t>(word_at(file, offsetof(SubscriberHeader, pins_used)), max_pins);
  for (std::uint64_t index = 0; index < pins; ++index) {
    subscriber.held += word_at(file, pins_offset + index * sizeof(std::uint64_t)) != 0 ? 1U : 0U;
  }
  return subscriber;
}

void read_members(int directory, const TopicHeader& header, ObservedTopic& topic) {
  const std::vector<std::string> entries = entries_of(directory);
  const auto memory_with_companions = [&](SegmentName segment, const std::string& name) {
    std::uint64_t memory = 0;
    for (const std::string& entry : entries) {
      if (entry == name || (segment.role == Role::publisher && entry.starts_with(name + ".c"))) {
        memory += memory_of(directory, entry);
      }
    }
    return memory;
  };
  for (const std::string& entry : entries) {
    topic.memory += memory_of(directory, entry);
    ++topic.files;
    const auto segment = parse_segment_name(entry);
    if (!segment) continue;
    const Result<File> file = open_regular_file(directory, entry, O_RDONLY, looking);
    if (!file) continue;
    if (segment->role == Role::publisher) {
      if (auto publisher = publisher_in(*file, *segment, header)) {
        publisher->memory = memory_with_companions(*segment, entry);
        topic.publishers.push_back(std::move(*publisher));
      }
    } else if (auto subscriber = subscriber_in(*file, *segment)) {
      subscriber->memory = memory_with_companions(*segment, entry);
      topic.subscribers.push_back(std::move(*subscriber));
    }
  }
  const auto by_id = [](const ObservedMember& left, const ObservedMember& right) {
    return left.peer.id < right.peer.id;
  };
  std::sort(topic.publishers.begin(), topic.publishers.end(), by_id);
  std::sort(topic.subscribers.begin(), topic.subscribers.end(), by_id);
}

ObservedTopic unreadable(const std::string& name, std::string problem) {
  return {.topic = name, .directory = name, .problem = std::move(problem)};
}

}  // namespace

std::string_view to_string(Condition condition) noexcept {
  switch (condition) {
    case Condition::alive:
      return "alive";
    case Condition::away:
      return "away";
    case Condition::dead:
      break;
  }
  return "dead";
}

Result<Observer> Observer::open(const std::string& root) {
  const int descriptor = ::open(root.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor < 0) return tl::unexpected(system_error(fmt::format("cannot open the directory {}", root), errno));
  return Observer(root, File(descriptor));
}

std::vector<ObservedTopic> Observer::topics() const {
  std::vector<ObservedTopic> topics;
  for (const std::string& entry : entries_of(root_.get())) {
    if (!is_directory_name(entry)) continue;
    if (auto observed = topic(entry)) topics.push_back(std::move(*observed));
  }
  std::sort(topics.begin(), topics.end(),
            [](const ObservedTopic& left, const ObservedTopic& right) { return left.topic < right.topic; });
  return topics;
}

std::optional<ObservedTopic> Observer::topic(const std::string& name) const {
  if (!is_directory_name(name)) return std::nullopt;
  const Result<File> directory = open_file(root_.get(), name, O_RDONLY | O_DIRECTORY, looking);
  if (!directory) {
    if (directory.error().code() != ErrorCode::permission_denied) return std::nullopt;
    return unreadable(name, fmt::format("{}/{} may not be read by this user", path_, name));
  }
  const Result<File> file = open_regular_file(directory->get(), topic_file, O_RDONLY, looking);
  if (!file) {
    if (file.error().code() == ErrorCode::not_found) return std::nullopt;  // half made, or half removed
    return unreadable(name, file.error().message());
  }
  const auto header = value_at<TopicHeader>(*file, 0);
  if (!header || header->magic != topic_magic) {
    return unreadable(
        name, fmt::format("{}/{}/{} is no topic file: it was cut short or overwritten", path_, name, topic_file));
  }
  if (header->version != layout_version) {
    ObservedTopic other = unreadable(
        name, fmt::format("it has layout version {}, this program reads {}", header->version, layout_version));
    other.version = header->version;
    return other;
  }
  if (header->topic_size > max_topic_size) {
    return unreadable(name, fmt::format("{}/{}/{} names no topic: it was overwritten", path_, name, topic_file));
  }
  ObservedTopic observed{.topic = std::string(header->topic, header->topic_size), .directory = name};
  observed.version = header->version;
  const Result<File> epoch = open_regular_file(directory->get(), epoch_file, O_RDONLY, looking);
  observed.in_use = epoch && is_held(*epoch, users_byte);
  read_members(directory->get(), *header, observed);
  return observed;
}

std::vector<OtherLayout> Observer::other_layouts() const {
  std::vector<OtherLayout> others;
  const Result<File> parent = open_file(root_.get(), "..", O_RDONLY | O_DIRECTORY, looking);
  if (!parent) return others;
  for (const std::string& entry : entries_of(parent->get())) {
    const bool is_version = entry.size() > 1 && entry.front() == 'v' &&
                            std::all_of(entry.begin() + 1, entry.end(), [](char c) { return c >= '0' && c <= '9'; });
    if (!is_version || entry == fmt::format("v{}", layout_version)) continue;
    if (const Result<File> other = open_file(parent->get(), entry, O_RDONLY | O_DIRECTORY, looking)) {
      others.push_back({.name = entry, .topics = entries_of(other->get()).size()});
    }
  }
  std::sort(others.begin(), others.end(),
            [](const OtherLayout& left, const OtherLayout& right) { return left.name < right.name; });
  return others;
}

Backlog backlog_of(const ObservedSubscriber& subscriber, const ObservedPublisher& publisher) noexcept {
  for (const ObservedCursor& cursor : subscriber.cursors) {
    if (cursor.publisher != publisher.peer.id || cursor.next >= publisher.published) continue;
    const std::uint64_t unread = publisher.published - cursor.next;
    const std::uint64_t depth = subscriber.adapts ? std::min(subscriber.depth, publisher.depth) : subscriber.depth;
    return {.unread = unread, .overrun = unread - std::min(unread, depth)};
  }
  return {};
}

}  // namespace weir::shm
