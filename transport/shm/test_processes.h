// Processes for tests: real forks, real kills, mounts of one's own. None outlives the test, none is left unreaped.
#pragma once

#include <sys/types.h>

#include <functional>
#include <string>

#include <gtest/gtest.h>

namespace weir::shm::testing {

// A directory of its own in /dev/shm, removed with all that is in it.
class TemporaryRoot {
 public:
  TemporaryRoot();
  ~TemporaryRoot();
  TemporaryRoot(const TemporaryRoot&) = delete;
  TemporaryRoot& operator=(const TemporaryRoot&) = delete;

  [[nodiscard]] const std::string& path() const noexcept { return path_; }
  [[nodiscard]] int descriptor() const noexcept { return descriptor_; }

 private:
  std::string path_;
  int descriptor_;
};

// One byte at a time between two processes. Waiting ends with the byte, with the death of all who could send it, or, as
// a test failure, after a minute.
class Signal {
 public:
  Signal();
  ~Signal();
  Signal(const Signal&) = delete;
  Signal& operator=(const Signal&) = delete;

  void give() const;
  // True: somebody gave. False: everybody else who had the signal is gone (this process no longer gives afterwards).
  bool await();

 private:
  int read_;
  int write_;
};

// A forked child that runs `body` and exits with 0 if it returned true and no expectation failed in it. It dies with
// the process that made it, and is killed and reaped by the destructor.
class Child {
 public:
  explicit Child(const std::function<bool()>& body);
  ~Child();
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  [[nodiscard]] pid_t pid() const noexcept { return pid_; }
  void kill_and_reap();
  // Waits for the end. True: its body did.
  bool succeeded();

 private:
  pid_t pid_;
};

// Runs `body`, with its expectations, in a child that has a mount namespace of its own, where it may mount what it
// likes. Fails, and does not pass, on a machine that forbids namespaces.
void in_private_mounts(const std::function<void()>& body);

// The same for this process, from now on: for a child of a test.
void enter_private_mounts();
// Ends this process as inconclusive, loudly, unless `condition`: for what a machine may forbid. Says errno.
void require(bool condition, const char* what);

// A tmpfs with these mount options at `path`; only in_private_mounts. Without options, remounts what is there
// read-only.
void mount_tmpfs(const std::string& path, const std::string& options);
void remount_read_only(const std::string& path);

// Runs `body` in a child again and again and kills it, with SIGKILL, before its first system call, after that, before
// the second, and so on until it is done; between two system calls, a file system does not change. `prepare` comes
// before each run, `judge` after each kill. Returns the number of kills. Fails where ptrace is forbidden.
struct KillPlan {
  std::function<void()> prepare;
  std::function<void()> body;
  std::function<void()> judge;
};
int kill_at_each_system_call(const KillPlan& plan);

// Runs `body` in a child again and again and stops it at its first system call, after that, at the second, and so on,
// while `meanwhile` happens; then lets it go on to its end, where it must have returned true. `judge` comes after each
// run. Returns the number of interruptions.
struct InterruptionPlan {
  std::function<void()> prepare;
  std::function<bool()> body;
  std::function<void()> meanwhile;
  std::function<void()> judge;
};
int interrupt_at_each_system_call(const InterruptionPlan& plan);

// Runs `body` in a child and stops it as it enters the first system call `number`; then calls `meanwhile`, and lets the
// child go on to its end. True: the call was met and the child's body returned true.
bool at_system_call(long number, const std::function<bool()>& body, const std::function<void()>& meanwhile);

// From now on each sleep of this process is over at once: for a child of a test that waits for as many looks as it
// takes.
void sleep_no_more();

// Makes the path a directory of another user, in whichever way this machine allows; only in_private_mounts. False:
// there is none.
bool give_to_somebody_else(const std::string& path);

// Lets this process open no more than `count` further descriptors while it lives.
class DescriptorLimit {
 public:
  explicit DescriptorLimit(int count);
  ~DescriptorLimit();
  DescriptorLimit(const DescriptorLimit&) = delete;
  DescriptorLimit& operator=(const DescriptorLimit&) = delete;

 private:
  unsigned long before_;
};

// The descriptors that this process has open.
[[nodiscard]] int open_descriptors();

}  // namespace weir::shm::testing
