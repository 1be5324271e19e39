// How the harness ends a test that cannot go on: by an exception, which GoogleTest reports with its message.
// (Exceptions stay within the harness; what it tests returns errors as values.)
#pragma once

#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

#include "transport/status.h"

namespace weir::conformance {

class HarnessFailure : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// Throws with the text of errno.
[[noreturn]] void throw_system_failure(std::string_view what);

// The value of a result that the test cannot do without.
template <class Value>
Value must(Result<Value> result, std::string_view what) {
  if (!result) {
    throw HarnessFailure(std::string(what) + ": " + std::string(to_string(result.error().code())) + ": " +
                         result.error().message());
  }
  if constexpr (!std::is_void_v<Value>) return std::move(*result);
}

// The next sample, for a test that goes on to read it: one that is not there says nothing, and its memory is nobody's.
template <class AnySubscriber>
[[nodiscard]] auto must_take(AnySubscriber& subscriber) {
  auto sample = must(subscriber.take(), "take");
  if (!sample) throw HarnessFailure("nothing came");
  return sample;
}

}  // namespace weir::conformance
