// A program that a test runs beside itself, and what it says.
//
//   Program subscriber("adapters/iceoryx/native_subscriber");
//   subscriber.expect("got value: 7");
//   EXPECT_EQ(subscriber.end(), "");
#pragma once

#include <sys/types.h>

#include <chrono>
#include <set>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace weir::iceoryx {

// It still runs, and has said nothing for a minute.
class Silence : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

class Program {
 public:
  // `path`: below the runfiles, or absolute.
  explicit Program(const std::string& path, const std::vector<std::string>& arguments = {});
  Program(const Program&) = delete;
  Program& operator=(const Program&) = delete;
  // Kills it if it still runs.
  ~Program();

  // Waits for a line with `text` in it, from where the last one was found, and returns it. Throws when the program has
  // ended, and Silence.
  std::string expect(std::string_view text);
  // The next line; empty if it has ended. Throws Silence.
  std::string next_line();

  [[nodiscard]] pid_t pid() const noexcept { return pid_; }
  // What it has used so far. Only while it runs.
  [[nodiscard]] std::chrono::nanoseconds processor_time() const;
  // The files whose code its main thread runs, looked at so many times, a millisecond apart. Only while it runs.
  [[nodiscard]] std::set<std::string> code_at_work(int looks) const;
  // Only if it runs.
  void signal(int number) const;
  void kill();
  // Kills it while its main thread sleeps, as one of iceoryx's does between two messages. Amid a message it holds a
  // mutex that RouDi waits for ever for when it is killed; and what a test has just received wakes others while it is
  // amid it.
  void kill_asleep();
  // Asks it to end by SIGTERM. Empty if it did so properly; else how it ended.
  [[nodiscard]] std::string end();
  // How it ended by itself, waited for: empty if by exit(0).
  [[nodiscard]] std::string ending();

 private:
  pid_t pid_ = -1;
  int output_ = -1;
  bool silent_ = false;  // it has closed its output
  std::string pending_;
  std::string said_;  // all of it, for people
  std::string path_;
};

}  // namespace weir::iceoryx
