#include "transport/log.h"

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <utility>

#include <fmt/format.h>

namespace weir {
namespace {

// Hooks are never destroyed, as a thread may be in any of them; the last one leads to those before it. No lock, which a
// forked child might find taken.
struct Holder {
  LogHook hook;
  const Holder* former;
};
constinit std::atomic<const Holder*> last_holder = nullptr;

constinit thread_local bool in_hook = false;

enum class Printed : std::uint8_t { unknown, nothing, info, warning };
constinit std::atomic<Printed> printed = Printed::unknown;

// Not for a program that runs with more rights than its user has: the user chose the environment.
Printed asked_for() noexcept {
  const char* value = secure_getenv("WEIR_LOG");
  if (value == nullptr) return Printed::nothing;
  const std::string_view text = value;
  return text == "info" ? Printed::info : text == "warning" ? Printed::warning : Printed::nothing;
}

bool is_printed(Severity severity) noexcept {
  Printed level = printed.load(std::memory_order_relaxed);
  if (level == Printed::unknown) {
    level = asked_for();
    printed.store(level, std::memory_order_relaxed);
  }
  return level == Printed::info || (level == Printed::warning && severity == Severity::warning);
}

}  // namespace

std::string_view to_string(Severity severity) noexcept { return severity == Severity::info ? "info" : "warning"; }

void set_log(LogHook hook) {
  auto holder = std::make_unique<Holder>(Holder{.hook = std::move(hook), .former = last_holder.load()});
  while (!last_holder.compare_exchange_weak(holder->former, holder.get())) {
  }
  static_cast<void>(holder.release());
}

namespace spi {

bool is_logged(Severity severity) noexcept {
  if (in_hook) return false;
  const Holder* holder = last_holder.load(std::memory_order_acquire);
  return (holder != nullptr && holder->hook) || is_printed(severity);
}

void log(Severity severity, std::string_view topic, std::string_view text) noexcept {
  if (!is_logged(severity)) return;
  in_hook = true;
  try {
    const Holder* holder = last_holder.load(std::memory_order_acquire);
    if (holder != nullptr && holder->hook) {
      holder->hook({.severity = severity, .topic = topic, .text = text});
    } else {
      const std::string line = topic.empty()
                                   ? fmt::format("weir: {}: {}\n", to_string(severity), text)
                                   : fmt::format("weir: {}: topic \"{}\": {}\n", to_string(severity), topic, text);
      std::fwrite(line.data(), 1, line.size(), stderr);  // in one piece beside other threads' lines
    }
  } catch (...) {  // nothing that went wrong in telling may harm what is told
  }
  in_hook = false;
}

}  // namespace spi
}  // namespace weir
