#include "conformance/backends/starvation.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <fstream>

#include <fmt/format.h>

#include "conformance/harness/failure.h"

namespace weir::conformance {
namespace {

// The letter of proc(5), or nothing if there is no such process.
std::optional<char> state(pid_t process) {
  std::ifstream file(fmt::format("/proc/{}/stat", process));
  std::string stat;
  if (!std::getline(file, stat)) return std::nullopt;
  const std::size_t name_end = stat.rfind(')');
  if (name_end == std::string::npos || name_end + 2 >= stat.size()) return std::nullopt;
  return stat[name_end + 2];
}

// Neither ended nor stopped, by a signal or by a tracer.
bool alive_and_going(pid_t process) {
  const std::optional<char> letter = state(process);
  return letter && std::string_view("RSD").find(*letter) != std::string_view::npos;
}

}  // namespace

// "… Application weir-123-0123456789abcdef not responding (last response 1503 milliseconds ago) --> removing it"
std::optional<pid_t> taken_for_dead(std::string_view line) {
  const std::size_t end = line.find(" not responding (last response ");
  if (end == std::string_view::npos) return std::nullopt;
  constexpr std::size_t random = 17;  // "-0123456789abcdef"
  if (end < random || line[end - random] != '-') return std::nullopt;
  const std::string_view before = line.substr(0, end - random);
  const std::size_t dash = before.rfind('-');
  if (dash == std::string_view::npos) return std::nullopt;
  pid_t process = 0;
  const auto [stop, fault] = std::from_chars(before.data() + dash + 1, before.data() + before.size(), process);
  if (fault != std::errc() || stop != before.data() + before.size()) return std::nullopt;
  return process;
}

Starvation::Starvation() {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) throw HarnessFailure(fmt::format("pipe2: {}", std::strerror(errno)));
  lines_ = ends[0];
  log_ = ends[1];
  reader_ = std::thread([this] { read_on(); });
}

Starvation::~Starvation() {
  started();
  ended();
}

void Starvation::started() noexcept {
  if (log_ >= 0) ::close(log_);
  log_ = -1;
}

void Starvation::ended() {
  if (reader_.joinable()) reader_.join();
  if (lines_ >= 0) ::close(lines_);
  lines_ = -1;
}

std::string Starvation::found() const {
  const std::lock_guard lock(lock_);
  return found_;
}

void Starvation::read_on() {
  std::string text;
  std::array<char, 4096> piece{};
  for (;;) {
    const ssize_t got = ::read(lines_, piece.data(), piece.size());
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return;
    text.append(piece.data(), static_cast<std::size_t>(got));
    for (std::size_t end = text.find('\n'); end != std::string::npos; end = text.find('\n')) {
      look(std::string_view(text).substr(0, end));
      text.erase(0, end + 1);
    }
  }
}

void Starvation::look(std::string_view line) {
  const std::optional<pid_t> process = taken_for_dead(line);
  if (!process || !alive_and_going(*process)) return;
  const std::lock_guard lock(lock_);
  found_ = fmt::format(
      "RouDi took process {} for dead, which was alive and not stopped: it, or RouDi, got no processor "
      "for 1.5 s",
      *process);
}

}  // namespace weir::conformance
