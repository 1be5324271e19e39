// A program that runs beside this process, and what it says.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

namespace weir::performance {

class Child {
 public:
  // Starts it, or throws Failure.
  explicit Child(const std::vector<std::string>& command);
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;
  // Ends its standard input, kills it if it is not done a second later, and
  // waits for it.
  ~Child();

  // The next line that it says, as a number. Throws Failure when it ended or
  // says something else.
  [[nodiscard]] double number();

 private:
  std::string name_;
  pid_t pid_ = -1;
  int input_ = -1;
  int output_ = -1;
};

}  // namespace weir::performance
