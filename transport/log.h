// What happens beside the calls of an application, and is worth knowing: a peer was found dead, what it left was
// removed, a segment was left out as damaged. weir itself prints nothing; what an application has caused, its calls
// return.
//
//   weir::set_log([](const weir::LogRecord& record) {
//     syslog(record.severity == weir::Severity::warning ? LOG_WARNING : LOG_INFO, "%.*s: %.*s",
//            int(record.topic.size()), record.topic.data(), int(record.text.size()), record.text.data());
//   });
//
// Without a hook nothing is kept, or printed, unless the environment says so: WEIR_LOG=warning or WEIR_LOG=info writes
// records of that severity and above to stderr, a line each. It is read once, when first something happens.
//
// No record is made for a message that is published or taken: what is logged happens when peers come, go and die.
// A backend that is a shared library of its own (plugin.h) has a copy of this: it knows WEIR_LOG, but not the hook.
#pragma once

#include <concepts>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace weir {

enum class Severity : std::uint8_t {
  info,     // as it should be: the dead were noticed, what they left is gone
  warning,  // something is wrong that no call returns: a damaged segment was left out, kept samples were lost
};

// The enumerator's name, as in "warning".
[[nodiscard]] std::string_view to_string(Severity severity) noexcept;

// Both texts are the caller's, until the hook returns.
struct LogRecord {
  Severity severity;
  std::string_view topic;  // as in the endpoint, without scheme and options; empty if it is about none
  std::string_view text;   // a sentence, without a line break at its end
};

// Called by whatever thread notices, by several at once, in the middle of a call of weir: so it must not call weir, and
// should be short. What it throws is dropped.
using LogHook = std::function<void(const LogRecord&)>;

// From now on records go to this hook; to none, as in the beginning, if it is empty. Thread-safe. Returns without
// waiting: another thread may still be in the former hook, which is kept as long as the process lives.
void set_log(LogHook hook);

namespace spi {

// Whether anybody wants to know. Cheap. False while this thread is in the hook.
[[nodiscard]] bool is_logged(Severity severity) noexcept;

void log(Severity severity, std::string_view topic, std::string_view text) noexcept;

// For backends: `make_text` is called only if anybody wants to know. Not for what happens with every message. Hold no
// lock that a hook could need.
template <std::invocable Make>
void log(Severity severity, std::string_view topic, Make&& make_text) noexcept {
  if (!is_logged(severity)) return;
  try {
    const std::string text = make_text();
    log(severity, topic, std::string_view(text));
  } catch (...) {  // nothing that went wrong in telling may harm what is told
  }
}

}  // namespace spi
}  // namespace weir
