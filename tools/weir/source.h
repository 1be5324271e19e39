// Where the messages of `weir pub` come from.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <utility>

#include "tools/weir/interrupts.h"
#include "transport/status.h"

namespace weir::tool {

// Reads a descriptor message by message; waits for more, but no longer than until a signal comes.
class MessageReader {
 public:
  // `size` bytes each, the last what is left of them; 0: lines, without their ends.
  MessageReader(int descriptor, std::string name, std::size_t size, const Interrupts& interrupts)
      : descriptor_(descriptor), name_(std::move(name)), size_(size), interrupts_(interrupts) {}

  // The next one; empty at the end and after a signal. Errors: internal, naming what cannot be read.
  [[nodiscard]] Result<std::optional<std::string>> next();

 private:
  // False: there is no more.
  Result<bool> read_more();
  std::optional<std::string> cut();

  int descriptor_;
  std::string name_;
  std::size_t size_;
  const Interrupts& interrupts_;
  std::string buffer_;
  std::size_t begin_ = 0;     // of what was not handed out yet
  std::size_t searched_ = 0;  // no line ends before this
  bool ended_ = false;
};

// The whole of a file as one message. Errors: not_found, permission_denied, internal, naming it; interrupted by a
// signal, which a pipe that nobody writes to may wait for.
[[nodiscard]] Result<std::string> read_file(const std::string& path, const Interrupts& interrupts);

// Opens a file for reading. That of a pipe waits for no writer, and neither does reading: a MessageReader waits.
// Errors: not_found, permission_denied, internal, naming it.
[[nodiscard]] Result<int> open_to_read(const std::string& path);

}  // namespace weir::tool
