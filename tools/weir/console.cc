#include "tools/weir/console.h"

#include <unistd.h>

#include <array>
#include <cmath>
#include <cstdio>
#include <cstdlib>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace weir::tool {
namespace {

std::string dump(const Json& json) { return json.dump(-1, ' ', false, Json::error_handler_t::replace); }

// The bytes of the UTF-8 sequence that begins here; 0 if none does.
std::size_t sequence_size(std::string_view text) {
  const auto byte = [&](std::size_t at) { return static_cast<unsigned char>(text[at]); };
  const std::size_t size = byte(0) < 0xc2 ? 0 : byte(0) < 0xe0 ? 2 : byte(0) < 0xf0 ? 3 : byte(0) < 0xf5 ? 4 : 0;
  if (size == 0 || size > text.size()) return 0;
  for (std::size_t at = 1; at < size; ++at) {
    if ((byte(at) & 0xc0U) != 0x80) return 0;
  }
  return byte(0) == 0xc2 && byte(1) < 0xa0 ? 0 : size;  // the control characters from U+0080 on
}

}  // namespace

Console::Console() : terminal_(isatty(STDOUT_FILENO) != 0), colours_(terminal_ && std::getenv("NO_COLOR") == nullptr) {}

void Console::raw(std::string_view bytes) {
  const bool written = std::fwrite(bytes.data(), 1, bytes.size(), stdout) == bytes.size();
  heard_ = heard_ && written && std::fflush(stdout) == 0;
}

void Console::line(std::string_view text) { raw(fmt::format("{}\n", text)); }

void Console::document(const Json& json) { line(dump(json)); }

void Console::note(std::string_view text) {
  if (!json_) fmt::print(stderr, "{}\n", text);
}

ExitCode Console::error(const Error& error) {
  const ExitCode code = exit_code_of(error.code());
  if (json_) {
    const Json json{
        {"error", {{"code", to_string(error.code())}, {"message", error.message()}, {"exit", static_cast<int>(code)}}}};
    fmt::print(stderr, "{}\n", dump(json));
  } else {
    fmt::print(stderr, "weir: {}\n", printable(error.message()));
  }
  return code;
}

std::string Console::coloured(std::string_view text, Colour colour) const {
  static constexpr std::array<const char*, 6> codes{"", "1", "2", "31", "32", "33"};
  if (!colours_ || colour == Colour::none) return std::string(text);
  return fmt::format("\x1b[{}m{}\x1b[0m", codes.at(static_cast<std::size_t>(colour)), text);
}

std::string printable(std::string_view text) {
  std::string result;
  while (!text.empty()) {
    const auto first = static_cast<unsigned char>(text.front());
    const std::size_t size = first >= 0x20 && first < 0x7f ? 1 : sequence_size(text);
    if (size == 0) {
      result += fmt::format("\\x{:02x}", first);
    } else {
      result += text.substr(0, size);
    }
    text.remove_prefix(size == 0 ? 1 : size);
  }
  return result;
}

std::string bytes_text(double bytes) {
  static constexpr std::array<const char*, 6> units{"B", "KiB", "MiB", "GiB", "TiB", "PiB"};
  std::size_t unit = 0;
  for (; bytes >= 1023.95 && unit + 1 < units.size(); ++unit) bytes /= 1024;
  return unit == 0 ? fmt::format("{:.0f} B", bytes) : fmt::format("{:.1f} {}", bytes, units.at(unit));
}

std::string duration_text(double seconds) {
  const double size = std::abs(seconds);
  if (size < 1e-6) return fmt::format("{:.0f} ns", seconds * 1e9);
  if (size < 1e-3) return fmt::format("{:.1f} us", seconds * 1e6);
  if (size < 1) return fmt::format("{:.1f} ms", seconds * 1e3);
  if (size < 600) return fmt::format("{:.1f} s", seconds);
  return fmt::format("{:.0f} min", seconds / 60);
}

std::string rate_text(double per_second) {
  if (per_second >= 99.95 || per_second <= 0) return fmt::format("{:.0f}/s", per_second);
  return per_second >= 9.995 ? fmt::format("{:.1f}/s", per_second) : fmt::format("{:.2f}/s", per_second);
}

std::string quantity_text(double quantity) {
  static constexpr std::array<const char*, 6> units{"", "k", "M", "G", "T", "P"};
  std::size_t unit = 0;
  for (; quantity >= 999.5 && unit + 1 < units.size(); ++unit) quantity /= 1000;
  if (quantity == std::floor(quantity) && unit == 0) return fmt::format("{:.0f}", quantity);
  const int digits = quantity < 9.995 ? (unit == 0 ? 2 : 1) : quantity < 99.95 ? 1 : 0;
  return fmt::format("{:.{}f}{}", quantity, digits, units.at(unit));
}

std::string id_text(std::uint64_t id) { return fmt::format("{:016x}", id); }

}  // namespace weir::tool
