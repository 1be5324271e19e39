#include "examples/quickstart/display.h"

#include <langinfo.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <clocale>
#include <cmath>
#include <cstdio>
#include <cstdlib>

#include <fmt/format.h>

namespace quickstart {
namespace {

constexpr std::chrono::milliseconds frame(50);

std::size_t columns_of_terminal() {
  winsize size{};
  const bool known = ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 1;
  return known ? size.ws_col - 1U : 79;  // a full last column would wrap
}

double megabytes(std::uint64_t bytes) { return static_cast<double>(bytes) / 1e6; }

double percent(const Moment& moment) {
  return moment.total > 0 ? 100 * static_cast<double>(moment.bytes) / static_cast<double>(moment.total) : 0;
}

std::string summary(const Moment& moment) {
  const double rate = moment.seconds > 0 ? megabytes(moment.bytes) / moment.seconds : 0;
  return fmt::format("{:3.0f} %  {:.0f} of {:.0f} MB  {:.0f} MB/s", percent(moment), megabytes(moment.bytes),
                     megabytes(moment.total), rate);
}

std::string bar(const Moment& moment, const Look& look, std::size_t width) {
  std::string bar(look.colour);
  for (std::size_t cell = 0; cell < width; ++cell) {
    const bool full = static_cast<double>(cell + 1) * 100 <= percent(moment) * static_cast<double>(width);
    bar += full ? look.full : look.empty;
  }
  return bar += look.plain;
}

Look look_of_terminal() {
  Look look;
  std::setlocale(LC_CTYPE, "");
  if (std::string_view(nl_langinfo(CODESET)) == "UTF-8") {
    look.full = "█";
    look.empty = "░";
  }
  const char* refused = std::getenv("NO_COLOR");
  if (refused == nullptr || *refused == '\0') {
    look.colour = "\033[36m";
    look.plain = "\033[0m";
  }
  return look;
}

}  // namespace

bool has_terminal() {
  const char* kind = std::getenv("TERM");
  return isatty(STDOUT_FILENO) == 1 && kind != nullptr && std::string_view(kind) != "dumb";
}

void print(std::string_view text) {
  std::fwrite(text.data(), 1, text.size(), stdout);
  std::fflush(stdout);
}

std::string grouped(std::uint64_t number) { return fmt::format("{}", fmt::group_digits(number)); }

std::vector<std::string> render(const Moment& moment, const Look& look, std::size_t columns) {
  constexpr std::size_t widest = 40;
  const auto cut = [columns](std::string line) {
    line.resize(std::min(line.size(), columns));
    return line;
  };
  std::vector<std::string> lines;
  const std::string text = summary(moment);
  const std::size_t room = columns > text.size() + 1 ? columns - text.size() - 1 : 0;
  lines.push_back(room > 0 ? bar(moment, look, std::min(widest, room)) + " " + text : cut(text));
  for (const Counter& counter : moment.counters) {
    lines.push_back(
        cut(fmt::format("{:<12}{:>9} messages{:>10.1f} MB{:>9} lost   {}", counter.name, grouped(counter.messages),
                        megabytes(counter.bytes), grouped(counter.lost), counter.state)));
  }
  return lines;
}

Display::Display() {
  if (terminal_) {
    look_ = look_of_terminal();
  }
}

void Display::draw(const std::vector<std::string>& lines) {
  std::string text = live_.empty() ? std::string() : fmt::format("\033[{}A", live_.size());  // up to its first line
  for (const std::string& line : lines) {
    text += line + "\033[K\n";
  }
  print(text + "\033[J");  // what was longer before
}

void Display::show(const Moment& moment) {
  const auto now = std::chrono::steady_clock::now();
  if (!terminal_ && percent(moment) >= next_quarter_) {
    next_quarter_ = (std::floor(percent(moment) / 25) + 1) * 25;
    print(summary(moment) + "\n");
  } else if (terminal_ && now >= last_ + frame) {
    last_ = now;
    std::vector<std::string> lines = render(moment, look_, columns_of_terminal());
    draw(lines);
    live_ = std::move(lines);
  }
}

void Display::note(std::string_view line) {
  if (!terminal_) {
    print(fmt::format("{}\n", line));
    return;
  }
  std::vector<std::string> lines(live_);
  lines.insert(lines.begin(), std::string(line));
  draw(lines);
}

void Display::finish(const Moment& moment) {
  last_ = {};
  show(moment);
  live_.clear();
}

}  // namespace quickstart
