#include "adapters/zeromq_plugin/settings.h"

#include <array>
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <string_view>

namespace weir::zmq_plugin {
namespace {

std::string_view variable(const char* name) {
  const char* const value = std::getenv(name);
  return value == nullptr ? std::string_view() : std::string_view(value);
}

[[noreturn]] void refuse(const char* name, const char* allowed) {
  static_cast<void>(std::fprintf(stderr, "libweir_zmq: %s=%s is none of its values: use %s, or unset it\n", name,
                                 std::getenv(name), allowed));
  std::_Exit(1);
}

// A switch that is off or has this one value.
bool is_set_to(const char* name, const char* value) {
  const std::string_view given = variable(name);
  if (!given.empty() && given != value) refuse(name, value);
  return !given.empty();
}

std::optional<std::uint64_t> read_size(std::string_view text) {
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  const std::string_view unit = text.substr(static_cast<std::size_t>(end - text.data()));
  constexpr std::array<std::string_view, 4> units{"", "KiB", "MiB", "GiB"};
  for (std::size_t index = 0; index < units.size(); ++index) {
    const std::uint64_t factor = std::uint64_t{1} << (10 * index);
    if (error == std::errc() && unit == units[index] && number > 0 && number <= (std::uint64_t{1} << 40U) / factor) {
      return number * factor;
    }
  }
  return std::nullopt;
}

Settings read_settings() {
  Settings settings;
  if (is_set_to("WEIR_ZMQ_IPC", "shm")) settings.ipc = Redirect::shm;
  if (variable("WEIR_ZMQ_TCP") == "ipc") {
    settings.tcp = Redirect::ipc;
  } else if (is_set_to("WEIR_ZMQ_TCP", "shm")) {
    settings.tcp = Redirect::shm;
  }
  settings.publishers_block = is_set_to("WEIR_ZMQ_PUB", "block");
  settings.copies_received = is_set_to("WEIR_ZMQ_RECEIVE", "copy");
  settings.copies_sent = is_set_to("WEIR_ZMQ_SEND", "copy");
  if (!variable("WEIR_ZMQ_MEMORY").empty()) {
    const std::optional<std::uint64_t> memory = read_size(variable("WEIR_ZMQ_MEMORY"));
    if (!memory) refuse("WEIR_ZMQ_MEMORY", "a number with KiB, MiB or GiB");
    settings.memory = *memory;
  }
  return settings;
}

}  // namespace

const Settings& settings() {
  static const Settings settings = read_settings();
  return settings;
}

}  // namespace weir::zmq_plugin
