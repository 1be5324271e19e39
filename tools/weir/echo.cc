// weir echo TOPIC: the messages of a topic as they come.
#include <algorithm>
#include <optional>
#include <string>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "tools/weir/commands.h"
#include "tools/weir/hex.h"
#include "tools/weir/protobuf_text.h"
#include "tools/weir/receiving.h"
#include "tools/weir/target.h"

namespace weir::tool {
namespace {

std::string_view view_of(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

// Text is what needs no escape but for line ends and tabs.
bool is_text(std::string_view bytes) {
  std::string plain(bytes);
  std::replace_if(
      plain.begin(), plain.end(), [](char byte) { return byte == '\n' || byte == '\t'; }, ' ');
  return printable(plain) == plain;
}

std::string title_of(const Sample& sample, const Capabilities& capabilities) {
  std::string title = sample.publisher() == 0 ? std::string("message") : id_text(sample.publisher());
  if (capabilities.sequence) title += fmt::format(" #{}", sample.sequence());
  title += fmt::format(", {} bytes", sample.payload().size());
  if (!sample.header().empty()) title += fmt::format(", header of {} bytes", sample.header().size());
  if (sample.lost_before() != 0) title += fmt::format(", {} lost before it", sample.lost_before());
  return title;
}

// `message`: the payload as JSON, where that was asked for.
Json document_of(const Sample& sample, const Capabilities& capabilities, const EchoOptions& options,
                 const std::optional<std::string>& message) {
  Json json;
  if (sample.publisher() != 0) json["publisher"] = id_text(sample.publisher());
  if (capabilities.sequence) json["sequence"] = sample.sequence();
  if (capabilities.exact_loss) json["lost_before"] = sample.lost_before();
  json["size"] = sample.payload().size();
  if (!sample.header().empty()) json["header_hex"] = hex_digits(sample.header());
  const std::string_view payload = view_of(sample.payload());
  if (message) {
    json["message"] = Json::parse(*message);
  } else if (!options.hex && (options.text || is_text(payload))) {
    json["text"] = payload;
  } else {
    json["hex"] = hex_digits(sample.payload());
  }
  return json;
}

void show(Console& console, const Sample& sample, const Capabilities& capabilities, const EchoOptions& options,
          const std::optional<std::string>& message) {
  const std::string_view payload = view_of(sample.payload());
  if (console.json()) {
    console.document(document_of(sample, capabilities, options, message));
  } else if (options.raw) {
    console.raw(payload);
  } else if (options.text) {
    console.line(console.is_terminal() ? printable(payload) : std::string(payload));
  } else {
    console.line(console.coloured(title_of(sample, capabilities), Colour::dim));
    if (!sample.header().empty()) console.raw(hex_dump(sample.header()));
    if (message) {
      console.line(printable(*message));
    } else if (!options.hex && is_text(payload)) {
      console.line(payload);
    } else {
      console.raw(hex_dump(sample.payload()));
    }
  }
}

}  // namespace

ExitCode run(Session& session, const EchoOptions& options) {
  std::optional<ProtobufText> protobuf;
  if (!options.descriptor.empty()) {
    Result<ProtobufText> opened = ProtobufText::open(options.descriptor, options.message);
    if (!opened) return session.console.error(opened.error());
    protobuf = std::move(*opened);
  }
  Result<Subscriber> subscriber = listen_to(session.node, options.listening.topic, options.listening.wait);
  if (!subscriber) return session.console.error(subscriber.error());
  session.console.note(fmt::format("listening to {}", uri_of(options.listening.topic)));
  std::uint64_t got = 0;
  std::optional<Error> unreadable;
  const auto use = [&](const Sample& sample) {
    std::optional<std::string> message;
    if (protobuf) {
      Result<std::string> json = protobuf->json(sample.payload());
      if (!json) {
        unreadable = json.error();
        return false;
      }
      message = std::move(*json);
    }
    show(session.console, sample, subscriber->capabilities(), options, message);
    return ++got != options.listening.count;
  };
  const auto ending = receive(session, *subscriber, options.listening.deadline(), {.use = use});
  if (unreadable) return session.console.error(*unreadable);
  return ending ? judge(session, *ending, options.listening, got) : session.console.error(ending.error());
}

}  // namespace weir::tool
