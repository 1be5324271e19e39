// weir pub TOPIC: publishes messages that are given as arguments, come from a file, or from the standard input.
#include <unistd.h>

#include <algorithm>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "tools/weir/commands.h"
#include "tools/weir/pace.h"
#include "tools/weir/receiving.h"
#include "tools/weir/sending.h"
#include "tools/weir/source.h"
#include "tools/weir/target.h"

namespace weir::tool {
namespace {

// What came of it, whatever the end.
class Publishing {
 public:
  Publishing(Session& session, Publisher& publisher, const PubOptions& options)
      : session_(session), publisher_(publisher), options_(options), start_(std::chrono::steady_clock::now()) {}

  // False: enough were sent, or a signal came.
  Result<bool> send(const std::string& message) {
    if (options_.rate > 0) {
      constexpr double longest = 1e9;  // seconds: far from what a clock can count
      const std::chrono::duration<double> due(std::min(static_cast<double>(sent_) / options_.rate, longest));
      const auto moment = start_ + std::chrono::duration_cast<std::chrono::nanoseconds>(due);
      if (!sleep_until(moment, session_.interrupts)) return false;
    }
    const Status sent = send_message(session_, publisher_, std::as_bytes(std::span(message)), {}, never);
    if (!sent && sent.error().code() == ErrorCode::interrupted) return false;
    if (!sent) return tl::unexpected(sent.error());
    ++sent_;
    bytes_ += message.size();
    return sent_ != options_.count;
  }

  void say_what_was_done() const {
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start_;
    const auto peers = publisher_.peers();
    if (session_.console.json()) {
      Json json{{"published", sent_}, {"bytes", bytes_}, {"seconds", took.count()}};
      if (peers) json["subscribers"] = peers->size();
      session_.console.document(json);
      return;
    }
    session_.console.note(fmt::format("published {} messages, {}{}", sent_, bytes_text(static_cast<double>(bytes_)),
                                      peers ? fmt::format("; {} subscribers are there", peers->size()) : ""));
  }

 private:
  Session& session_;
  Publisher& publisher_;
  const PubOptions& options_;
  std::chrono::steady_clock::time_point start_;
  std::uint64_t sent_ = 0;
  std::uint64_t bytes_ = 0;
};

// The given messages in turn: each once, or as often as the count wants.
Status send_given(Publishing& publishing, const std::vector<std::string>& messages, bool goes_round) {
  do {
    for (const std::string& message : messages) {
      const Result<bool> more = publishing.send(message);
      if (!more) return tl::unexpected(more.error());
      if (!*more) return {};
    }
  } while (goes_round);
  return {};
}

Status send_read(Session& session, Publishing& publishing, const PubOptions& options) {
  shm::File file;
  int descriptor = STDIN_FILENO;
  if (options.lines != "-") {
    const Result<int> opened = open_to_read(options.lines);
    if (!opened) return tl::unexpected(opened.error());
    file = shm::File(*opened);
    descriptor = *opened;
  }
  MessageReader reader(descriptor, options.lines == "-" ? "the standard input" : options.lines, options.chunk,
                       session.interrupts);
  while (true) {
    const auto message = reader.next();
    if (!message) return tl::unexpected(message.error());
    if (!*message) return {};
    const Result<bool> more = publishing.send(**message);
    if (!more) return tl::unexpected(more.error());
    if (!*more) return {};
  }
}

Status wait_for_subscribers(Session& session, Publisher& publisher, const PubOptions& options) {
  if (options.wait_for == 0) return {};
  session.console.note(fmt::format("waiting for {} subscribers", options.wait_for));
  return publisher.wait_for_subscribers(options.wait_for, deadline_in(options.patience), session.interrupts.token());
}

}  // namespace

ExitCode run(Session& session, const PubOptions& options) {
  std::vector<std::string> messages = options.messages;
  if (!options.file.empty()) {
    Result<std::string> content = read_file(options.file, session.interrupts);
    if (!content && content.error().code() == ErrorCode::interrupted) return ExitCode::done;
    if (!content) return session.console.error(content.error());
    messages.push_back(std::move(*content));
  }
  auto publisher = session.node.publisher(uri_of(options.topic));
  if (!publisher) return session.console.error(publisher.error());
  if (const Status ready = wait_for_subscribers(session, *publisher, options); !ready) {
    if (ready.error().code() == ErrorCode::interrupted) return ExitCode::done;
    return session.console.error(ready.error());
  }
  Publishing publishing(session, *publisher, options);
  const Status sent =
      messages.empty() ? send_read(session, publishing, options) : send_given(publishing, messages, options.count != 0);
  publishing.say_what_was_done();
  return sent ? ExitCode::done : session.console.error(sent.error());
}

}  // namespace weir::tool
