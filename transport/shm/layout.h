// What lies where in shared memory.
//
// Layout. Three kinds of file, all in the topic's directory (names.h):
//
//   topic              epoch                 p.<id>                        s.<id>
//   +-------------+    +----------------+    +-------------------------+   +---------------------------+
//   | TopicHeader |    | SharedCounters |    | PublisherHeader         |   | SubscriberHeader          |
//   +-------------+    +----------------+    +-------------------------+   +---------------------------+
//                                            | Slot × slots (4096)     |   | Cursor × cursor_count     |
//                                            +-------------------------+   | Word × pins               |
//                                            and p.<id>.c<NN>: chunks      +---------------------------+
//                                                                          | InHandNote × pins, of a   |
//                                                                          | durable one (in_hand.h)   |
//                                                                          +---------------------------+
//
// Ownership. A segment (p.*, s.*) is written by its owner alone, who maps it writable; all others map it read-only. The
// topic file is written by nobody once it has its name. The epoch page is the one that everybody maps writable; its
// words are counters, and SharedCounters says for each what a scribble on it costs.
//
// Invariants. Plain fields are written before the file gets its name and never again. Words (atomics.h) change as
// ring.h, publisher_flow.h, pins.h and doorbell.h say. A reader copies the plain fields it computes with, once, after
// checking them against the file's size (segment.h), so that no later scribble can lead it out of bounds.
//
// Memory order. Each word states its own with the algorithm that uses it; nothing relies on the order of x86.
//
// If the process dies here. A file appears complete or not at all (unnamed until linked), and its owner's lock is taken
// before that: a segment without a locked owner byte is dead, in whatever state its words are.
#pragma once

#include <cstddef>
#include <cstdint>

#include "transport/membership.h"
#include "transport/qos.h"
#include "transport/shm/atomics.h"

namespace weir::shm {

// Part of the root's path and of every header: changes with anything in this file.
inline constexpr std::uint32_t layout_version = 1;

inline constexpr std::size_t cache_line = 64;
inline constexpr std::size_t page = 4096;

// The `born` of a durable segment that came to nothing: it was unlinked, and another may have its name.
inline constexpr std::uint64_t discarded_born = ~std::uint64_t{0};

inline constexpr std::uint64_t topic_magic = 0x6369'706f'7472'6577;       // "wertopic"
inline constexpr std::uint64_t publisher_magic = 0x6c62'7570'7269'6577;   // "weirpubl"
inline constexpr std::uint64_t subscriber_magic = 0x7362'7573'7269'6577;  // "weirsubs"

// The topic file.
struct TopicHeader {
  std::uint64_t magic;
  std::uint32_t version;
  std::uint32_t tick_source;  // TickSource, and one moment on both scales: see clock.h
  std::uint64_t origin_ticks;
  std::int64_t origin_nanoseconds;
  std::uint64_t boot;  // of the machine, in which that moment was: boot.h
  std::uint64_t topic_size;
  char topic[max_topic_size];  // the full name, not terminated
};

// The epoch page. Anybody may write it; a process that scribbles here can cost others a wake-up (they look again within
// a slice of their wait), or a listing of the directory that was not needed or comes late. No payload, cursor or pin
// depends on it but through `epoch`, whose scribble backwards to a remembered value would hide a newcomer's pins; hence
// only processes of the same trust share a root (docs/shm-protocol.md, Threat model).
struct SharedCounters {
  alignas(cache_line) Word<std::uint64_t> epoch;     // raised at every join and leave
  alignas(cache_line) Word<std::uint32_t> bell;      // futex of sleeping subscribers; raised by who wakes them
  alignas(cache_line) Word<std::uint32_t> twin;      // futex of waiting publishers
  alignas(cache_line) Word<std::uint32_t> sleepers;  // never less than the subscribers whose `asleep` is set
};

// A type as it lies in a header.
struct TypeRecord {
  std::uint64_t size;
  std::uint64_t alignment;
  std::uint64_t fingerprint;
  std::uint32_t stated;  // 0: no type was stated
  std::uint32_t name_size;
  char name[256];
};

// What both kinds of segment begin with.
struct SegmentHeader {
  std::uint64_t magic;
  std::uint32_t version;
  std::uint32_t name_size;
  PeerId id;
  std::int64_t pid;  // for people; changes with the owner of a durable segment
  char name[128];
  TypeRecord type;
};

// What a durable segment says of the last time that somebody owned it (own_segment.h). 0 in others.
struct Tenure {
  Word<std::uint64_t> boot;     // the boot of the machine that it was in
  Word<std::uint32_t> settled;  // 1: its owner left it cleanly and it was written to the disk
};

// Where a member is in its life; who is dead is told by the lock alone.
enum class Stage : std::uint32_t { joining = 0, joined = 1, left = 2 };

struct PublisherHeader {
  SegmentHeader common;
  std::uint64_t slots;  // of the ring: a power of two, at least depth + history + 1
  std::uint64_t depth;
  std::uint64_t history;
  std::uint64_t memory;  // bytes of address space that a mapping of its chunks needs, for each size class
  std::uint32_t grant;
  // publisher_flow.h: no newcomer is promised a sample below this; what is below may be retired or overwritten.
  alignas(cache_line) Word<std::uint64_t> floor;
  // doorbell.h: not 0 while the publisher waits for space.
  alignas(cache_line) Word<std::uint64_t> want;
  // Not 0 once fd() was asked for: newcomers write a token to the wake FIFO.
  Word<std::uint32_t> watching;
  Word<std::uint32_t> stage;
  // The epoch that its join raised; 0 before; discarded_born once it is discarded. Nobody removes the segment while a
  // joined subscriber lives that has not listed the topic since (SubscriberHeader::listed): it may still want what this
  // publisher sent.
  Word<std::uint64_t> born;
  Tenure tenure;
  // doorbell.h: of those who could end a wait, the one that `want` is for; 0: all of them.
  Word<PeerId> awaited;
};

// A payload of up to so many words lies in the slot itself, if it has no user header (carried.h).
inline constexpr std::size_t carried_words = 8;
inline constexpr std::size_t carried_size = carried_words * sizeof(std::uint64_t);

// One sample's descriptor, written as a sequence lock (ring.h). Two cache lines, as processors fetch lines in pairs.
struct Slot {
  alignas(2 * cache_line) Word<std::uint64_t> word;
  Word<std::uint64_t> chunk;   // ChunkRef; none: the payload is in `carried`, and `header` means nothing
  Word<std::uint64_t> size;    // bytes of payload
  Word<std::uint64_t> ticks;   // when it was published (clock.h)
  Word<std::uint64_t> header;  // bytes of user header << 32 | offset of the payload in the chunk
  alignas(cache_line) Word<std::uint64_t> carried[carried_words];
};

// A subscriber's place in one publisher's stream.
struct Cursor {
  alignas(cache_line) Word<PeerId> publisher;  // 0: the entry is free
  Word<std::uint64_t> next;                    // the first sequence that is not taken yet
};

// What a durable subscriber notes beside a pin (in_hand.h). Sequences are one more than the sample's; 0: none.
struct InHandNote {
  Word<PeerId> publisher;
  Word<std::uint64_t> sequence;  // of the sample that the pin is for
  Word<PeerId> left_publisher;
  Word<std::uint64_t> left;  // what predecessors had in hand when they died: any place for any sample
};

inline constexpr std::size_t cursor_count = 256;
// Publishers of one topic; fewer than cursor_count, as some may be gone but not read to the end.
inline constexpr std::size_t max_publishers = 128;
inline constexpr std::size_t max_pins = 65536;
inline constexpr std::size_t max_loans = 65536;  // each has a draft in memory of the process (carried.h)
inline constexpr std::size_t max_slots = 1U << 20U;
// Of a publisher's messages: the mapping of a class, which is twice as large (chunk_ref.h), fits into what a process
// can address.
inline constexpr std::uint64_t max_memory = std::uint64_t{1} << 45U;

struct SubscriberHeader {
  SegmentHeader common;
  std::uint64_t depth;
  std::uint64_t history;
  std::uint64_t pins;
  std::uint32_t policy;
  std::uint32_t adapts;  // 1: it takes what a publisher grants (segment.h, misfit)
  // doorbell.h: not 0 while asleep; 1 while it is counted in SharedCounters::sleepers.
  alignas(cache_line) Word<std::uint64_t> asleep;
  Word<std::uint32_t> counted;
  Word<std::uint32_t> stage;
  // Pins and cursors at and above these indices were never used; raised before the first use.
  Word<std::uint64_t> pins_used;
  Word<std::uint64_t> cursors_used;
  // The epoch of its last complete listing of publishers.
  Word<std::uint64_t> listed;
  // The epoch that its join raised; 0 before; discarded_born once it is discarded. A durable subscriber has another at
  // each return.
  Word<std::uint64_t> born;
  Tenure tenure;
};

inline constexpr std::size_t slots_offset = page;
inline constexpr std::size_t cursors_offset = page;
inline constexpr std::size_t pins_offset = cursors_offset + cursor_count * sizeof(Cursor);

static_assert(sizeof(SharedCounters) <= page);
static_assert(sizeof(TopicHeader) <= page);
static_assert(sizeof(PublisherHeader) <= page);
static_assert(sizeof(SubscriberHeader) <= page);
static_assert(sizeof(Slot) == 2 * cache_line);
static_assert(sizeof(Cursor) == cache_line);

}  // namespace weir::shm
