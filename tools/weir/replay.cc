// weir replay FILE: publishes what was recorded, at its times or as fast as can be; or says what is in the file.
#include <algorithm>
#include <chrono>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "tools/weir/commands.h"
#include "tools/weir/pace.h"
#include "tools/weir/recording_reader.h"
#include "tools/weir/sending.h"
#include "tools/weir/target.h"

namespace weir::tool {
namespace {

constexpr double longest_wait = 1e9;  // seconds: far from what a clock can count

double seconds_between(std::int64_t first, std::int64_t last) { return static_cast<double>(last - first) / 1e9; }

// What keeps a recording from being whole; empty if nothing does.
std::string shortcoming_of(const std::string& file, const Summary& summary) {
  if (summary.is_damaged) {
    return fmt::format("{} was damaged at byte {}: the {} messages before it are readable, the {} bytes behind it not",
                       file, summary.end, summary.messages(), summary.surplus);
  }
  if (summary.is_complete) return {};
  return fmt::format("{}: its recorder was killed, or still writes; the {} messages that it had are there", file,
                     summary.messages());
}

Json document_of(const ReplayOptions& options, const Summary& summary) {
  Json json{{"file", options.file},
            {"complete", summary.is_complete},
            {"damaged", summary.is_damaged},
            {"messages", summary.messages()},
            {"lost", summary.lost()},
            {"missing", summary.missing()},
            {"seconds", seconds_between(summary.first, summary.last)},
            {"first", summary.first},
            {"last", summary.last},
            {"surplus", summary.surplus},
            {"sources", Json::array()}};
  for (const RecordedSource& source : summary.sources) {
    Json entry{{"topic", source.topic},    {"publisher", id_text(source.publisher)},
               {"name", source.name},      {"messages", source.messages},
               {"bytes", source.bytes},    {"lost", source.lost},
               {"missing", source.missing}};
    if (source.type) entry["type"] = source.type->name;
    json["sources"].push_back(std::move(entry));
  }
  return json;
}

void describe(Console& console, const ReplayOptions& options, const Summary& summary) {
  if (console.json()) {
    console.document(document_of(options, summary));
    return;
  }
  console.line(fmt::format("{}: {} messages in {}", options.file, summary.messages(),
                           duration_text(seconds_between(summary.first, summary.last))));
  for (const RecordedSource& source : summary.sources) {
    std::string line = fmt::format("  {}", printable(source.topic));
    if (source.publisher != 0) line += fmt::format(", publisher {}", id_text(source.publisher));
    if (!source.name.empty()) line += fmt::format(" \"{}\"", printable(source.name));
    if (source.type) line += fmt::format(", type {}", printable(source.type->name));
    line += fmt::format(": {} messages, {}", source.messages, bytes_text(static_cast<double>(source.bytes)));
    if (source.lost != 0) line += fmt::format(", {} lost before they came", source.lost);
    if (source.missing != 0) line += fmt::format(", {} published while no recorder ran", source.missing);
    console.line(line);
  }
}

// The publishers of a replay: one for each topic.
class Stage {
 public:
  Status open(Node& node, const ReplayOptions& options, const std::vector<RecordedSource>& sources) {
    std::map<std::string, std::size_t> topics;
    for (const RecordedSource& source : sources) {
      const auto [topic, is_new] = topics.emplace(source.topic, topics.size());
      if (is_new) types_.emplace_back();
      if (source.type) types_[topic->second] = source.type;  // all of a topic that state one state the same
      numbers_.push_back(topic->second);
    }
    if (!options.to.empty() && topics.size() > 1) {
      return failure(ErrorCode::invalid_argument,
                     fmt::format("--to {} names one topic, and {} has {}: leave it away, and set WEIR_ROOT to replay "
                                 "them elsewhere",
                                 options.to, options.file, topics.size()));
    }
    std::vector<std::string> uris(topics.size());
    for (const auto& [topic, number] : topics) uris[number] = options.to.empty() ? topic : uri_of(options.to);
    for (std::size_t number = 0; number < uris.size(); ++number) {
      std::string uri = uris[number];
      if (!options.options.empty()) uri += (uri.find('?') == std::string::npos ? "?" : "&") + options.options;
      const Result<Capabilities> capabilities = node.capabilities(uri);
      PublisherOptions publisher_options;
      if (capabilities && capabilities->types) publisher_options.type = types_[number];
      Result<Publisher> publisher = node.publisher(uri, publisher_options);
      if (!publisher) return tl::unexpected(publisher.error());
      publishers_.push_back(std::move(*publisher));
    }
    return {};
  }

  Status wait_for_subscribers(std::uint64_t count, const std::stop_token& stop) {
    for (Publisher& publisher : publishers_) {
      if (Status ready = publisher.wait_for_subscribers(count, never, stop); !ready) return ready;
    }
    return {};
  }

  [[nodiscard]] Publisher& of(std::uint32_t source) { return publishers_[numbers_[source]]; }

 private:
  std::vector<std::size_t> numbers_;  // of the publisher, for each source
  std::vector<std::optional<TypeInfo>> types_;
  std::vector<Publisher> publishers_;
};

Status play(Session& session, const ReplayOptions& options, RecordingReader& reader, Stage& stage,
            std::uint64_t& played) {
  const std::int64_t begin = reader.summary().first + static_cast<std::int64_t>(options.from * 1e9);
  reader.seek(begin);
  const auto start = std::chrono::steady_clock::now();
  while (!session.interrupts.token().stop_requested()) {
    const auto message = reader.next();
    if (!message) return tl::unexpected(message.error());
    if (!*message) return {};
    if ((*message)->time < begin) continue;
    if (!options.fast) {
      const std::chrono::duration<double> due(
          std::min(seconds_between(begin, (*message)->time) / options.speed, longest_wait));
      const auto moment = start + std::chrono::duration_cast<std::chrono::nanoseconds>(due);
      if (!sleep_until(moment, session.interrupts)) return {};
    }
    Status sent = send_message(session, stage.of((*message)->source), (*message)->payload, (*message)->header, never);
    if (!sent && sent.error().code() == ErrorCode::interrupted) return {};
    if (!sent) return sent;
    ++played;
  }
  return {};
}

}  // namespace

ExitCode run(Session& session, const ReplayOptions& options) {
  Result<RecordingReader> reader = RecordingReader::open(options.file);
  if (!reader) return session.console.error(reader.error());
  const Summary& summary = reader->summary();
  const std::string shortcoming = shortcoming_of(options.file, summary);
  if (!shortcoming.empty() && !summary.is_damaged) session.console.note(shortcoming);
  const auto judged = [&] {
    return summary.is_damaged ? session.console.error(Error(ErrorCode::corrupt, shortcoming)) : ExitCode::done;
  };
  if (options.describe) {
    describe(session.console, options, summary);
    return judged();
  }
  Stage stage;
  if (Status opened = stage.open(session.node, options, summary.sources); !opened) {
    return session.console.error(opened.error());
  }
  if (options.wait_for != 0) {
    const Status ready = stage.wait_for_subscribers(options.wait_for, session.interrupts.token());
    if (!ready && ready.error().code() == ErrorCode::interrupted) return ExitCode::done;
    if (!ready) return session.console.error(ready.error());
  }
  std::uint64_t played = 0;
  const Status done = play(session, options, *reader, stage, played);
  if (session.console.json()) {
    session.console.document({{"played", played}, {"messages", summary.messages()}});
  } else {
    session.console.note(fmt::format("played {} of {} messages", played, summary.messages()));
  }
  return done ? judged() : session.console.error(done.error());
}

}  // namespace weir::tool
