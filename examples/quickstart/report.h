// What a process of the example tells the conductor: small records through a pipe.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "examples/quickstart/account.h"

namespace quickstart {

struct Report {
  enum class Kind : std::uint8_t {
    joined,    // it is on the topic
    progress,  // `account`
    event,     // `text`: what it was told of another one
    done,      // `account`, for good
    failed,    // `text`: why
  };
  Kind kind = Kind::progress;
  Account account;
  std::string text;  // at most longest_text bytes arrive
};

inline constexpr std::size_t longest_text = 3072;

// The writing end. Each record is written whole or not at all, also by a process that is killed meanwhile.
class Reporter {
 public:
  explicit Reporter(int descriptor) noexcept : descriptor_(descriptor) {}

  void joined() { write(Report::Kind::joined, {}, {}); }
  // Not more often than every ten milliseconds; `important` ones always. True: it was written.
  bool progress(const Account& account, bool important = false);
  void event(std::string_view text) { write(Report::Kind::event, {}, text); }
  void done(const Account& account) { write(Report::Kind::done, account, {}); }
  void failed(std::string_view text) { write(Report::Kind::failed, {}, text); }

 private:
  void write(Report::Kind kind, const Account& account, std::string_view text);

  int descriptor_;
  std::chrono::steady_clock::time_point last_;
};

// The reading end.
class ReportReader {
 public:
  // Reads what is there now, waiting if there is nothing. False: the other end is gone and all was read.
  bool read_from(int descriptor);
  // The next report of those that were read.
  [[nodiscard]] std::optional<Report> next();

 private:
  std::string buffer_;
};

}  // namespace quickstart
