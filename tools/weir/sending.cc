#include "tools/weir/sending.h"

#include <cstring>

namespace weir::tool {
namespace {

void copy(std::span<const std::byte> from, std::span<std::byte> to) {
  if (!from.empty()) std::memcpy(to.data(), from.data(), from.size());
}

}  // namespace

Status send_message(Publisher& publisher, std::span<const std::byte> payload, std::span<const std::byte> header,
                    Deadline deadline, const std::stop_token& stop) {
  Result<Loan> loan = publisher.loan(payload.size(), header.size());
  if (!loan) return tl::unexpected(loan.error());
  copy(payload, loan->payload());
  copy(header, loan->header());
  while (true) {
    if (stop.stop_requested()) return failure(ErrorCode::interrupted, "interrupted");
    const auto sent = loan->publish(at_once);
    if (sent) return {};
    if (sent.error().code() != ErrorCode::back_pressure) return tl::unexpected(sent.error());
    const Result<Wake> wake = publisher.wait(deadline, stop);
    if (!wake) return tl::unexpected(wake.error());
    if (*wake == Wake::deadline) {
      return failure(ErrorCode::timed_out, "a lossless subscriber holds this publisher back and takes no messages");
    }
  }
}

}  // namespace weir::tool
