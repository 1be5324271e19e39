// Paths on a command line: relative ones are meant as where the command was given, also to `bazel run`, which starts
// its program elsewhere.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <string>

namespace weir::conformance {

// Empty stays empty.
[[nodiscard]] inline std::string as_given(const std::string& path) {
  const char* where = std::getenv("BUILD_WORKING_DIRECTORY");
  return where == nullptr || path.empty() ? path : (std::filesystem::path(where) / path).string();
}

}  // namespace weir::conformance
