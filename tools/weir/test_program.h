// The built program, run for tests.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <vector>

namespace weir::tool::testing {

// A directory of a test's own in shared memory; WEIR_ROOT of this process and of the programs that it runs. Removed
// with what is in it.
class PrivateRoot {
 public:
  PrivateRoot();
  ~PrivateRoot();
  PrivateRoot(const PrivateRoot&) = delete;
  PrivateRoot& operator=(const PrivateRoot&) = delete;

  [[nodiscard]] const std::string& path() const noexcept { return path_; }

 private:
  std::string path_;
};

// One run of weir, or of another program. It is killed and reaped when this object goes.
class Program {
 public:
  explicit Program(const std::vector<std::string>& arguments, const std::optional<std::string>& input = {},
                   const std::string& executable = "tools/weir/weir");
  ~Program();
  Program(const Program&) = delete;
  Program& operator=(const Program&) = delete;

  // Reads on until the standard output, or the standard error, contains this. False: it ended before that.
  bool prints(const std::string& text);
  bool notes(const std::string& text);
  // Reads what comes next on either. False: it has ended.
  bool prints_more();
  void signal(int number) const;
  // Stops it; it stands still once this has returned.
  void stop() const;
  // Waits for its end: its exit status, or 1000 and the number of the signal that killed it.
  int end();

  [[nodiscard]] pid_t pid() const noexcept { return pid_; }
  [[nodiscard]] const std::string& output() const noexcept { return output_; }
  [[nodiscard]] const std::string& errors() const noexcept { return errors_; }

 private:
  pid_t pid_ = -1;
  int output_end_ = -1;
  int errors_end_ = -1;
  std::string output_;
  std::string errors_;
};

// A whole run to its end.
struct Outcome {
  int status = 0;
  std::string output;
  std::string errors;
};
[[nodiscard]] Outcome run(const std::vector<std::string>& arguments, const std::optional<std::string>& input = {});

}  // namespace weir::tool::testing
