// The whole program, run for tests.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

namespace quickstart {

// A root of a test's own in shared memory, which all programs of this process use. Removed with what is in it.
class PrivateRoot {
 public:
  PrivateRoot();
  ~PrivateRoot();
  PrivateRoot(const PrivateRoot&) = delete;
  PrivateRoot& operator=(const PrivateRoot&) = delete;

  [[nodiscard]] const std::string& path() const noexcept { return path_; }
  // What lies in the root, but for the empty directories that are the root itself.
  [[nodiscard]] std::vector<std::string> contents() const;

 private:
  std::string path_;
};

// One run of it, in a process group of its own, as a shell would start it. It is killed when this object goes.
class Program {
 public:
  enum class Output { pipe, terminal };

  explicit Program(const std::vector<std::string>& arguments, Output output = Output::pipe);
  ~Program();
  Program(const Program&) = delete;
  Program& operator=(const Program&) = delete;

  // Reads on until all it has written contains this text. False: it ended before that.
  bool says(const std::string& text);
  // The process that it announced under this name.
  [[nodiscard]] pid_t pid_of(const std::string& name);
  // Sends a signal to it alone, or to it and its processes as a terminal does.
  void signal(int number) const;
  void signal_all(int number) const;
  // Waits for its end: its exit status, or 1000 and the number of the signal that killed it.
  int end();

  [[nodiscard]] const std::string& output() const noexcept { return output_; }

 private:
  bool read_more();

  pid_t pid_ = -1;
  int from_ = -1;
  std::string output_;
};

// Reaps every process that has fallen to this one, waiting for it to die; returns how many they were.
int reap_all();

}  // namespace quickstart
