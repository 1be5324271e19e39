// Looks at every sample that a subscriber takes and keeps the account.
//
// Thread safety: none; one subscriber has one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "examples/quickstart/account.h"
#include "examples/quickstart/source.h"

namespace quickstart {

// What a sample says.
struct Received {
  std::uint64_t sequence = 0;
  std::uint64_t lost_before = 0;
  std::span<const std::byte> header;
  std::span<const std::byte> payload;
};

class Inspector {
 public:
  // `file` must outlive it. With `whole_file`, all bytes go into one checksum.
  Inspector(const Source& file, bool whole_file) : file_(file), whole_file_(whole_file) {}

  // Enters a sample: is its sequence number the next one after the announced loss, and is its payload what the file has
  // at the place that its user header names? Errors: those of Source::read.
  weir::Status inspect(const Received& sample);

  // There was nothing to take: what comes from now on was not there at once.
  void found_nothing() noexcept { at_once_ = at_once_ && account_.messages == 0; }

  // Whether the message that ends the file has come.
  [[nodiscard]] bool at_end() const noexcept { return end_ == file_.size(); }

  [[nodiscard]] const Account& account() const noexcept { return account_; }

 private:
  [[nodiscard]] weir::Result<bool> is_from_file(const Received& sample);

  const Source& file_;
  bool whole_file_;
  bool at_once_ = true;
  std::uint64_t end_ = 0;  // in the file, of the last message
  Account account_;
  std::vector<std::byte> original_;
};

}  // namespace quickstart
