// Errors are values.
//
// Every call of weir that can fail returns Result<T> or Status. No exception and no abort crosses the interface.
//
//   weir::Result<weir::Publisher> publisher = node.publisher("shm://camera/front");
//   if (!publisher) {
//     std::cerr << publisher.error().message() << '\n';   // names the topic, the value and the remedy
//     return 1;
//   }
//
// "Nothing to take" is not an error; back-pressure is one.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include <tl/expected.hpp>

namespace weir {

// The closed set of things that can go wrong. A caller decides by the code; a person reads the message.
enum class ErrorCode : std::uint8_t {
  invalid_argument,    // the caller's value is wrong: an endpoint, an option, a size
  unsupported,         // the backend does not promise this capability, and never pretends to
  incompatible,        // two peers of one topic do not fit: policy, depth, history, type or version
  not_found,           // the named topic, file or backend does not exist
  name_taken,          // a living peer already has this name
  permission_denied,   // the operating system forbids it, or the file belongs to somebody else
  resource_exhausted,  // memory, file system space, descriptors or mappings have run out
  limit_exceeded,      // a limit stated by an option is reached; the message names the option
  back_pressure,       // a lossless subscriber holds the publisher back; the loan stays valid
  timed_out,           // the deadline passed before the condition held
  interrupted,         // the stop token was triggered
  closed,              // the publisher or subscriber behind a handle is gone
  forked,              // this process is a forked child and the handle belongs to its parent
  corrupt,             // shared state fails its checks: truncated, scribbled on, or not ours
  unavailable,         // a service beneath the backend is not running
  internal,            // the operating system refused what it should grant; the message has the details
};

// The enumerator's name, as in "back_pressure".
[[nodiscard]] std::string_view to_string(ErrorCode code) noexcept;

// What went wrong: a code for the program, a sentence for the person. Immutable and cheap to copy (one reference
// count), so that errors on the data path can be made once and returned often. Thread-safe.
class Error {
 public:
  Error(ErrorCode code, std::string message);
  // Out of line, so that every Result that is destroyed carries little code.
  Error(const Error& other) noexcept;
  Error(Error&& other) noexcept;
  Error& operator=(const Error& other) noexcept;
  Error& operator=(Error&& other) noexcept;
  ~Error();

  [[nodiscard]] ErrorCode code() const noexcept { return content_->code; }
  // Never empty. Names the topic, the offending value, and what to do about it.
  [[nodiscard]] const std::string& message() const noexcept { return content_->message; }

 private:
  struct Content {
    ErrorCode code;
    std::string message;
  };
  std::shared_ptr<const Content> content_;
};

template <class Value>
using Result = tl::expected<Value, Error>;
using Status = Result<void>;

// Shorthand to return an error: `return failure(ErrorCode::invalid_argument, "…");`
[[nodiscard]] tl::unexpected<Error> failure(ErrorCode code, std::string message);

}  // namespace weir
