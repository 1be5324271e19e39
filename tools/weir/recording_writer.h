// Writes a recording: each message is in the file, whole, when write() has returned.
//
//   auto writer = RecordingWriter::open("drive.weirrec", Existing::refuse);
//   auto camera = writer->source({.topic = "shm://camera"});
//   writer->write({.source = *camera, .time = now, .payload = bytes});
//   writer->finish();
//
// A process that is killed at any point leaves a file that can be read and continued. Thread-compatible.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "tools/weir/recording.h"
#include "tools/weir/recording_frame.h"
#include "transport/shm/file.h"
#include "transport/status.h"

namespace weir::tool {

// What becomes of a file that is there already.
enum class Existing : std::uint8_t { refuse, append };

class RecordingWriter {
 public:
  // Makes the file, or continues one behind its last whole frame. Nobody else can write it as long as this object
  // lives. Errors: name_taken for a file that is there and may not be continued, or that another recorder writes;
  // corrupt for one that is no recording or was damaged, which stays as it is; not_found, permission_denied,
  // resource_exhausted.
  [[nodiscard]] static Result<RecordingWriter> open(const std::string& path, Existing existing);

  // The number of a source, which is written when it is new: sources are told apart by topic and publisher.
  // Errors: those of write().
  [[nodiscard]] Result<std::uint32_t> source(const RecordedSource& source);
  // Whether source() knows it already.
  [[nodiscard]] bool knows(const std::string& topic, PeerId publisher) const;

  // Errors: resource_exhausted when the disk is full or a limit on files is met: what was written before stays
  // readable, and nothing of this message is left.
  [[nodiscard]] Status write(const RecordedMessage& message);

  // Writes index and trailer, and brings all to the disk. Errors: those of write(); all messages stay readable.
  [[nodiscard]] Status finish();

  [[nodiscard]] const Summary& summary() const noexcept { return summary_; }

 private:
  RecordingWriter(std::string path, shm::File file) : path_(std::move(path)), file_(std::move(file)) {}
  Status resume();
  // Writes all, or nothing.
  Status append(Parts parts);
  [[nodiscard]] Error failed(int error_number) const;

  std::string path_;
  shm::File file_;
  Summary summary_;
  std::map<std::pair<std::string, PeerId>, std::uint32_t> numbers_;
  // Header and payload as they are written: a publisher may go on writing into its own, and the check would not fit.
  std::vector<std::byte> copy_;
};

}  // namespace weir::tool
