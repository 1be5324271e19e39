// The version of weir: the only place in which it stands. The build takes it from here for the names of libraries, the
// version of their symbols, and the files of pkg-config and CMake. CHANGELOG.md says what a version brought.
//
//   #if WEIR_VERSION_NUMBER >= 200      // 0.2.0 or later
//   std::puts(weir::version().data());  // of the library that the program has found, as text
//
// Before 1.0 each minor version has a binary interface of its own: a program that was built with another one is refused
// by the dynamic linker, which names the version it wants (WEIR_0.1).
#pragma once

#include <string_view>

#define WEIR_VERSION_MAJOR 0
#define WEIR_VERSION_MINOR 1
#define WEIR_VERSION_PATCH 0

#define WEIR_VERSION_NUMBER (WEIR_VERSION_MAJOR * 10000 + WEIR_VERSION_MINOR * 100 + WEIR_VERSION_PATCH)
#define WEIR_VERSION_TEXT_OF(number) #number
#define WEIR_VERSION_JOIN(major, minor, patch) \
  WEIR_VERSION_TEXT_OF(major) "." WEIR_VERSION_TEXT_OF(minor) "." WEIR_VERSION_TEXT_OF(patch)
// "0.1.0"
#define WEIR_VERSION WEIR_VERSION_JOIN(WEIR_VERSION_MAJOR, WEIR_VERSION_MINOR, WEIR_VERSION_PATCH)

namespace weir {

// That of the library; WEIR_VERSION is that of the headers. Ends with a NUL.
[[nodiscard]] std::string_view version() noexcept;

}  // namespace weir
