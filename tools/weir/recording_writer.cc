#include "tools/weir/recording_writer.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include <fmt/format.h>

#include "tools/weir/recording_reader.h"

namespace weir::tool {

Result<RecordingWriter> RecordingWriter::open(const std::string& path, Existing existing) {
  const int flags = O_RDWR | O_CREAT | O_CLOEXEC | (existing == Existing::append ? 0 : O_EXCL);
  shm::File file(::open(path.c_str(), flags, 0644));
  if (!file && errno == EEXIST) {
    return failure(ErrorCode::name_taken,
                   fmt::format("{} is there already: give another name, or continue it with --append", path));
  }
  if (!file) return tl::unexpected(shm::system_error("cannot make the recording " + path, errno));
  if (flock(file.get(), LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK) {
    return failure(ErrorCode::name_taken, fmt::format("{} is written by another recorder now", path));
  }
  RecordingWriter writer(path, std::move(file));
  if (shm::size_of(writer.file_) == 0) {
    if (Status begun = writer.append(std::array{bytes_of(file_head)}); !begun) return tl::unexpected(begun.error());
  } else if (Status resumed = writer.resume(); !resumed) {
    return tl::unexpected(resumed.error());
  }
  return writer;
}

Status RecordingWriter::resume() {
  const Result<RecordingReader> before = RecordingReader::open(path_);
  if (!before) return tl::unexpected(before.error());
  summary_ = before->summary();
  if (summary_.is_damaged) {
    return failure(ErrorCode::corrupt,
                   fmt::format("{} was damaged at byte {}, and to continue it there would erase {} bytes that may hold "
                               "messages: record into another file",
                               path_, summary_.end, summary_.surplus));
  }
  for (std::uint32_t number = 0; number < summary_.sources.size(); ++number) {
    numbers_.emplace(std::pair(summary_.sources[number].topic, summary_.sources[number].publisher), number);
  }
  summary_.is_complete = false;
  summary_.surplus = 0;
  // Index and trailer, or the piece of a frame that its recorder could not finish.
  return ftruncate(file_.get(), static_cast<off_t>(summary_.end)) == 0 ? Status() : tl::unexpected(failed(errno));
}

Error RecordingWriter::failed(int error_number) const {
  if (error_number == ENOSPC || error_number == EDQUOT || error_number == EFBIG) {
    return {ErrorCode::resource_exhausted,
            fmt::format("{}: {}. The {} messages in it stay readable; make room and go on with --append", path_,
                        error_number == EFBIG ? "it has reached the limit on the size of a file (ulimit -f)"
                                              : "the disk is full",
                        summary_.messages())};
  }
  return shm::system_error(
      fmt::format("cannot write {}, in which {} messages stay readable", path_, summary_.messages()), error_number);
}

Status RecordingWriter::append(Parts parts) {
  std::uint64_t at = summary_.end;
  if (const int error_number = write_all(file_, at, parts); error_number != 0) {
    (void)ftruncate(file_.get(), static_cast<off_t>(summary_.end));
    return tl::unexpected(failed(error_number));
  }
  summary_.end = at;
  return {};
}

bool RecordingWriter::knows(const std::string& topic, PeerId publisher) const {
  return numbers_.contains({topic, publisher});
}

Result<std::uint32_t> RecordingWriter::source(const RecordedSource& source) {
  const std::pair key(source.topic, source.publisher);
  if (const auto known = numbers_.find(key); known != numbers_.end()) return known->second;
  const std::string text = encode(source);
  const std::array content{std::as_bytes(std::span(text))};
  const FrameHead head = frame_head(FrameKind::source, content);
  if (Status written = append(std::array{bytes_of(head), content[0]}); !written) {
    return tl::unexpected(written.error());
  }
  const auto number = static_cast<std::uint32_t>(summary_.sources.size());
  summary_.sources.push_back(source);
  numbers_.emplace(key, number);
  return number;
}

Status RecordingWriter::write(const RecordedMessage& message) {
  const MessageHead message_head = head_of(message);
  copy_.assign(message.header.begin(), message.header.end());
  copy_.insert(copy_.end(), message.payload.begin(), message.payload.end());
  const std::array content{bytes_of(message_head), std::span<const std::byte>(copy_)};
  const FrameHead head = frame_head(FrameKind::message, content);
  const std::uint64_t offset = summary_.end;
  if (Status written = append(std::array{bytes_of(head), content[0], content[1]}); !written) return written;
  summary_.add(message, offset);
  return {};
}

Status RecordingWriter::finish() {
  const std::string index = encode_index(summary_);
  const std::array content{std::as_bytes(std::span(index))};
  const FrameHead head = frame_head(FrameKind::index, content);
  const Trailer trailer{.magic = trailer_magic, .index = summary_.end};
  if (Status written = append(std::array{bytes_of(head), content[0], bytes_of(trailer)}); !written) return written;
  // A file system may find out only now that it has no room.
  if (fsync(file_.get()) != 0 && errno != EINVAL) return tl::unexpected(failed(errno));
  summary_.is_complete = true;
  return {};
}

}  // namespace weir::tool
