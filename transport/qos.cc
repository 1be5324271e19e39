#include "transport/qos.h"

#include <algorithm>
#include <array>
#include <bit>
#include <charconv>
#include <limits>
#include <utility>

#include <fmt/format.h>

namespace weir {
namespace {

constexpr std::size_t max_name_size = 128;
constexpr std::size_t max_type_name_size = 255;
constexpr std::string_view unknown = "unknown";  // of an enumerator that is none

struct Unit {
  std::string_view suffix;
  std::uint64_t factor;
};

constexpr std::array<Unit, 4> size_units{{{"KiB", 1ULL << 10U}, {"MiB", 1ULL << 20U}, {"GiB", 1ULL << 30U}, {"", 1}}};
constexpr std::array<Unit, 4> time_units{{{"ns", 1}, {"us", 1'000}, {"ms", 1'000'000}, {"s", 1'000'000'000}}};

// A whole number with one of the units; empty if it is not one, or too large.
std::optional<std::uint64_t> number(std::string_view text, std::span<const Unit> units, std::uint64_t most) {
  std::uint64_t value = 0;
  const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (fault != std::errc{}) return std::nullopt;
  const std::string_view suffix(end, static_cast<std::size_t>(text.data() + text.size() - end));
  for (const Unit& unit : units) {
    if (unit.suffix == suffix) return value <= most / unit.factor ? std::optional(value * unit.factor) : std::nullopt;
  }
  return std::nullopt;
}

}  // namespace

std::optional<std::uint64_t> parse_size(std::string_view text) noexcept {
  return number(text, size_units, std::numeric_limits<std::uint64_t>::max());
}

namespace {

constexpr std::array<SlowPolicy, 3> policies{SlowPolicy::drop_oldest, SlowPolicy::drop_newest, SlowPolicy::lossless};
constexpr std::array<Grant, 3> grants{Grant::drop, Grant::block, Grant::reject};
constexpr std::array<Durability, 2> durabilities{Durability::transient, Durability::persistent};

// How each kind of option is read from a URI and written for people.
Result<std::uint64_t> read(std::string_view text, std::uint64_t /*kind*/) {
  if (auto value = parse_size(text)) return *value;
  return failure(ErrorCode::invalid_argument, "a whole number, with KiB, MiB or GiB if it is large");
}

Result<std::chrono::nanoseconds> read(std::string_view text, std::chrono::nanoseconds /*kind*/) {
  if (auto value = number(text, time_units, std::numeric_limits<std::int64_t>::max())) {
    return std::chrono::nanoseconds(*value);
  }
  return failure(ErrorCode::invalid_argument, "a duration with its unit, such as 20ms (ns, us, ms, s)");
}

Result<std::string> read(std::string_view text, const std::string& /*kind*/) { return std::string(text); }

template <class Enum, std::size_t count>
Result<Enum> word(std::string_view text, const std::array<Enum, count>& all) {
  std::string wanted;
  for (const Enum value : all) {
    if (to_string(value) == text) return value;
    wanted += (wanted.empty() ? "" : ", ") + std::string(to_string(value));
  }
  return failure(ErrorCode::invalid_argument, "one of: " + wanted);
}
Result<SlowPolicy> read(std::string_view text, SlowPolicy /*kind*/) { return word(text, policies); }
Result<Grant> read(std::string_view text, Grant /*kind*/) { return word(text, grants); }
Result<Durability> read(std::string_view text, Durability /*kind*/) { return word(text, durabilities); }

std::string show(std::uint64_t value) { return std::to_string(value); }
std::string show(std::chrono::nanoseconds value) { return fmt::format("{}ns", value.count()); }
std::string show(const std::string& value) { return value; }
template <class Enum>
  requires std::is_enum_v<Enum>
std::string show(Enum value) {
  const std::string_view word = to_string(value);
  return word == unknown ? std::to_string(static_cast<int>(value)) : std::string(word);
}

// Merges one option after the other and remembers the first fault.
class Merger {
 public:
  explicit Merger(const Endpoint& endpoint) : endpoint_(endpoint), left_(endpoint.options) {}

  template <class Value>
  void option(std::string_view key, const std::optional<Value>& in_code, Value& value) {
    if (in_code) set(key, show(*in_code), value);  // no value in code is one that a URI could not have
    const auto in_uri = left_.find(key);
    if (in_uri == left_.end()) return;
    set(key, in_uri->second, value);
    if (in_code && *in_code != value) conflict(key, in_uri->second, show(*in_code));
    left_.erase(in_uri);
  }

  // For what would be of no use with 0.
  void count(std::string_view key, const std::optional<std::uint64_t>& in_code, std::uint64_t& value) {
    option(key, in_code, value);
    if (value == 0) fault(fmt::format("{}=0 leaves room for no sample: ask for 1 or more", key));
  }

  // A key of the other role: checked, then ignored.
  template <class Value>
  void ignore(std::string_view key) {
    Value unused{};
    option(key, std::optional<Value>(), unused);
  }

  void type(const std::optional<TypeInfo>& in_code, std::optional<TypeInfo>& type) {
    type = in_code;
    std::string name = in_code ? in_code->name : std::string();
    option("type", in_code ? std::optional(in_code->name) : std::optional<std::string>(), name);
    if (!type && !name.empty()) type = TypeInfo{.name = name};
    if (name.size() > max_type_name_size) {
      fault(fmt::format("the type's name has {} bytes, at most {} are allowed: shorten it", name.size(),
                        max_type_name_size));
    }
    if (type && type->alignment != 0 && !std::has_single_bit(type->alignment)) {
      fault(fmt::format("the type's alignment of {} is not a power of two: give alignof, or 0 for none",
                        type->alignment));
    }
  }

  void extra(const ExtraOptions& in_code, std::span<const std::string_view> keys, ExtraOptions& extra) {
    for (const auto& [key, value] : in_code) {
      const auto in_uri = left_.find(key);
      if (in_uri != left_.end() && in_uri->second != value) conflict(key, in_uri->second, value);
      left_.emplace(key, value);
    }
    for (const auto& [key, value] : left_) {
      if (std::find(keys.begin(), keys.end(), key) == keys.end()) {
        fault(fmt::format("unknown option \"{}\": known here are {}", key, known(keys)));
      }
    }
    extra = std::move(left_);
  }

  void fault(std::string reason) {
    if (!fault_) {
      fault_.emplace(ErrorCode::invalid_argument, fmt::format("endpoint \"{}\": {}", endpoint_.text(), reason));
    }
  }

  template <class Qos>
  Result<Qos> result(Qos qos) {
    if (qos.name.size() > max_name_size) {
      fault(fmt::format("the name has {} bytes, at most {} are allowed: shorten it", qos.name.size(), max_name_size));
    }
    if (fault_) return tl::unexpected(*fault_);
    return qos;
  }

 private:
  template <class Value>
  void set(std::string_view key, std::string_view text, Value& value) {
    if (Result<Value> parsed = read(text, Value{})) {
      value = std::move(*parsed);
    } else {
      fault(fmt::format("option {}=\"{}\" is not {}", key, text, parsed.error().message()));
    }
  }

  void conflict(std::string_view key, std::string_view in_uri, std::string_view in_code) {
    fault(fmt::format("option \"{}\" is {} in the URI and {} in code: give it once", key, in_uri, in_code));
  }

  static std::string known(std::span<const std::string_view> backend_keys) {
    std::string keys =
        "name, grant, deadline, policy, depth, history, durability, loans, held, max_payload, memory, type";
    for (const std::string_view key : backend_keys) keys += fmt::format(", {}", key);
    return keys;
  }

  const Endpoint& endpoint_;
  ExtraOptions left_;
  std::optional<Error> fault_;
};

}  // namespace

Result<PublisherQos> resolve(const Endpoint& endpoint, const PublisherOptions& options,
                             std::span<const std::string_view> backend_keys) {
  PublisherQos qos;
  Merger merger(endpoint);
  merger.option("name", options.name, qos.name);
  merger.option("grant", options.grant, qos.grant);
  merger.option("deadline", options.deadline, qos.deadline);
  merger.count("depth", options.depth, qos.depth);
  merger.option("history", options.history, qos.history);
  merger.option("durability", options.durability, qos.durability);
  merger.option("loans", options.loans, qos.loans);
  merger.option("max_payload", options.max_payload, qos.max_payload);
  merger.option("memory", options.memory, qos.memory);
  merger.ignore<SlowPolicy>("policy");
  std::uint64_t held = SubscriberQos().held;
  merger.count("held", {}, held);
  merger.type(options.type, qos.type);
  merger.extra(options.extra, backend_keys, qos.extra);
  return merger.result(std::move(qos));
}

Result<SubscriberQos> resolve(const Endpoint& endpoint, const SubscriberOptions& options,
                              std::span<const std::string_view> backend_keys) {
  SubscriberQos qos;
  Merger merger(endpoint);
  merger.option("name", options.name, qos.name);
  merger.option("policy", options.policy, qos.policy);
  merger.count("depth", options.depth, qos.depth);
  merger.option("history", options.history, qos.history);
  merger.option("durability", options.durability, qos.durability);
  merger.count("held", options.held, qos.held);
  merger.ignore<Grant>("grant");
  merger.ignore<std::chrono::nanoseconds>("deadline");
  merger.ignore<std::uint64_t>("loans");
  merger.ignore<std::uint64_t>("max_payload");
  merger.ignore<std::uint64_t>("memory");
  merger.type(options.type, qos.type);
  merger.extra(options.extra, backend_keys, qos.extra);
  if (qos.history > qos.depth) {
    merger.fault(fmt::format("history={} does not fit into depth={}: raise depth", qos.history, qos.depth));
  }
  return merger.result(std::move(qos));
}

std::string_view to_string(SlowPolicy policy) noexcept {
  switch (policy) {
    case SlowPolicy::drop_oldest:
      return "drop_oldest";
    case SlowPolicy::drop_newest:
      return "drop_newest";
    case SlowPolicy::lossless:
      return "lossless";
  }
  return unknown;
}

std::string_view to_string(Grant grant) noexcept {
  switch (grant) {
    case Grant::drop:
      return "drop";
    case Grant::block:
      return "block";
    case Grant::reject:
      return "reject";
  }
  return unknown;
}

std::string_view to_string(Durability durability) noexcept {
  switch (durability) {
    case Durability::transient:
      return "volatile";
    case Durability::persistent:
      return "persistent";
  }
  return unknown;
}

}  // namespace weir
