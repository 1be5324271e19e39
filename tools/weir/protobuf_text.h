// Protobuf messages in words, by a description of their type that is read when the program runs.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>

#include "transport/status.h"

namespace weir::tool {

// One type of message. Not thread-safe.
class ProtobufText {
 public:
  // `file`: what `protoc --include_imports --descriptor_set_out=FILE` writes. `message`: "robot.Pose"; may be empty if
  // the file describes one alone. Errors: not_found for a file or a message that is not there, naming what is;
  // invalid_argument for a file that describes nothing.
  [[nodiscard]] static Result<ProtobufText> open(const std::string& file, const std::string& message);

  ProtobufText(ProtobufText&& other) noexcept;
  ProtobufText& operator=(ProtobufText&& other) noexcept;
  ProtobufText(const ProtobufText&) = delete;
  ProtobufText& operator=(const ProtobufText&) = delete;
  ~ProtobufText();

  // The payload as JSON, on one line. Errors: incompatible for bytes that are no such message.
  [[nodiscard]] Result<std::string> json(std::span<const std::byte> payload);

 private:
  struct Type;
  explicit ProtobufText(std::unique_ptr<Type> type);
  std::unique_ptr<Type> type_;
};

}  // namespace weir::tool
