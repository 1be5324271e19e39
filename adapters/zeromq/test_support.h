// What the tests of this backend have in common: a directory with short paths, other programs, and shorthand.
//
//   const ShortDirectory directory;
//   Publisher publisher = must(node.publisher("zmq+" + directory.ipc("feed")));     // ipc:///tmp/…/feed
//   Program native({"peer_c", "subscribe", "connect", directory.ipc("feed"), …});
//   EXPECT_EQ(native.wait(), "");                                                    // it ended well
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <initializer_list>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "transport/node.h"

namespace weir::zeromq::testing_support {

// The watchdog: how long a test waits for what must come. Nothing is decided by it but failure.
inline Deadline soon() { return after(std::chrono::seconds(120)); }

template <class Value>
Value must(Result<Value> result) {
  if (!result) {
    throw std::runtime_error(std::string(to_string(result.error().code())) + ": " + result.error().message());
  }
  if constexpr (!std::is_void_v<Value>) {
    return std::move(*result);
  }
}

// Whether a call failed with this code, and with all these words in its message.
template <class Value>
::testing::AssertionResult fails(const Result<Value>& result, ErrorCode code,
                                 std::initializer_list<std::string_view> words = {}) {
  if (result) {
    return ::testing::AssertionFailure() << "it succeeded, " << to_string(code) << " was expected";
  }
  const Error& error = result.error();
  if (error.code() != code) {
    return ::testing::AssertionFailure() << to_string(error.code()) << " instead of " << to_string(code) << ": "
                                         << error.message();
  }
  for (const std::string_view word : words) {
    if (error.message().find(word) == std::string::npos) {
      return ::testing::AssertionFailure() << "\"" << word << "\" is not named in: " << error.message();
    }
  }
  return ::testing::AssertionSuccess();
}

inline std::span<const std::byte> bytes(std::string_view text) { return std::as_bytes(std::span(text)); }
inline std::string text(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

// The next sample, waited for.
inline Sample next(Subscriber& subscriber) {
  while (must(subscriber.wait(soon())) == Wake::ready) {
    if (Sample sample = must(subscriber.take())) return sample;
  }
  throw std::runtime_error("no sample came");
}

// A directory of the test's own, whose name leaves room within the 107 bytes of a Unix socket address.
class ShortDirectory {
 public:
  ShortDirectory();
  ShortDirectory(const ShortDirectory&) = delete;
  ShortDirectory& operator=(const ShortDirectory&) = delete;
  ~ShortDirectory();

  [[nodiscard]] const std::string& path() const { return path_; }
  [[nodiscard]] std::string path(std::string_view name) const { return path_ + '/' + std::string(name); }
  [[nodiscard]] std::string ipc(std::string_view name) const { return "ipc://" + path(name); }

 private:
  std::string path_;
};

// Another program, killed at the latest with this object.
class Program {
 public:
  // `words`: the program, a path or a name in $PATH, and its arguments. Its standard output can be read.
  explicit Program(const std::vector<std::string>& words);
  Program(const Program&) = delete;
  Program& operator=(const Program&) = delete;
  ~Program();

  [[nodiscard]] pid_t process() const { return process_; }
  void end_input();
  void write_line(std::string_view line);
  // One line of its output, without its end. Throws when there is none any more.
  [[nodiscard]] std::string read_line();
  void kill();
  // Waits for its end: empty if it ended well, else how.
  [[nodiscard]] std::string wait();

 private:
  pid_t process_ = -1;
  int input_ = -1;
  int output_ = -1;
};

// How many messages a test exchanges that is about a million of them: that, or WEIR_MESSAGES, and says so.
[[nodiscard]] std::uint64_t messages_of_a_million();

// The file of that name among the data of the test: a path below the workspace.
[[nodiscard]] std::string data_file(std::string_view path);

}  // namespace weir::zeromq::testing_support
