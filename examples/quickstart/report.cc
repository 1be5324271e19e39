#include "examples/quickstart/report.h"

#include <unistd.h>

#include <array>
#include <cerrno>
#include <climits>
#include <cstring>

namespace quickstart {
namespace {

// What comes before a report's text.
struct Prefix {
  Report::Kind kind;
  std::uint32_t text_size;
  Account account;
};

constexpr std::chrono::milliseconds pace(10);

// POSIX: up to this size, a write to a pipe is whole.
static_assert(sizeof(Prefix) + longest_text <= PIPE_BUF);

}  // namespace

bool Reporter::progress(const Account& account, bool important) {
  const auto now = std::chrono::steady_clock::now();
  if (!important && now < last_ + pace) {
    return false;
  }
  last_ = now;
  write(Report::Kind::progress, account, {});
  return true;
}

void Reporter::write(Report::Kind kind, const Account& account, std::string_view text) {
  text = text.substr(0, longest_text);
  Prefix prefix{};
  prefix.kind = kind;
  prefix.text_size = static_cast<std::uint32_t>(text.size());
  prefix.account = account;
  std::string record(reinterpret_cast<const char*>(&prefix), sizeof(prefix));
  record += text;
  // If the conductor is gone there is nobody to tell, and this process is about to be killed.
  while (::write(descriptor_, record.data(), record.size()) < 0 && errno == EINTR) {
  }
}

bool ReportReader::read_from(int descriptor) {
  std::array<char, 16384> part;
  ssize_t got = 0;
  do {
    got = ::read(descriptor, part.data(), part.size());
  } while (got < 0 && errno == EINTR);
  if (got > 0) {
    buffer_.append(part.data(), static_cast<std::size_t>(got));
  }
  return got > 0;
}

std::optional<Report> ReportReader::next() {
  Prefix prefix{};
  if (buffer_.size() < sizeof(prefix)) {
    return std::nullopt;
  }
  std::memcpy(&prefix, buffer_.data(), sizeof(prefix));
  if (buffer_.size() < sizeof(prefix) + prefix.text_size) {
    return std::nullopt;
  }
  Report report{
      .kind = prefix.kind, .account = prefix.account, .text = buffer_.substr(sizeof(prefix), prefix.text_size)};
  buffer_.erase(0, sizeof(prefix) + prefix.text_size);
  return report;
}

}  // namespace quickstart
