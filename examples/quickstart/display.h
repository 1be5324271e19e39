// What a person sees while it runs: on a terminal a progress bar with live counters, elsewhere a few plain lines.
//
// Thread safety: none.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace quickstart {

// One subscriber, live.
struct Counter {
  std::string name;
  std::uint64_t messages = 0;
  std::uint64_t bytes = 0;
  std::uint64_t lost = 0;
  std::string state;  // "receiving", "killed", "done"
};

// One moment of the run.
struct Moment {
  std::uint64_t bytes = 0;  // published so far
  std::uint64_t total = 0;
  double seconds = 0;  // since the first
  std::vector<Counter> counters;
};

// What the bar is made of: depends on what the terminal can show.
struct Look {
  std::string_view full = "#";
  std::string_view empty = ".";
  std::string_view colour;  // escape sequences around the bar
  std::string_view plain;
};

// The live part, line by line, none wider than `columns`.
[[nodiscard]] std::vector<std::string> render(const Moment& moment, const Look& look, std::size_t columns);

// Whether standard output is a terminal that can show it.
[[nodiscard]] bool has_terminal();

class Display {
 public:
  Display();

  // Draws the live part again, at most twenty times a second; where there is no terminal, prints a line each quarter of
  // the way.
  void show(const Moment& moment);
  // A line that stays.
  void note(std::string_view line);
  // Shows the last moment, which stays too.
  void finish(const Moment& moment);

 private:
  void draw(const std::vector<std::string>& lines);

  bool terminal_ = has_terminal();
  Look look_;
  std::vector<std::string> live_;  // what is drawn above the cursor
  double next_quarter_ = 25;       // percent
  std::chrono::steady_clock::time_point last_;
};

// Writes to standard output. If its other end is closed there is nobody to tell, and the run goes on.
void print(std::string_view text);

// A number with separators: 1,234,567.
[[nodiscard]] std::string grouped(std::uint64_t number);

}  // namespace quickstart
