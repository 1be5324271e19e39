#include "tools/weir/recording_reader.h"

#include <fcntl.h>

#include <algorithm>
#include <cerrno>

#include <fmt/format.h>

namespace weir::tool {

Result<RecordingReader> RecordingReader::open(const std::string& path) {
  // A pipe is no recording, and is not waited for.
  shm::File file(::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
  if (!file) return tl::unexpected(shm::system_error("cannot open the recording " + path, errno));
  RecordingReader reader(path, std::move(file));
  FileHead head{};
  if (!read_all(reader.file_, 0, std::as_writable_bytes(std::span(&head, 1))) || head.magic != file_head.magic) {
    return failure(ErrorCode::corrupt, fmt::format("{} is no recording of weir: it does not begin like one", path));
  }
  if (head.version != file_head.version) {
    return failure(ErrorCode::incompatible,
                   fmt::format("{} is a recording of version {}, and this program reads version {}: use the weir that "
                               "wrote it",
                               path, head.version, file_head.version));
  }
  if (!reader.read_index()) reader.scan();
  reader.at_ = sizeof(FileHead);
  return reader;
}

bool RecordingReader::read_index() {
  const std::uint64_t size = shm::size_of(file_);
  Trailer trailer{};
  if (size < sizeof(FileHead) + sizeof(trailer) ||
      !read_all(file_, size - sizeof(trailer), std::as_writable_bytes(std::span(&trailer, 1))) ||
      trailer.magic != trailer_magic) {
    return false;
  }
  const Frame frame = read_frame(file_, trailer.index, content_);
  if (frame.state != Frame::State::whole || frame.kind != FrameKind::index || frame.end != size - sizeof(trailer)) {
    return false;
  }
  std::optional<Summary> summary = decode_index(content_);
  if (!summary || summary->end != trailer.index) return false;
  summary_ = std::move(*summary);
  summary_.is_complete = true;
  return true;
}

void RecordingReader::scan() {
  summary_ = {};
  summary_.end = sizeof(FileHead);
  while (true) {
    const Frame frame = read_frame(file_, summary_.end, content_);
    summary_.is_damaged = is_damaged_at_end(frame);
    // An index without its trailer was the last that a recorder wrote.
    if (frame.state != Frame::State::whole || frame.kind == FrameKind::index) break;
    if (frame.kind == FrameKind::source) {
      std::optional<RecordedSource> source = decode_source(content_);
      summary_.is_damaged = !source;
      if (!source) break;
      summary_.sources.push_back(std::move(*source));
    } else {
      const auto message = decode_message(content_, summary_.sources.size());
      summary_.is_damaged = !message;
      if (!message) break;
      summary_.add(*message, summary_.end);
    }
    summary_.end = frame.end;
  }
  const std::uint64_t size = shm::size_of(file_);
  summary_.surplus = size - std::min(size, summary_.end);
}

bool RecordingReader::is_damaged_at_end(const Frame& frame) {
  if (frame.state != Frame::State::cut_short) return frame.state == Frame::State::damaged;
  // A recorder that still writes may have finished it meanwhile, and others after it.
  return holds_a_frame(file_, summary_.end + 1) &&
         read_frame(file_, summary_.end, content_).state == Frame::State::cut_short;
}

Result<std::optional<RecordedMessage>> RecordingReader::next() {
  while (at_ < summary_.end) {
    const Frame frame = read_frame(file_, at_, content_);
    const bool is_whole = frame.state == Frame::State::whole;
    if (is_whole && frame.kind == FrameKind::source) {
      at_ = frame.end;
      continue;
    }
    auto message =
        is_whole && frame.kind == FrameKind::message ? decode_message(content_, summary_.sources.size()) : std::nullopt;
    if (!message) {
      return failure(ErrorCode::corrupt, fmt::format("{} was damaged at byte {}: all before it was read", path_, at_));
    }
    at_ = frame.end;
    return message;
  }
  return std::optional<RecordedMessage>();
}

void RecordingReader::seek(std::int64_t time) {
  at_ = sizeof(FileHead);
  for (const Place& place : summary_.places) {
    if (place.time >= time) break;
    at_ = place.offset;
  }
}

}  // namespace weir::tool
