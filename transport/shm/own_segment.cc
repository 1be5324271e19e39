#include "transport/shm/own_segment.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <memory>
#include <mutex>
#include <new>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "transport/shm/boot.h"
#include "transport/shm/segment.h"

namespace weir::shm {
namespace {

TypeRecord record_of(const std::optional<TypeInfo>& type) {
  TypeRecord record{};
  if (type) {
    record.stated = 1;
    record.size = type->size;
    record.alignment = type->alignment;
    record.fingerprint = type->fingerprint;
    record.name_size = static_cast<std::uint32_t>(std::min(type->name.size(), sizeof(record.name)));
    std::memcpy(record.name, type->name.data(), record.name_size);
  }
  return record;
}

void fill(std::byte* memory, SegmentName segment, const SegmentPlan& plan) {
  auto& header = *reinterpret_cast<SegmentHeader*>(memory);
  header.magic = segment.role == Role::publisher ? publisher_magic : subscriber_magic;
  header.version = layout_version;
  header.id = segment.id;
  header.pid = getpid();
  header.name_size = static_cast<std::uint32_t>(std::min(plan.name.size(), sizeof(header.name)));
  std::memcpy(header.name, plan.name.data(), header.name_size);
  header.type = record_of(plan.type);
  plan.fill(memory);
}

Status make_life_fifo(const TopicDirectory& topic, OwnSegment& segment) {
  const std::string name = life_name(segment.name.role, segment.name.id);
  const std::string what = describe(topic, "making the life FIFO of", segment.name);
  // That of a former owner stays hung up for who watches it.
  unlinkat(topic.descriptor(), name.c_str(), 0);
  unlinkat(topic.descriptor(), wake_name(segment.name.role, segment.name.id).c_str(), 0);
  if (mkfifoat(topic.descriptor(), name.c_str(), S_IRUSR | S_IWUSR) != 0) {
    return tl::unexpected(system_error(what, errno));
  }
  const std::lock_guard<std::mutex> no_fork(fork_mutex());  // until it is known as what no child shall have
  Result<File> fifo = open_file(topic.descriptor(), name, O_RDWR, what);
  if (!fifo) {
    return tl::unexpected(fifo.error());
  }
  if (Status opened = open_to(topic.audience(), GroupMay::read, *fifo, what); !opened) {
    return opened;
  }
  segment.life_fifo = std::move(*fifo);
  segment.life_is_own = ClosedInChildren(segment.life_fifo.get(), no_fork);
  return {};
}

// A file without a name, filled and locked, linked. Errors: name_taken if the id is there already.
Status make_new(const TopicDirectory& topic, const SegmentPlan& plan, OwnSegment& segment) {
  const std::string what = describe(topic, "making", segment.name);
  Result<File> file = make_unnamed(topic.descriptor(), plan.size, what);
  if (!file) {
    return tl::unexpected(file.error());
  }
  if (Status opened = open_to(topic.audience(), GroupMay::read, *file, what); !opened) {
    return opened;
  }
  Result<Mapping> memory = Mapping::of(*file, plan.size, Access::write, Fork::loses, what);
  if (!memory) {
    return tl::unexpected(memory.error());
  }
  fill(memory->data(), segment.name, plan);
  const File link(fcntl(file->get(), F_DUPFD_CLOEXEC, 0));  // the lock consumes the other
  if (!link) {
    return tl::unexpected(system_error(what, errno));
  }
  Result<std::optional<Lock>> life = Lock::try_take(std::move(*file), owner_byte, LockKind::exclusive, what);
  if (!life) {
    return tl::unexpected(life.error());
  }
  if (!*life) {
    return failure(ErrorCode::internal, what + ": a file without a name is locked by somebody else");
  }
  if (Status linked = link_file(link, topic.descriptor(), segment_name(segment.name.role, segment.name.id), what);
      !linked) {
    return linked;
  }
  segment.life = std::move(**life);
  segment.memory = std::move(*memory);
  return {};
}

// The first plain field in which a segment differs from what its new owner wants; empty if there is none.
std::string difference(Role role, const std::byte* there, const std::byte* wanted) {
  const auto differ = [](std::string_view option, auto old_value, auto new_value) {
    return old_value == new_value ? std::string()
                                  : fmt::format("{}={}, now {}={}", option, old_value, option, new_value);
  };
  const auto type_differs = [&] {
    const auto old_type = type_of(reinterpret_cast<const SegmentHeader*>(there)->type);
    const auto new_type = type_of(reinterpret_cast<const SegmentHeader*>(wanted)->type);
    return old_type == new_type ? std::string()
                                : fmt::format("type={}, now type={}", old_type ? old_type->name : "(none)",
                                              new_type ? new_type->name : "(none)");
  };
  const auto fit_of = [](const SubscriberHeader& header) {
    return header.adapts != 0 ? std::string_view("any") : std::string_view("strict");
  };
  std::array<std::string, 6> differences;
  if (role == Role::publisher) {
    const auto& before = *reinterpret_cast<const PublisherHeader*>(there);
    const auto& now = *reinterpret_cast<const PublisherHeader*>(wanted);
    differences = {differ("depth", before.depth, now.depth), differ("history", before.history, now.history),
                   differ("memory", before.memory, now.memory),
                   before.grant == now.grant ? std::string() : std::string("another grant"), type_differs()};
  } else {
    const auto& before = *reinterpret_cast<const SubscriberHeader*>(there);
    const auto& now = *reinterpret_cast<const SubscriberHeader*>(wanted);
    differences = {differ("depth", before.depth, now.depth),
                   differ("history", before.history, now.history),
                   differ("held", before.pins, now.pins),
                   before.policy == now.policy ? std::string() : std::string("another policy"),
                   differ("fit", fit_of(before), fit_of(now)),
                   type_differs()};
  }
  const auto found =
      std::find_if(differences.begin(), differences.end(), [](const auto& text) { return !text.empty(); });
  return found == differences.end() ? std::string() : *found;
}

// Whether the mapped page is the segment that the plan asks for.
Status check_former(const TopicDirectory& topic, const SegmentPlan& plan, SegmentName name, const std::byte* there) {
  const std::string what = describe(topic, "taking over", name);
  const auto& header = *reinterpret_cast<const SegmentHeader*>(there);
  const std::uint64_t magic = name.role == Role::publisher ? publisher_magic : subscriber_magic;
  if (header.magic != magic || header.id != name.id || header.name_size > sizeof(header.name)) {
    return failure(ErrorCode::corrupt, what + ": its header is not ours: remove the topic");
  }
  if (header.version != layout_version) {
    return failure(ErrorCode::incompatible,
                   fmt::format("{}: it has layout version {}, this process speaks {}: use one version of weir per root",
                               what, header.version, layout_version));
  }
  if (std::string_view(header.name, header.name_size) != plan.name) {
    return failure(ErrorCode::name_taken,
                   fmt::format("{}: the names \"{}\" and \"{}\" share an id: use another name", what, plan.name,
                               std::string_view(header.name, header.name_size)));
  }
  struct alignas(cache_line) Header {
    std::array<std::byte, page> bytes{};
  };
  const auto wanted = std::make_unique<Header>();
  fill(wanted->bytes.data(), name, plan);
  const std::string differs = difference(name.role, there, wanted->bytes.data());
  if (!differs.empty()) {
    return failure(ErrorCode::incompatible,
                   fmt::format("topic \"{}\": the durable {} \"{}\" was made with {}: use its former options, another "
                               "name, or remove the topic",
                               topic.place().topic, to_string(name.role), plan.name, differs));
  }
  return {};
}

// Locks and maps the durable segment that is there. Errors: not_found if none is.
Status take_over(const TopicDirectory& topic, const SegmentPlan& plan, OwnSegment& segment) {
  const std::string file_name = segment_name(segment.name.role, segment.name.id);
  const std::string what = describe(topic, "taking over", segment.name);
  Result<File> file = open_regular_file(topic.descriptor(), file_name, O_RDWR, what);
  // Whatever its mode: who owns a file may write to it, and what we do in our own segment is not checked.
  struct stat status {};
  const bool is_anothers = (file ? fstat(file->get(), &status)
                                 : fstatat(topic.descriptor(), file_name.c_str(), &status, AT_SYMLINK_NOFOLLOW)) == 0 &&
                           status.st_uid != geteuid();
  if (is_anothers && (file || file.error().code() == ErrorCode::permission_denied)) {
    return failure(ErrorCode::permission_denied,
                   fmt::format("topic \"{}\": the durable {} \"{}\" belongs to user {}: join as that user, or use "
                               "another name",
                               topic.place().topic, to_string(segment.name.role), plan.name, status.st_uid));
  }
  if (!file) {
    return tl::unexpected(file.error());
  }
  Result<File> to_lock = open_regular_file(topic.descriptor(), file_name, O_RDWR, what);
  if (!to_lock) {
    return tl::unexpected(to_lock.error());
  }
  Result<std::optional<Lock>> life = Lock::try_take(std::move(*to_lock), owner_byte, LockKind::exclusive, what);
  if (!life) {
    return tl::unexpected(life.error());
  }
  if (!*life) {
    return failure(ErrorCode::name_taken,
                   fmt::format("topic \"{}\": a living {} has the name \"{}\": end it, or use another name",
                               topic.place().topic, to_string(segment.name.role), plan.name));
  }
  if (!leads_to(topic.descriptor(), file_name, *file)) {
    return failure(ErrorCode::not_found, what + ": it has been removed");
  }
  const std::size_t size = size_of(*file);
  if (size < page) {
    return failure(ErrorCode::corrupt, what + ": it was truncated: remove the topic");
  }
  Result<Mapping> memory = Mapping::of(*file, size, Access::write, Fork::loses, what);
  if (!memory) {
    return tl::unexpected(memory.error());
  }
  if (Status checked = check_former(topic, plan, segment.name, memory->data()); !checked) {
    return checked;
  }
  if (size != plan.size) {
    return failure(ErrorCode::corrupt, what + ": it was truncated: remove the topic");
  }
  std::atomic_ref(reinterpret_cast<SegmentHeader*>(memory->data())->pid).store(getpid(), std::memory_order_relaxed);
  segment.life = std::move(**life);
  segment.memory = std::move(*memory);
  segment.returned = true;
  return {};
}

}  // namespace

Result<OwnSegment> OwnSegment::make(const TopicDirectory& topic, const SegmentPlan& plan) {
  const bool durable = plan.durability == Durability::persistent;
  OwnSegment segment;
  Status made;
  do {
    segment.name = {plan.role, durable ? durable_id(plan.name) : random_id()};
    if (durable) {
      made = take_over(topic, plan, segment);
      if (made || made.error().code() != ErrorCode::not_found) {
        break;
      }
    }
    made = make_new(topic, plan, segment);
  } while (!made && made.error().code() == ErrorCode::name_taken);  // somebody else has just made it
  if (!made) {
    return tl::unexpected(made.error());
  }
  if (Status fifo = make_life_fifo(topic, segment); !fifo) {
    if (!segment.returned) {
      segment.discard(topic);
    }
    return tl::unexpected(fifo.error());
  }
  return segment;
}

void OwnSegment::discard(const TopicDirectory& topic) noexcept try {
  const bool publishes = name.role == Role::publisher;
  auto& born = publishes ? reinterpret_cast<PublisherHeader*>(memory.data())->born
                         : reinterpret_cast<SubscriberHeader*>(memory.data())->born;
  born.store(discarded_born, std::memory_order_release);
  unlinkat(topic.descriptor(), life_name(name.role, name.id).c_str(), 0);
  unlinkat(topic.descriptor(), segment_name(name.role, name.id).c_str(), 0);
  for (unsigned size_class = 0; publishes && size_class < class_count; ++size_class) {
    unlinkat(topic.descriptor(), chunk_file_name(name.id, size_class).c_str(), 0);
  }
} catch (const std::bad_alloc&) {  // it stays, as if its owner had died
}

bool is_trustworthy(const Tenure& tenure) noexcept {
  return tenure.settled.load(std::memory_order_acquire) != 0 ||
         tenure.boot.load(std::memory_order_acquire) == this_boot();
}

void note_use(Tenure& tenure) noexcept {
  tenure.boot.store(this_boot(), std::memory_order_release);
  tenure.settled.store(0, std::memory_order_release);
}

Status begin_tenure(Tenure& tenure, const Mapping& segment, std::string_view what) {
  const std::uint64_t boot = tenure.boot.load(std::memory_order_relaxed);
  const std::uint32_t settled = tenure.settled.load(std::memory_order_relaxed);
  note_use(tenure);
  if (msync(segment.data(), page, MS_SYNC) == 0) {  // headers lie on the first page
    return {};
  }
  const int error = errno;
  tenure.settled.store(settled, std::memory_order_release);
  tenure.boot.store(boot, std::memory_order_release);
  return tl::unexpected(system_error(what, error));
}

void settle_tenure(Tenure& tenure, const Mapping& segment) noexcept {
  // First all else, then the word that vouches for it. In tmpfs neither costs anything.
  if (msync(segment.data(), segment.size(), MS_SYNC) == 0) {
    tenure.settled.store(1, std::memory_order_release);
    msync(segment.data(), segment.size(), MS_SYNC);
  }
}

}  // namespace weir::shm
