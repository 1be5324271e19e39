// weir echo TOPIC: the messages of a topic as they come.
#include <algorithm>
#include <string>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "tools/weir/commands.h"
#include "tools/weir/hex.h"
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

Json document_of(const Sample& sample, const Capabilities& capabilities, const EchoOptions& options) {
  Json json;
  if (sample.publisher() != 0) json["publisher"] = id_text(sample.publisher());
  if (capabilities.sequence) json["sequence"] = sample.sequence();
  if (capabilities.exact_loss) json["lost_before"] = sample.lost_before();
  json["size"] = sample.payload().size();
  if (!sample.header().empty()) json["header_hex"] = hex_digits(sample.header());
  const std::string_view payload = view_of(sample.payload());
  if (!options.hex && (options.text || is_text(payload))) {
    json["text"] = payload;
  } else {
    json["hex"] = hex_digits(sample.payload());
  }
  return json;
}

void show(Console& console, const Sample& sample, const Capabilities& capabilities, const EchoOptions& options) {
  const std::string_view payload = view_of(sample.payload());
  if (options.raw) {
    console.raw(payload);
  } else if (console.json()) {
    console.document(document_of(sample, capabilities, options));
  } else if (options.text) {
    console.line(console.is_terminal() ? printable(payload) : std::string(payload));
  } else {
    console.line(console.coloured(title_of(sample, capabilities), Colour::dim));
    if (!sample.header().empty()) console.raw(hex_dump(sample.header()));
    if (!options.hex && is_text(payload)) {
      console.line(payload);
    } else {
      console.raw(hex_dump(sample.payload()));
    }
  }
}

}  // namespace

ExitCode run(Session& session, const EchoOptions& options) {
  Result<Subscriber> subscriber = listen_to(session.node, options.listening.topic, options.listening.wait);
  if (!subscriber) return session.console.error(subscriber.error());
  session.console.note(fmt::format("listening to {}", uri_of(options.listening.topic)));
  std::uint64_t got = 0;
  const auto use = [&](const Sample& sample) {
    show(session.console, sample, subscriber->capabilities(), options);
    return ++got != options.listening.count;
  };
  const auto ending = receive(session, *subscriber, options.listening.deadline(), {.use = use});
  return ending ? judge(session, *ending, options.listening, got) : session.console.error(ending.error());
}

}  // namespace weir::tool
