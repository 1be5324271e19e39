#include "tools/weir/recording.h"

#include <algorithm>
#include <charconv>
#include <cstring>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace weir::tool {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::uint64_t bytes_between_places = 16ULL << 20U;

template <class Counter>
std::uint64_t sum(const std::vector<RecordedSource>& sources, Counter counter) {
  std::uint64_t total = 0;
  for (const RecordedSource& source : sources) total += source.*counter;
  return total;
}

Json json_of(const RecordedSource& source) {
  Json json{{"topic", source.topic}, {"publisher", fmt::format("{:016x}", source.publisher)}, {"name", source.name}};
  if (source.type) {
    json["type"] = {{"name", source.type->name},
                    {"size", source.type->size},
                    {"alignment", source.type->alignment},
                    {"fingerprint", source.type->fingerprint}};
  }
  return json;
}

// Throws nlohmann's exceptions.
RecordedSource source_in(const Json& json) {
  RecordedSource source{.topic = json.at("topic").get<std::string>(), .name = json.at("name").get<std::string>()};
  const auto id = json.at("publisher").get<std::string>();
  (void)std::from_chars(id.data(), id.data() + id.size(), source.publisher, 16);
  if (json.contains("type")) {
    const Json& type = json.at("type");
    source.type = TypeInfo{.name = type.at("name").get<std::string>(),
                           .size = type.at("size").get<std::uint64_t>(),
                           .alignment = type.at("alignment").get<std::uint64_t>(),
                           .fingerprint = type.at("fingerprint").get<std::uint64_t>()};
  }
  return source;
}

Json parse(std::span<const std::byte> content) {
  const auto* text = reinterpret_cast<const char*>(content.data());
  return Json::parse(text, text + content.size());
}

// Names may hold any bytes; what is no UTF-8 is replaced.
std::string text_of(const Json& json) { return json.dump(-1, ' ', false, Json::error_handler_t::replace); }

}  // namespace

std::uint64_t Summary::messages() const noexcept { return sum(sources, &RecordedSource::messages); }
std::uint64_t Summary::lost() const noexcept { return sum(sources, &RecordedSource::lost); }
std::uint64_t Summary::missing() const noexcept { return sum(sources, &RecordedSource::missing); }

void Summary::add(const RecordedMessage& message, std::uint64_t offset) {
  const bool is_first = places.empty();  // of the first message in a file there is always one
  if (places.empty() || offset - places.back().offset >= bytes_between_places) {
    places.push_back({.offset = offset, .time = is_first ? message.time : last});
  }
  first = is_first ? message.time : std::min(first, message.time);
  last = is_first ? message.time : std::max(last, message.time);
  RecordedSource& source = sources[message.source];
  ++source.messages;
  source.bytes += message.payload.size();
  source.lost += message.lost_before;
  if (source.publisher == 0 || message.sequence == unknown_sequence) return;
  if (source.next != 0 && message.sequence > source.next + message.lost_before) {
    source.missing += message.sequence - source.next - message.lost_before;
  }
  source.next = message.sequence + 1;
}

std::string encode(const RecordedSource& source) { return text_of(json_of(source)); }

std::optional<RecordedSource> decode_source(std::span<const std::byte> content) {
  try {
    return source_in(parse(content));
  } catch (const Json::exception&) {
    return std::nullopt;
  }
}

MessageHead head_of(const RecordedMessage& message) noexcept {
  return {.source = message.source,
          .header_size = static_cast<std::uint32_t>(message.header.size()),
          .sequence = message.sequence,
          .lost_before = message.lost_before,
          .time = message.time};
}

std::optional<RecordedMessage> decode_message(std::span<const std::byte> content, std::size_t sources) {
  MessageHead head{};
  if (content.size() < sizeof(head)) return std::nullopt;
  std::memcpy(&head, content.data(), sizeof(head));
  content = content.subspan(sizeof(head));
  if (head.source >= sources || head.header_size > content.size()) return std::nullopt;
  return RecordedMessage{.source = head.source,
                         .sequence = head.sequence,
                         .lost_before = head.lost_before,
                         .time = head.time,
                         .header = content.first(head.header_size),
                         .payload = content.subspan(head.header_size)};
}

std::string encode_index(const Summary& summary) {
  Json json{{"end", summary.end},
            {"first", summary.first},
            {"last", summary.last},
            {"sources", Json::array()},
            {"places", Json::array()}};
  for (const RecordedSource& source : summary.sources) {
    Json entry = json_of(source);
    entry["messages"] = source.messages;
    entry["bytes"] = source.bytes;
    entry["lost"] = source.lost;
    entry["missing"] = source.missing;
    entry["next"] = source.next;
    json["sources"].push_back(std::move(entry));
  }
  for (const Place& place : summary.places) json["places"].push_back({place.offset, place.time});
  return text_of(json);
}

std::optional<Summary> decode_index(std::span<const std::byte> content) {
  try {
    const Json json = parse(content);
    Summary summary{.sources = {}, .places = {}, .first = json.at("first").get<std::int64_t>()};
    summary.last = json.at("last").get<std::int64_t>();
    summary.end = json.at("end").get<std::uint64_t>();
    for (const Json& entry : json.at("sources")) {
      RecordedSource source = source_in(entry);
      source.messages = entry.at("messages").get<std::uint64_t>();
      source.bytes = entry.at("bytes").get<std::uint64_t>();
      source.lost = entry.at("lost").get<std::uint64_t>();
      source.missing = entry.at("missing").get<std::uint64_t>();
      source.next = entry.at("next").get<std::uint64_t>();
      summary.sources.push_back(std::move(source));
    }
    for (const Json& place : json.at("places")) {
      summary.places.push_back({.offset = place.at(0).get<std::uint64_t>(), .time = place.at(1).get<std::int64_t>()});
    }
    return summary;
  } catch (const Json::exception&) {
    return std::nullopt;
  }
}

}  // namespace weir::tool
