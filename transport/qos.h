// Quality of service: what a publisher grants and what a subscriber asks for.
//
// Each option can be given in the URI or in code, under the same name; both with different values is an error. One URI
// may serve both roles: a role checks and then ignores the keys of the other.
//
//   node.subscriber("shm://camera?depth=8&policy=lossless");
//   node.subscriber("shm://camera", {.policy = SlowPolicy::lossless, .depth = 8});      // the same
//
// Sizes are bytes, with optional suffix KiB, MiB, GiB. Durations need a unit: ns, us, ms, s.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "transport/endpoint.h"
#include "transport/status.h"

namespace weir {

// What a subscriber wants when `depth` unread samples of one publisher wait for it and another comes.
enum class SlowPolicy : std::uint8_t {
  drop_oldest,  // the oldest unread sample makes room; announced by lost_before()
  drop_newest,  // the new sample is not queued; announced by lost_before()
  lossless,     // the publisher must wait or be refused: see Grant
};

// What a publisher grants to lossless subscribers.
enum class Grant : std::uint8_t {
  drop,    // nothing: a lossless subscriber cannot join
  block,   // publish waits for it, up to a deadline, then returns back_pressure
  reject,  // publish returns back_pressure at once
};

enum class Durability : std::uint8_t {
  transient,   // "volatile" in a URI: the topic is gone when its last user is
  persistent,  // unread samples outlive all processes, until the topic is removed
};

// What the bytes are. Both sides may state it; two statements that differ in any field do not join.
struct TypeInfo {
  std::string name;               // at most 255 bytes
  std::uint64_t size = 0;         // bytes; 0 for variable size
  std::uint64_t alignment = 0;    // bytes, a power of two; 0 for unstated
  std::uint64_t fingerprint = 0;  // of the schema; 0 for unstated

  friend bool operator==(const TypeInfo&, const TypeInfo&) = default;
};

using ExtraOptions = std::map<std::string, std::string, std::less<>>;

// Options in code. What is not set comes from the URI, else from the defaults in PublisherQos.
struct PublisherOptions {
  std::optional<std::string> name = {};
  std::optional<Grant> grant = {};
  std::optional<std::chrono::nanoseconds> deadline = {};
  std::optional<std::uint64_t> depth = {};
  std::optional<std::uint64_t> history = {};
  std::optional<Durability> durability = {};
  std::optional<std::uint64_t> loans = {};
  std::optional<std::uint64_t> max_payload = {};
  std::optional<std::uint64_t> memory = {};
  std::optional<TypeInfo> type = {};
  ExtraOptions extra = {};  // options of one backend alone, as text
};

struct SubscriberOptions {
  std::optional<std::string> name = {};
  std::optional<SlowPolicy> policy = {};
  std::optional<std::uint64_t> depth = {};
  std::optional<std::uint64_t> history = {};
  std::optional<Durability> durability = {};
  std::optional<std::uint64_t> held = {};
  std::optional<TypeInfo> type = {};
  ExtraOptions extra = {};
};

// What holds after URI, code and defaults were put together. Backends receive these.
struct PublisherQos {
  std::string name;                                             // name: for people and for return; at most 128 bytes
  Grant grant = Grant::drop;                                    // grant=drop|block|reject
  std::chrono::nanoseconds deadline = std::chrono::seconds(1);  // deadline: how long a blocked publish waits
  std::uint64_t depth = 255;                                    // depth: the largest that a subscriber may ask for
  std::uint64_t history = 0;                                    // history: samples retained for late joiners
  Durability durability = Durability::transient;                // durability=volatile|persistent
  std::uint64_t loans = 64;                                     // loans: open at one time
  std::uint64_t max_payload = 1ULL << 30U;                      // max_payload: bytes of one message
  std::uint64_t memory = 4ULL << 30U;                           // memory: bytes that all its messages together may take
  std::optional<TypeInfo> type = {};                            // type=NAME, and in code the rest
  ExtraOptions extra = {};
};

struct SubscriberQos {
  std::string name;                               // name
  SlowPolicy policy = SlowPolicy::drop_oldest;    // policy=drop_oldest|drop_newest|lossless
  std::uint64_t depth = 16;                       // depth: unread samples kept, for each publisher
  std::uint64_t history = 0;                      // history: newest samples wanted at join, for each publisher
  Durability durability = Durability::transient;  // durability=volatile|persistent
  std::uint64_t held = 64;                        // held: samples held unreleased at one time
  std::optional<TypeInfo> type = {};              // type=NAME
  ExtraOptions extra = {};
};

// Puts the options together. `backend_keys` are the keys that the backend adds; they arrive in `extra`.
// Errors: invalid_argument, naming the key, for an unknown key, a value that does not parse or, in code, is none, the
// same option with two values, depth or held 0, history above depth, a name or type name that is too long, an alignment
// of the type that is no power of two.
[[nodiscard]] Result<PublisherQos> resolve(const Endpoint& endpoint, const PublisherOptions& options,
                                           std::span<const std::string_view> backend_keys);
[[nodiscard]] Result<SubscriberQos> resolve(const Endpoint& endpoint, const SubscriberOptions& options,
                                            std::span<const std::string_view> backend_keys);

// A size as a URI writes it, "64KiB", for the options of a backend; empty if it is none.
[[nodiscard]] std::optional<std::uint64_t> parse_size(std::string_view text) noexcept;

// The words that a URI uses: "drop_oldest", "block", "volatile".
[[nodiscard]] std::string_view to_string(SlowPolicy policy) noexcept;
[[nodiscard]] std::string_view to_string(Grant grant) noexcept;
[[nodiscard]] std::string_view to_string(Durability durability) noexcept;

}  // namespace weir
