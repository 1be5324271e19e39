// A directory of a test's own, in the shared-memory file system or where WEIR_CONFORMANCE_SANDBOXES says; gone with the
// object, and also when the process is told to end by SIGTERM, as a test runner does at its own time limit, or by
// SIGINT, as a terminal does.
#pragma once

#include <string>
#include <vector>

namespace weir::conformance {

class Sandbox {
 public:
  // Throws HarnessFailure.
  Sandbox();
  Sandbox(const Sandbox&) = delete;
  Sandbox& operator=(const Sandbox&) = delete;
  ~Sandbox();

  // For a process that will not come to the destructor.
  void remove() noexcept;

  [[nodiscard]] const std::string& root() const noexcept { return root_; }
  // A word that no other sandbox of this machine has.
  [[nodiscard]] const std::string& name() const noexcept { return name_; }

  // All that is in it now, at any depth: paths relative to the root, directories with a slash at the end, sorted.
  [[nodiscard]] std::vector<std::string> entries() const;

 private:
  std::string root_;
  std::string name_;
};

}  // namespace weir::conformance
