// Removes what the dead left, once nobody can still want it.
//
// A janitor takes the lock that a living user would hold, keeps it while it works, makes sure that the name still leads
// to what it has locked, and unlinks. It may be killed at any point: what is left is found by the next one. Any number
// may run at once, beside any number of joins.
//
// In a root that a group shares, only its owner (and that of the directory, and root) may remove a file: a janitor
// works for its own user, passes over what is another's, and leaves the topic until that one's comes. Nobody takes what
// is left for living: owners are told by their locks.
#pragma once

#include <string>

#include "transport/shm/file.h"
#include "transport/shm/layout.h"
#include "transport/shm/names.h"

namespace weir::shm {

// Removes a segment of this topic directory with its companions, unless it is durable, its owner lives, somebody reads
// it, or a subscriber that has joined has not listed the topic since it came (PublisherHeader::born) and so may still
// want to read it. Companions go first, the segment last, so that a companion never outlasts its segment unseen. A dead
// subscriber that was counted as a sleeper (SubscriberHeader::counted, read with pread) is taken off counters.sleepers
// after it was unlinked: killed in between, the janitor leaves the count too high, which only costs publishers a look;
// the other order could leave it too low, which costs a wake-up. True: it is gone.
bool remove_segment_if_dead(int topic_directory, SegmentName segment, SharedCounters& counters) noexcept;

// remove_segment_if_dead for every segment in the directory. Companions without a segment are removed too: a segment is
// linked before its companions are made and removed after them, so these can only be a scribble or a manual copy.
void clean_topic(int topic_directory, SharedCounters& counters) noexcept;

// Removes a whole topic unless somebody uses it, or a durable segment is in it: holds the users' lock of its epoch file
// exclusively, removes every file of ours, the epoch file last, then the directory. rmdir is the gate: whoever is about
// to create in it gets ENOENT and starts again. Also removes an empty directory that a killed joiner left. Files that
// are not ours stay, and with them the directory. True: it is gone.
bool remove_topic_if_unused(int root, const std::string& name) noexcept;

// The same, with the durable segments; all of it or, where somebody else's files are known to be in the way, nothing.
// files_stay: something that is not ours is in it, or may not be removed.
enum class Erased : std::uint8_t { gone, not_there, in_use, files_stay };
[[nodiscard]] Erased erase_topic(int root, const std::string& name) noexcept;

// remove_topic_if_unused for every topic in the root, and every half-made one (sharing.h). Only for a root that is all
// ours (one with a version directory): in the directory around an absolute topic, it would take somebody's empty
// directory for one that a killed joiner left.
void sweep(int root) noexcept;

}  // namespace weir::shm
