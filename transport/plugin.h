/* A backend as a shared library that is loaded at run time: the C ABI between weir, the host, and a plug-in.
 *
 *   static const struct weir_plugin plugin = {
 *       .struct_size = sizeof(struct weir_plugin),
 *       .major = WEIR_PLUGIN_MAJOR,
 *       .minor = WEIR_PLUGIN_MINOR,
 *       .name = "theirs 1.0",
 *       .open = theirs_open,
 *       ...
 *   };
 *   const struct weir_plugin* weir_plugin_entry(uint32_t host_major, uint32_t host_minor) { return &plugin; }
 *
 * This header is all that a plug-in needs of weir. An application loads it by load_plugin() (plugin_loader.h), and
 * //conformance:judge judges it. What a backend must do is the contract: docs/contract.md; how to write one:
 * docs/writing-a-backend.md.
 *
 * Versions. Host and plug-in of unequal major refuse each other. A greater minor has appended fields to structs, never
 * changed one: whoever reads a struct looks at its struct_size, takes a field that lies beyond it for 0, and does not
 * write beyond it. Who makes a struct sets struct_size to the sizeof that it was compiled with.
 *
 * Ownership. Handles (weir_backend, weir_port, weir_listing, weir_stop) are made by the plug-in, opaque to the host,
 * and given back by their own release function, once. Pointers in arguments are valid during the call. Texts that a
 * plug-in returns are its own, valid as said at each function. All text is UTF-8 or raw bytes, ends with NUL, and has
 * no other.
 *
 * Errors. Functions that can fail return an enum weir_code, and on failure write a sentence that names the topic, the
 * value and the remedy into the caller's weir_text. The plug-in throws nothing, ends no process, and calls nothing in
 * the host.
 *
 * Threads. The functions of one port are called by one thread at a time, but for `release` and `publish_time`, which
 * any thread may call at any time, and trigger_stop, which is called during a wait. Those of different ports and of a
 * backend may be called at the same time. In a forked child nothing inherited is called; a backend may then be used
 * to open new ports.
 *
 * Life. The host unloads no library. A port is released after its last sample and its last loan.
 *
 * C11 and C++. */
#ifndef WEIR_TRANSPORT_PLUGIN_H
#define WEIR_TRANSPORT_PLUGIN_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define WEIR_PLUGIN_MAJOR 1U
#define WEIR_PLUGIN_MINOR 1U

/* ---- Values ---- */

/* NOLINTBEGIN(readability-identifier-naming, modernize-use-using): C */

/* What ErrorCode of status.h says, in its order. */
enum weir_code {
  WEIR_OK = 0,
  WEIR_INVALID_ARGUMENT = 1,
  WEIR_UNSUPPORTED = 2,
  WEIR_INCOMPATIBLE = 3,
  WEIR_NOT_FOUND = 4,
  WEIR_NAME_TAKEN = 5,
  WEIR_PERMISSION_DENIED = 6,
  WEIR_RESOURCE_EXHAUSTED = 7,
  WEIR_LIMIT_EXCEEDED = 8,
  WEIR_BACK_PRESSURE = 9,
  WEIR_TIMED_OUT = 10,
  WEIR_INTERRUPTED = 11,
  WEIR_CLOSED = 12,
  WEIR_FORKED = 13,
  WEIR_CORRUPT = 14,
  WEIR_UNAVAILABLE = 15,
  WEIR_INTERNAL = 16
};

/* Where an error's sentence goes: the caller's buffer. At most capacity bytes are written, the last of them a NUL. */
struct weir_text {
  uint64_t struct_size;
  char* data;
  uint64_t capacity;
};

enum weir_value_type {
  WEIR_NUMBER = 1,   /* a count, bytes, or 0 and 1 for no and yes */
  WEIR_DURATION = 2, /* nanoseconds */
  WEIR_WORD = 3      /* text */
};

/* A capability, an option or a limit by name. Who does not know a key passes over it. */
struct weir_value {
  uint64_t struct_size;
  const char* key;
  uint32_t type; /* enum weir_value_type */
  uint32_t reserved;
  uint64_t number;  /* of a number or a duration */
  const char* word; /* of a word; else NULL */
};

struct weir_values {
  uint64_t struct_size;
  const struct weir_value* const* items;
  uint64_t count;
};

struct weir_endpoint {
  uint64_t struct_size;
  const char* scheme;
  const char* topic;                 /* decoded; empty for a whole backend */
  const struct weir_values* options; /* as the URI has them: words */
};

/* Points of CLOCK_MONOTONIC in nanoseconds, up to which a call may wait. */
#define WEIR_NEVER INT64_MAX
#define WEIR_AT_ONCE INT64_MIN

enum weir_wake { WEIR_WAKE_READY = 0, WEIR_WAKE_DEADLINE = 1, WEIR_WAKE_INTERRUPTED = 2 };

/* `loan` reads size, header_size and alignment, and writes the rest. */
struct weir_loan {
  uint64_t struct_size;
  uint64_t size;        /* bytes of payload; `publish` may be given fewer than were lent */
  uint64_t header_size; /* bytes of user header */
  uint64_t alignment;   /* of the payload: a power of two up to 4096 */
  void* payload;
  void* header;
  uint64_t token; /* the port's own */
};

#define WEIR_NO_SEQUENCE UINT64_MAX

struct weir_sample {
  uint64_t struct_size;
  const void* payload;
  uint64_t size;
  const void* header;
  uint64_t header_size;
  uint64_t publisher; /* its id; 0 if unknown */
  uint64_t sequence;  /* WEIR_NO_SEQUENCE if there is none */
  uint64_t lost_before;
  uint64_t time;  /* see publish_time */
  uint64_t token; /* the port's own */
};

enum weir_role { WEIR_NOBODY = 0, WEIR_PUBLISHER = 1, WEIR_SUBSCRIBER = 2 };

enum weir_change { WEIR_JOINED = 0, WEIR_LEFT = 1, WEIR_DIED = 2 };

struct weir_peer {
  uint64_t struct_size;
  uint64_t id;
  int64_t pid;     /* for people; 0 if unknown */
  uint32_t role;   /* enum weir_role; WEIR_NOBODY only in a list of topics: this topic has nobody */
  uint32_t change; /* enum weir_change; of events only */
  uint32_t alive;  /* 0: died, and something of it is still wanted */
  uint32_t reserved;
  const char* name;  /* of an event: valid until the next call on the port; of a list: until its release */
  const char* topic; /* in a list of topics only; valid until its release */
};

/* ---- Handles ---- */

typedef struct weir_backend weir_backend;
typedef struct weir_port weir_port;       /* a publisher or a subscriber on one topic */
typedef struct weir_listing weir_listing; /* peers, or topics with their peers, as they were when it was made */
typedef struct weir_stop weir_stop;       /* ends waits from another thread */

/* ---- The table of functions ---- */

/* Those marked optional may be NULL: the host then answers `unsupported`, or as said. */
struct weir_plugin {
  uint64_t struct_size;
  uint32_t major;
  uint32_t minor;
  const char* name; /* for people: library and version */

  /* -- The backend. Released after all that was made of it. -- */

  int32_t (*open)(weir_backend** backend, struct weir_text* error);
  void (*release_backend)(weir_backend* backend);

  /* The URI schemes that it serves, and the option keys that it adds to those of qos.h: number `index`, or NULL behind
   * the last. Valid as long as the backend. */
  const char* (*scheme)(const weir_backend* backend, uint64_t index);
  const char* (*option_key)(const weir_backend* backend, uint64_t index);

  /* What it promises for such an endpoint: writes number `index` and returns 1, or returns 0 behind the last. Keys and
   * meaning: the members of Capabilities in capabilities.h, a `bool` as a number, `membership` as a word: none,
   * any_or_none, subscriptions or full. What is not there is not promised; limits that are not there are none. The
   * texts are valid as long as the backend. */
  int32_t (*capability)(const weir_backend* backend, const struct weir_endpoint* endpoint, uint64_t index,
                        struct weir_value* value);

  /* Join a topic. `settings` holds every option of the role, resolved, and checked against the capabilities: the
   * members of PublisherQos or SubscriberQos in qos.h; enumerations as the words of the URI; the type as type,
   * type.size, type.alignment and type.fingerprint, and not at all when none is stated; the options that the backend
   * adds as words. */
  int32_t (*open_publisher)(weir_backend* backend, const struct weir_endpoint* endpoint,
                            const struct weir_values* settings, weir_port** port, struct weir_text* error);
  int32_t (*open_subscriber)(weir_backend* backend, const struct weir_endpoint* endpoint,
                             const struct weir_values* settings, weir_port** port, struct weir_text* error);

  /* Optional. The topics that living processes use, and persistent ones. */
  int32_t (*topics)(weir_backend* backend, const struct weir_endpoint* endpoint, weir_listing** listing,
                    struct weir_text* error);
  /* Optional. Erases a topic that nobody uses. */
  int32_t (*remove_topic)(weir_backend* backend, const struct weir_endpoint* endpoint, struct weir_text* error);

  /* Writes the next entry and returns 1, or returns 0 behind the last. In a list of topics those of one topic come
   * together. */
  int32_t (*next_listed)(weir_listing* listing, struct weir_peer* peer);
  void (*release_listing)(weir_listing* listing);

  /* -- Both kinds of port -- */

  /* Leaves the topic. Afterwards only drop, release, publish_time and, once nothing is out, release_port may come. */
  void (*close)(weir_port* port);
  void (*release_port)(weir_port* port);

  uint64_t (*id)(const weir_port* port); /* unique on its topic, never 0 where publishers have ids */

  /* A publisher waits for space, a subscriber for data. Writes an enum weir_wake. `stop` may be NULL. */
  int32_t (*wait)(weir_port* port, int64_t deadline, weir_stop* stop, int32_t* wake, struct weir_text* error);

  /* A descriptor of the port's own, valid until close: readable when there is something to take, or a publish that was
   * refused could succeed, or, once next_event was called, a membership event is there. Level-triggered. */
  int32_t (*descriptor)(weir_port* port, int32_t* descriptor, struct weir_text* error);

  /* Optional. Writes an event and 1 to `there`, or 0 when there is none. */
  int32_t (*next_event)(weir_port* port, struct weir_peer* peer, int32_t* there, struct weir_text* error);
  /* Optional. The peers of the other role. */
  int32_t (*peers)(weir_port* port, weir_listing** listing, struct weir_text* error);

  /* -- Publishers -- */

  int32_t (*loan)(weir_port* port, struct weir_loan* loan, struct weir_text* error);
  /* `deadline` NULL: as the option says. After an error the loan is as before, and no number is spent. */
  int32_t (*publish)(weir_port* port, struct weir_loan* loan, const int64_t* deadline, uint64_t* sequence,
                     struct weir_text* error);
  void (*drop)(weir_port* port, struct weir_loan* loan);
  /* Optional: WEIR_NO_SEQUENCE. What the next publish will return. */
  uint64_t (*next_sequence)(const weir_port* port);
  /* Optional. */
  int32_t (*wait_for_subscribers)(weir_port* port, uint64_t count, int64_t deadline, weir_stop* stop,
                                  struct weir_text* error);

  /* -- Subscribers -- */

  /* Writes a sample and 1 to `taken`, or 0 when there is nothing to take. */
  int32_t (*take)(weir_port* port, struct weir_sample* sample, int32_t* taken, struct weir_text* error);
  void (*release)(weir_port* port, struct weir_sample* sample);
  /* Optional: then weir_sample.time is it. The time of the publish in nanoseconds of CLOCK_MONOTONIC. */
  int64_t (*publish_time)(const weir_port* port, const struct weir_sample* sample);

  /* -- Stops -- */

  /* `trigger_stop` ends the wait that has this stop, and those to come, with WEIR_WAKE_INTERRUPTED or
   * WEIR_INTERRUPTED. */
  int32_t (*make_stop)(weir_stop** stop, struct weir_text* error);
  void (*trigger_stop)(weir_stop* stop);
  void (*release_stop)(weir_stop* stop);

  /* -- Since minor 1 -- */

  /* Optional, of publishers. Waits until every subscriber has taken the published sample `sequence`, or never will. */
  int32_t (*wait_until_taken)(weir_port* port, uint64_t sequence, int64_t deadline, weir_stop* stop,
                              struct weir_text* error);
  /* Optional, of subscribers. Writes number `index` of what its predecessors had in hand when they died and 1 to
   * `there`, or 0 behind the last. */
  int32_t (*in_hand_at_death)(weir_port* port, uint64_t index, uint64_t* publisher, uint64_t* sequence, int32_t* there,
                              struct weir_text* error);
};

/* ---- What the library exports ---- */

#define WEIR_PLUGIN_EXPORT __attribute__((visibility("default")))

/* The table, valid for ever; NULL if the plug-in cannot serve such a host. */
WEIR_PLUGIN_EXPORT const struct weir_plugin* weir_plugin_entry(uint32_t host_major, uint32_t host_minor);

/* NOLINTEND(readability-identifier-naming, modernize-use-using) */

#ifdef __cplusplus
}
#endif

#endif
