// What the program prints: results to the standard output, as text or as JSON; sentences about them to the standard
// error. Colours only where a person looks: on a terminal, without NO_COLOR.
#pragma once

#include <string>
#include <string_view>

#include <nlohmann/json_fwd.hpp>

#include "tools/weir/exit_code.h"
#include "tools/weir/printable.h"
#include "transport/status.h"

namespace weir::tool {

// Ordered as written, so that a person can read it.
using Json = nlohmann::ordered_json;

enum class Colour : std::uint8_t { none, bold, dim, red, green, yellow };

class Console {
 public:
  Console();

  void use_json() noexcept { json_ = true; }
  [[nodiscard]] bool json() const noexcept { return json_; }
  // Whether results go to a terminal: where progress may be shown.
  [[nodiscard]] bool is_terminal() const noexcept { return terminal_; }

  // One line, or one JSON document in a line, of results; flushed, as somebody may read along.
  void line(std::string_view text);
  void document(const Json& json);
  // Bytes as they are.
  void raw(std::string_view bytes);
  // False once nobody reads the results any more, or they cannot be written.
  [[nodiscard]] bool is_heard() const noexcept { return heard_; }
  // Whether all results were written, as long as somebody read them. Errors: resource_exhausted for a full disk, and
  // whatever else write(2) says; not that a reader has gone, who has enough.
  [[nodiscard]] Status written() const;

  // About the results, for a person: not with JSON. Whether this can be written stops nobody.
  void note(std::string_view text);
  // Says what went wrong and returns the exit code for it.
  ExitCode error(const Error& error);

  [[nodiscard]] std::string coloured(std::string_view text, Colour colour) const;

 private:
  bool json_ = false;
  bool terminal_;
  bool colours_;
  bool heard_ = true;
  int unwritten_ = 0;  // why results could not be written
};

// "1.2 MiB", "340 B"; "12.3 ms"; "1234/s", "0.25/s".
[[nodiscard]] std::string bytes_text(double bytes);
[[nodiscard]] std::string duration_text(double seconds);
[[nodiscard]] std::string rate_text(double per_second);
// Four characters or five: "0", "0.25", "12.3", "340", "1.2k", "26.4M"; of thousands.
[[nodiscard]] std::string quantity_text(double quantity);
// "5f0c93a1d2e4b687"
[[nodiscard]] std::string id_text(std::uint64_t id);

}  // namespace weir::tool
