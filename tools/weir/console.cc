#include "tools/weir/console.h"

#include <unistd.h>

#include <array>
#include <cerrno>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace weir::tool {
namespace {

// ASCII alone: a terminal takes others for commands.
std::string dump(const Json& json) { return json.dump(-1, ' ', true, Json::error_handler_t::replace); }

}  // namespace

Console::Console() : terminal_(isatty(STDOUT_FILENO) != 0), colours_(terminal_ && std::getenv("NO_COLOR") == nullptr) {}

void Console::raw(std::string_view bytes) {
  if (std::fwrite(bytes.data(), 1, bytes.size(), stdout) == bytes.size() && std::fflush(stdout) == 0) return;
  if (heard_ && errno != EPIPE) unwritten_ = errno;
  heard_ = false;
}

void Console::line(std::string_view text) { raw(fmt::format("{}\n", text)); }

void Console::document(const Json& json) { line(dump(json)); }

void Console::note(std::string_view text) {
  if (!json_) std::fputs((printable(text) + "\n").c_str(), stderr);
}

ExitCode Console::error(const Error& error) {
  const ExitCode code = exit_code_of(error.code());
  if (json_) {
    const Json json{
        {"error", {{"code", to_string(error.code())}, {"message", error.message()}, {"exit", static_cast<int>(code)}}}};
    std::fputs((dump(json) + "\n").c_str(), stderr);
  } else {
    std::fputs(("weir: " + printable(error.message()) + "\n").c_str(), stderr);
  }
  return code;
}

Status Console::written() const {
  if (unwritten_ == 0) return {};
  const bool is_full = unwritten_ == ENOSPC || unwritten_ == EDQUOT || unwritten_ == EFBIG;
  return failure(is_full ? ErrorCode::resource_exhausted : ErrorCode::internal,
                 fmt::format("the results could not be written: {}", strerrordesc_np(unwritten_)));
}

std::string Console::coloured(std::string_view text, Colour colour) const {
  static constexpr std::array<const char*, 6> codes{"", "1", "2", "31", "32", "33"};
  if (!colours_ || colour == Colour::none) return std::string(text);
  return fmt::format("\x1b[{}m{}\x1b[0m", codes.at(static_cast<std::size_t>(colour)), text);
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
