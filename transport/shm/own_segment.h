// The segment that this process owns: made new, or, for a durable member, taken over from its last owner.
//
// A durable member (durability=persistent) has a name, and its segment an id that comes from it (names.h): the segment
// outlives its owners, and whoever joins under the name next finds it. Creation is one link(2), so two newcomers make
// one segment; ownership is the owner's lock, so one of them has it.
//
// Persistence survives processes, not the machine. A segment on a disk says in which boot it was used last, and whether
// it was left in order (Tenure). One that was in use when the machine went down holds whatever the disk got: its
// contents are not to be trusted.
//
// If the process dies here. make() works on a file without a name; it locks the owner byte before it links, so a
// segment that can be found is complete, and has an owner or is dead. take_over() writes nothing but the pid.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "transport/qos.h"
#include "transport/shm/fork_mutex.h"
#include "transport/shm/layout.h"
#include "transport/shm/lock.h"
#include "transport/shm/names.h"
#include "transport/shm/topic_directory.h"
#include "transport/status.h"

namespace weir::shm {

// What a member wants of its segment.
struct SegmentPlan {
  Role role;
  std::size_t size;  // bytes
  std::string_view name;
  Durability durability;
  const std::optional<TypeInfo>& type;
  std::function<void(std::byte*)> fill;  // writes the plain fields beside those of SegmentHeader
};

struct OwnSegment {
  SegmentName name{};
  Mapping memory;  // writable; lost in a forked child
  Lock life;       // the owner's lock: the proof of life
  File life_fifo;  // whose hang-up is the death event
  ClosedInChildren life_is_own;
  bool returned = false;  // it is there from a former owner, with its words as that one left them

  // Makes, fills and links the segment, or takes over the durable one that is there; then its life FIFO, which is new
  // in either case. Errors: as make_unnamed, link_file, Lock::try_take; name_taken when a living member has the name;
  // incompatible when the one that is there has other options, naming them; corrupt.
  [[nodiscard]] static Result<OwnSegment> make(const TopicDirectory& topic, const SegmentPlan& plan);

  // Removes a durable segment that was made, not taken over, and came to nothing, with what chunks it has. Who mapped
  // it is told by it, as the next one of that name has another. The lock is still held.
  void discard(const TopicDirectory& topic) noexcept;
};

// Whether what a durable segment holds may be read: it was used in this boot of the machine, or left in order.
[[nodiscard]] bool is_trustworthy(const Tenure& tenure) noexcept;
// In a segment that nobody can find yet: it is in use.
void note_use(Tenure& tenure) noexcept;
// From now on the segment is in use, and the disk says so too when this returns: call it before anything is published
// or taken. Errors: those of msync(2), and then it is as it was; `what` begins the message.
[[nodiscard]] Status begin_tenure(Tenure& tenure, const Mapping& segment, std::string_view what);
// The segment, whose last words have been written, is on the disk when this returns.
void settle_tenure(Tenure& tenure, const Mapping& segment) noexcept;

}  // namespace weir::shm
