// The file that is streamed. The publisher reads it straight into its loans; subscribers read it again, to compare.
//
//   auto source = quickstart::Source::open("/var/log/syslog");     // or Source::gather(300'000'000)
//   auto read = source->read(offset, loan->payload());
//
// The roles are separate processes: they inherit the descriptor. Thread safety: reading is safe from any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "transport/status.h"

namespace quickstart {

class Source {
 public:
  // A regular file. Errors: not_found, permission_denied, invalid_argument (a directory, say, or too small to cut).
  [[nodiscard]] static weir::Result<Source> open(const std::string& path);

  // Up to `bytes` from the regular files below /usr/bin and /usr/lib, in the order of their names: real data that every
  // machine has. They are put one after the other into an unnamed file in memory, which nothing can leave behind.
  // Errors: resource_exhausted.
  [[nodiscard]] static weir::Result<Source> gather(std::uint64_t bytes);

  // What another process has opened. Takes the descriptor over.
  [[nodiscard]] static weir::Result<Source> inherit(int descriptor);

  Source(Source&& other) noexcept;
  Source& operator=(Source&& other) noexcept;
  Source(const Source&) = delete;
  Source& operator=(const Source&) = delete;
  ~Source();

  // Fills `bytes` with what the file has at `offset`. Errors: internal, when the file has become shorter or unreadable.
  [[nodiscard]] weir::Status read(std::uint64_t offset, std::span<std::byte> bytes) const;

  // The CRC-32 of the whole file. Errors: those of read.
  [[nodiscard]] weir::Result<std::uint32_t> checksum() const;

  [[nodiscard]] std::uint64_t size() const noexcept { return size_; }
  [[nodiscard]] int descriptor() const noexcept { return descriptor_; }
  // For people: what the file is.
  [[nodiscard]] const std::string& description() const noexcept { return description_; }

 private:
  Source(int descriptor, std::uint64_t size, std::string description);

  int descriptor_;
  std::uint64_t size_;
  std::string description_;
};

}  // namespace quickstart
