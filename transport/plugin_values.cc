#include "transport/plugin_values.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

#include <fmt/format.h>

namespace weir::plugin {
namespace {

// ErrorCode counts from 0, enum weir_code from 1.
static_assert(static_cast<int>(ErrorCode::invalid_argument) + 1 == WEIR_INVALID_ARGUMENT);
static_assert(static_cast<int>(ErrorCode::back_pressure) + 1 == WEIR_BACK_PRESSURE);
static_assert(static_cast<int>(ErrorCode::internal) + 1 == WEIR_INTERNAL);
static_assert(static_cast<int>(Change::died) == WEIR_DIED && static_cast<int>(Change::left) == WEIR_LEFT);
static_assert(static_cast<int>(Role::subscriber) + 1 == WEIR_SUBSCRIBER);

constexpr std::array<std::pair<const char*, bool Capabilities::*>, 19> flags{{
    {"zero_copy", &Capabilities::zero_copy},
    {"across_processes", &Capabilities::across_processes},
    {"sequence", &Capabilities::sequence},
    {"exact_loss", &Capabilities::exact_loss},
    {"publish_time", &Capabilities::publish_time},
    {"user_header", &Capabilities::user_header},
    {"types", &Capabilities::types},
    {"drop_oldest", &Capabilities::drop_oldest},
    {"drop_newest", &Capabilities::drop_newest},
    {"lossless_block", &Capabilities::lossless_block},
    {"lossless_reject", &Capabilities::lossless_reject},
    {"negotiates_policy", &Capabilities::negotiates_policy},
    {"exact_depth", &Capabilities::exact_depth},
    {"survives_publisher", &Capabilities::survives_publisher},
    {"persistence", &Capabilities::persistence},
    {"in_hand_list", &Capabilities::in_hand_list},
    {"death_events", &Capabilities::death_events},
    {"lists_topics", &Capabilities::lists_topics},
    {"acknowledgement", &Capabilities::acknowledgement},
}};

constexpr std::array<std::pair<const char*, std::uint64_t Capabilities::*>, 5> limits{{
    {"max_depth", &Capabilities::max_depth},
    {"max_history", &Capabilities::max_history},
    {"max_header", &Capabilities::max_header},
    {"max_loans", &Capabilities::max_loans},
    {"max_held", &Capabilities::max_held},
}};

constexpr std::array<std::pair<const char*, MembershipView>, 4> views{{
    {"none", MembershipView::none},
    {"any_or_none", MembershipView::any_or_none},
    {"subscriptions", MembershipView::subscriptions},
    {"full", MembershipView::full},
}};

void add_type(const std::optional<TypeInfo>& type, ValueList& values) {
  if (!type) return;
  values.add_word("type", type->name);
  values.add_number("type.size", type->size);
  values.add_number("type.alignment", type->alignment);
  values.add_number("type.fingerprint", type->fingerprint);
}

// One of the enumerators that to_string() names.
template <class Enum, std::size_t count>
Status read(const weir_value& value, const std::array<Enum, count>& all, Enum& into) {
  const std::string_view word = value.word == nullptr ? "" : value.word;
  for (const Enum each : all) {
    if (to_string(each) == word) {
      into = each;
      return {};
    }
  }
  return failure(ErrorCode::invalid_argument,
                 fmt::format("setting {}=\"{}\": this word is not known", value.key, word));
}

// What both roles have. Nothing: the key is another.
template <class Qos>
std::optional<Status> read_common(const weir_value& value, Qos& qos) {
  const std::string_view key = value.key;
  const std::string word = value.word == nullptr ? "" : value.word;
  const auto type = [&]() -> TypeInfo& { return qos.type ? *qos.type : qos.type.emplace(); };
  if (key == "name") return qos.name = word, Status();
  if (key == "depth") return qos.depth = value.number, Status();
  if (key == "history") return qos.history = value.number, Status();
  if (key == "type") return type().name = word, Status();
  if (key == "type.size") return type().size = value.number, Status();
  if (key == "type.alignment") return type().alignment = value.number, Status();
  if (key == "type.fingerprint") return type().fingerprint = value.number, Status();
  if (key == "durability")
    return read(value, std::array{Durability::transient, Durability::persistent}, qos.durability);
  return std::nullopt;
}

Status read_one(const weir_value& value, PublisherQos& qos) {
  const std::string_view key = value.key;
  if (key == "grant") return read(value, std::array{Grant::drop, Grant::block, Grant::reject}, qos.grant);
  if (key == "deadline") return qos.deadline = std::chrono::nanoseconds(value.number), Status();
  if (key == "loans") return qos.loans = value.number, Status();
  if (key == "max_payload") return qos.max_payload = value.number, Status();
  if (key == "memory") return qos.memory = value.number, Status();
  if (auto common = read_common(value, qos)) return *common;
  if (value.type == WEIR_WORD && value.word != nullptr) qos.extra.emplace(key, value.word);
  return {};
}

Status read_one(const weir_value& value, SubscriberQos& qos) {
  const std::string_view key = value.key;
  if (key == "policy") {
    return read(value, std::array{SlowPolicy::drop_oldest, SlowPolicy::drop_newest, SlowPolicy::lossless}, qos.policy);
  }
  if (key == "held") return qos.held = value.number, Status();
  if (auto common = read_common(value, qos)) return *common;
  if (value.type == WEIR_WORD && value.word != nullptr) qos.extra.emplace(key, value.word);
  return {};
}

template <class Qos>
Result<Qos> read_all(const weir_values* settings) {
  Qos qos;
  for (std::uint64_t at = 0; settings != nullptr && at < settings->count; ++at) {
    if (Status read = read_one(*settings->items[at], qos); !read) return tl::unexpected(read.error());
  }
  return qos;
}

}  // namespace

std::int32_t to_c(ErrorCode code) noexcept { return static_cast<std::int32_t>(code) + 1; }

ErrorCode error_code(std::int32_t code) noexcept {
  return code < WEIR_INVALID_ARGUMENT || code > WEIR_INTERNAL ? ErrorCode::internal : static_cast<ErrorCode>(code - 1);
}

std::int32_t report(const Error& error, weir_text* text) noexcept {
  if (text != nullptr && text->data != nullptr && text->capacity > 0) {
    const std::size_t size = std::min<std::size_t>(error.message().size(), text->capacity - 1);
    std::memcpy(text->data, error.message().data(), size);
    text->data[size] = '\0';
  }
  return to_c(error.code());
}

const char* ValueList::keep(std::string_view text) { return texts_.emplace_back(text).c_str(); }

weir_value& ValueList::add(std::string_view key, weir_value_type type) {
  weir_value& value = items_.emplace_back(sized<weir_value>());
  value.key = keep(key);
  value.type = static_cast<std::uint32_t>(type);
  pointers_.push_back(&value);  // which later additions to a deque leave where it is
  return value;
}

void ValueList::add_number(std::string_view key, std::uint64_t number) { add(key, WEIR_NUMBER).number = number; }
void ValueList::add_duration(std::string_view key, std::uint64_t nanoseconds) {
  add(key, WEIR_DURATION).number = nanoseconds;
}
void ValueList::add_word(std::string_view key, std::string_view word) { add(key, WEIR_WORD).word = keep(word); }

const weir_values* ValueList::values() const noexcept {
  values_ = {.struct_size = sizeof(weir_values), .items = pointers_.data(), .count = pointers_.size()};
  return &values_;
}

void add_values(const PublisherQos& qos, ValueList& values) {
  values.add_word("name", qos.name);
  values.add_word("grant", to_string(qos.grant));
  values.add_duration("deadline", static_cast<std::uint64_t>(qos.deadline.count()));
  values.add_number("depth", qos.depth);
  values.add_number("history", qos.history);
  values.add_word("durability", to_string(qos.durability));
  values.add_number("loans", qos.loans);
  values.add_number("max_payload", qos.max_payload);
  values.add_number("memory", qos.memory);
  add_type(qos.type, values);
  for (const auto& [key, word] : qos.extra) values.add_word(key, word);
}

void add_values(const SubscriberQos& qos, ValueList& values) {
  values.add_word("name", qos.name);
  values.add_word("policy", to_string(qos.policy));
  values.add_number("depth", qos.depth);
  values.add_number("history", qos.history);
  values.add_word("durability", to_string(qos.durability));
  values.add_number("held", qos.held);
  add_type(qos.type, values);
  for (const auto& [key, word] : qos.extra) values.add_word(key, word);
}

bool capability_at(const Capabilities& capabilities, std::uint64_t index, weir_value& value) noexcept {
  value = sized<weir_value>();
  value.type = WEIR_NUMBER;
  if (index < flags.size()) {
    value.key = flags.at(index).first;
    value.number = capabilities.*flags.at(index).second ? 1U : 0U;
    return true;
  }
  if (index - flags.size() < limits.size()) {
    value.key = limits.at(index - flags.size()).first;
    value.number = capabilities.*limits.at(index - flags.size()).second;
    return true;
  }
  if (index - flags.size() > limits.size()) return false;
  value.key = "membership";
  value.type = WEIR_WORD;
  value.word = std::find_if(views.begin(), views.end(), [&](const auto& view) {
                 return view.second == capabilities.membership;
               })->first;
  return true;
}

void add_options(const Endpoint& endpoint, ValueList& values) {
  for (const auto& [key, word] : endpoint.options) values.add_word(key, word);
}

Result<PublisherQos> to_publisher_qos(const weir_values* settings) { return read_all<PublisherQos>(settings); }
Result<SubscriberQos> to_subscriber_qos(const weir_values* settings) { return read_all<SubscriberQos>(settings); }

Endpoint to_endpoint(const weir_endpoint& endpoint) {
  Endpoint result{.scheme = endpoint.scheme, .topic = endpoint.topic, .options = {}};
  for (std::uint64_t at = 0; endpoint.options != nullptr && at < endpoint.options->count; ++at) {
    const weir_value& option = *endpoint.options->items[at];
    result.options.emplace(option.key, option.word == nullptr ? "" : option.word);
  }
  return result;
}

void set_capability(const weir_value& value, Capabilities& capabilities) {
  const std::string_view key = value.key;
  for (const auto& [name, flag] : flags) {
    if (key == name) capabilities.*flag = value.number != 0;
  }
  for (const auto& [name, limit] : limits) {
    if (key == name) capabilities.*limit = value.number;
  }
  for (const auto& [word, view] : views) {
    if (key == "membership" && value.word != nullptr && std::string_view(value.word) == word)
      capabilities.membership = view;
  }
}

Peer to_peer(const weir_peer& peer) {
  return {.role = peer.role == WEIR_PUBLISHER ? Role::publisher : Role::subscriber,
          .id = peer.id,
          .name = peer.name == nullptr ? "" : peer.name,
          .pid = peer.pid,
          .alive = peer.alive != 0};
}

weir_peer to_c(const Peer& peer) noexcept {
  return {.struct_size = sizeof(weir_peer),
          .id = peer.id,
          .pid = peer.pid,
          .role = static_cast<std::uint32_t>(peer.role) + 1,
          .change = 0,
          .alive = peer.alive ? 1U : 0U,
          .reserved = 0,
          .name = peer.name.c_str(),
          .topic = nullptr};
}

}  // namespace weir::plugin
