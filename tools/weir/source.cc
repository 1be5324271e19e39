#include "tools/weir/source.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <limits>

#include <fmt/format.h>

#include "transport/shm/file.h"

namespace weir::tool {

Result<std::optional<std::string>> MessageReader::next() {
  while (true) {
    if (auto message = cut()) return message;
    if (ended_) {
      if (begin_ == buffer_.size()) return std::optional<std::string>();
      std::string last = buffer_.substr(begin_);
      begin_ = buffer_.size();
      return std::optional<std::string>(std::move(last));
    }
    const Result<bool> more = read_more();
    if (!more) return tl::unexpected(more.error());
    if (!*more && !ended_) return std::optional<std::string>();
  }
}

std::optional<std::string> MessageReader::cut() {
  std::size_t size = size_;
  std::size_t skipped = 0;
  if (size_ == 0) {
    const std::size_t end = buffer_.find('\n', std::max(begin_, searched_));
    searched_ = buffer_.size();
    if (end == std::string::npos) return std::nullopt;
    size = end - begin_;
    searched_ = end + 1;
    skipped = 1;
  } else if (buffer_.size() - begin_ < size_) {
    return std::nullopt;
  }
  std::string message = buffer_.substr(begin_, size);
  begin_ += size + skipped;
  return message;
}

Result<bool> MessageReader::read_more() {
  buffer_.erase(0, begin_);
  searched_ -= std::min(searched_, begin_);
  begin_ = 0;
  if (!wait_readable(descriptor_, interrupts_)) return false;
  std::array<char, 65536> part;
  const ssize_t got = read(descriptor_, part.data(), part.size());
  if (got < 0 && (errno == EAGAIN || errno == EINTR)) return true;
  if (got < 0) return tl::unexpected(shm::system_error("cannot read " + name_, errno));
  buffer_.append(part.data(), static_cast<std::size_t>(got));
  ended_ = got == 0;
  return !ended_;
}

Result<int> open_to_read(const std::string& path) {
  const int descriptor = open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  if (descriptor < 0) return tl::unexpected(shm::system_error("cannot open " + path, errno));
  return descriptor;
}

Result<std::string> read_file(const std::string& path, const Interrupts& interrupts) {
  const Result<int> descriptor = open_to_read(path);
  if (!descriptor) return tl::unexpected(descriptor.error());
  const shm::File file(*descriptor);
  MessageReader reader(file.get(), path, std::numeric_limits<std::size_t>::max(), interrupts);
  Result<std::optional<std::string>> content = reader.next();
  if (!content) return tl::unexpected(content.error());
  if (interrupts.token().stop_requested()) return failure(ErrorCode::interrupted, "interrupted");
  return std::move(*content).value_or("");
}

}  // namespace weir::tool
