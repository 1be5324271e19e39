#include "examples/quickstart/source.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "examples/quickstart/crc32.h"
#include "examples/quickstart/message.h"

namespace quickstart {
namespace {

using weir::ErrorCode;

// Appends the files below a directory to a descriptor, in the order of their names, up to a number of bytes.
class Gatherer {
 public:
  Gatherer(int into, std::uint64_t bytes) : into_(into), wanted_(bytes) {}

  // What cannot be read (a file of root's alone, one that vanishes) is left out; only the lack of memory is an error.
  weir::Status add_directory(const std::filesystem::path& directory) {
    std::error_code ignored;
    std::vector<std::filesystem::directory_entry> entries;
    for (std::filesystem::directory_iterator at(directory, ignored), end; at != end; at.increment(ignored)) {
      entries.push_back(*at);
    }
    std::sort(entries.begin(), entries.end());
    for (const auto& entry : entries) {
      weir::Status added;
      if (gathered_ == wanted_ || entry.is_symlink(ignored)) {
        continue;
      }
      if (entry.is_directory(ignored)) {
        added = add_directory(entry.path());
      } else if (entry.is_regular_file(ignored)) {
        added = add_file(entry.path());
      }
      if (!added) {
        return added;
      }
    }
    return {};
  }

  [[nodiscard]] std::uint64_t files() const noexcept { return files_; }

 private:
  weir::Status add_file(const std::filesystem::path& path) {
    const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (file < 0) {
      return {};
    }
    ssize_t copied = 0;
    do {
      copied = sendfile(into_, file, nullptr, wanted_ - gathered_);
      gathered_ += copied > 0 ? static_cast<std::uint64_t>(copied) : 0;
    } while (copied > 0 && gathered_ < wanted_);
    const int error = copied < 0 ? errno : 0;
    ::close(file);
    ++files_;
    if (error == ENOSPC || error == ENOMEM || error == EFBIG) {
      return weir::failure(
          ErrorCode::resource_exhausted,
          fmt::format("gathering {} bytes in memory: {} after {} bytes: {}ask for fewer --megabytes, or "
                      "stream a --file",
                      wanted_, std::strerror(error), gathered_, error == EFBIG ? "raise ulimit -f, " : ""));
    }
    return {};
  }

  int into_;
  std::uint64_t wanted_;
  std::uint64_t gathered_ = 0;
  std::uint64_t files_ = 0;
};

}  // namespace

Source::Source(int descriptor, std::uint64_t size, std::string description)
    : descriptor_(descriptor), size_(size), description_(std::move(description)) {}

Source::Source(Source&& other) noexcept
    : descriptor_(std::exchange(other.descriptor_, -1)),
      size_(other.size_),
      description_(std::move(other.description_)) {}

Source& Source::operator=(Source&& other) noexcept {
  std::swap(descriptor_, other.descriptor_);
  std::swap(size_, other.size_);
  std::swap(description_, other.description_);
  return *this;
}

Source::~Source() {
  if (descriptor_ >= 0) {
    ::close(descriptor_);
  }
}

weir::Result<Source> Source::inherit(int descriptor) {
  Source source(descriptor, 0, {});
  struct stat status {};
  if (fstat(descriptor, &status) != 0) {
    return weir::failure(ErrorCode::internal, fmt::format("descriptor {}: {}", descriptor, std::strerror(errno)));
  }
  source.size_ = static_cast<std::uint64_t>(status.st_size);
  if (!S_ISREG(status.st_mode)) {
    return weir::failure(ErrorCode::invalid_argument, "it is not a regular file: name one that is");
  }
  if (source.size_ < smallest_file) {
    return weir::failure(
        ErrorCode::invalid_argument,
        fmt::format("it has {} bytes, too few to stream: choose one of at least {}", source.size_, smallest_file));
  }
  return source;
}

weir::Result<Source> Source::open(const std::string& path) {
  // O_NONBLOCK: a FIFO is refused rather than waited for.
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (file < 0) {
    const ErrorCode code = errno == ENOENT   ? ErrorCode::not_found
                           : errno == EACCES ? ErrorCode::permission_denied
                                             : ErrorCode::internal;
    return weir::failure(code, fmt::format("--file \"{}\": {}", path, std::strerror(errno)));
  }
  weir::Result<Source> source = inherit(file);
  if (!source) {
    return weir::failure(source.error().code(), fmt::format("--file \"{}\": {}", path, source.error().message()));
  }
  source->description_ = path;
  return source;
}

weir::Result<Source> Source::gather(std::uint64_t bytes) {
  const int memory = memfd_create("quickstart", MFD_CLOEXEC | MFD_ALLOW_SEALING);
  if (memory < 0) {
    return weir::failure(ErrorCode::resource_exhausted,
                         fmt::format("a file in memory: {}: stream a --file", std::strerror(errno)));
  }
  Source owner(memory, 0, {});
  Gatherer gatherer(memory, bytes);
  for (const char* directory : {"/usr/bin", "/usr/lib"}) {
    if (weir::Status added = gatherer.add_directory(directory); !added) {
      return tl::unexpected(added.error());
    }
  }
  // From here on nobody can change what the checks rely on.
  fcntl(memory, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW);
  weir::Result<Source> source = inherit(std::exchange(owner.descriptor_, -1));
  if (!source) {
    return weir::failure(source.error().code(), "too little was found below /usr/bin and /usr/lib: stream a --file");
  }
  source->description_ = fmt::format("{} files of this machine, from /usr/bin on", gatherer.files());
  return source;
}

weir::Status Source::read(std::uint64_t offset, std::span<std::byte> bytes) const {
  while (!bytes.empty()) {
    const ssize_t got = pread(descriptor_, bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (got <= 0 && !(got < 0 && errno == EINTR)) {
      return weir::failure(ErrorCode::internal,
                           fmt::format("reading the file at offset {}: {}", offset,
                                       got == 0 ? "it became shorter while it was streamed" : std::strerror(errno)));
    }
    const auto advance = static_cast<std::size_t>(std::max<ssize_t>(got, 0));
    offset += advance;
    bytes = bytes.subspan(advance);
  }
  return {};
}

weir::Result<std::uint32_t> Source::checksum() const {
  std::vector<std::byte> part(1U << 20U);
  std::uint32_t checksum = 0;
  for (std::uint64_t offset = 0; offset < size_; offset += part.size()) {
    part.resize(std::min<std::uint64_t>(part.size(), size_ - offset));
    if (const weir::Status got = read(offset, part); !got) {
      return tl::unexpected(got.error());
    }
    checksum = crc32(part, checksum);
  }
  return checksum;
}

}  // namespace quickstart
