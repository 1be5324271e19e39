// How the processes of a measurement give up: they throw, and the parent gets
// the text.
#pragma once

#include <stdexcept>
#include <string>
#include <utility>

#include "transport/status.h"

namespace weir::performance {

class Failure : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// Out of line and cold, so that a hot path carries no more than a jump to it.
[[noreturn, gnu::cold, gnu::noinline]] inline void fail(const std::string& text) { throw Failure(text); }
[[noreturn, gnu::cold, gnu::noinline]] inline void fail(const Error& error) { throw Failure(error.message()); }

// The value of a result; its error is thrown.
template <class Value>
[[nodiscard]] Value must(Result<Value> result) {
  if (!result) {
    fail(result.error());
  }
  return std::move(*result);
}

inline void must(const Status& status) {
  if (!status) {
    fail(status.error());
  }
}

}  // namespace weir::performance
