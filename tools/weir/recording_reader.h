// Reads a recording, also one that is being written, was cut short or was damaged: up to the last whole frame.
//
//   auto reader = RecordingReader::open("drive.weirrec");
//   while (auto message = reader->next()) {
//     if (!*message) break;
//     use((*message)->payload);
//   }
//
// It maps nothing, so a file that is cut short meanwhile is an error, not a SIGBUS. Thread-compatible.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "tools/weir/recording.h"
#include "tools/weir/recording_frame.h"
#include "transport/shm/file.h"
#include "transport/status.h"

namespace weir::tool {

class RecordingReader {
 public:
  // Errors: not_found, permission_denied; corrupt for what is no recording; incompatible for one of another version.
  [[nodiscard]] static Result<RecordingReader> open(const std::string& path);

  // The next message; empty behind the last whole frame. It is valid until the next call. Errors: corrupt, naming the
  // place.
  [[nodiscard]] Result<std::optional<RecordedMessage>> next();

  // Goes to a place before which all messages are older than this: by the index, if there is one.
  void seek(std::int64_t time);

  // From the index, or by going through the file where there is none.
  [[nodiscard]] const Summary& summary() const noexcept { return summary_; }

 private:
  RecordingReader(std::string path, shm::File file) : path_(std::move(path)), file_(std::move(file)) {}
  bool read_index();
  void scan();
  // Whether what lies at `end` was damaged: it is no frame, or it is longer than the file and frames lie behind it.
  bool is_damaged_at_end(const Frame& frame);

  std::string path_;
  shm::File file_;
  Summary summary_;
  std::vector<std::byte> content_;
  std::uint64_t at_ = 0;
};

}  // namespace weir::tool
