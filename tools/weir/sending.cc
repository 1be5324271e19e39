#include "tools/weir/sending.h"

#include <algorithm>
#include <chrono>
#include <cstring>

#include <fmt/format.h>

#include "tools/weir/pace.h"

namespace weir::tool {
namespace {

using namespace std::chrono_literals;

void copy(std::span<const std::byte> from, std::span<std::byte> to) {
  if (!from.empty()) std::memcpy(to.data(), from.data(), from.size());
}

// Waits for memory, or room in the file system, where the publisher waits for subscribers at all. Nothing tells when
// there is some again, so it asks again and again.
Result<Loan> wait_for_loan(Session& session, Publisher& publisher, std::size_t size, std::size_t header_size,
                           Deadline deadline) {
  Result<Loan> loan = publisher.loan(size, header_size);
  if (loan || publisher.qos().grant == Grant::drop) return loan;
  Deadline untold = after(1s);
  while (!loan && loan.error().code() == ErrorCode::resource_exhausted && !passed(deadline)) {
    if (passed(untold)) {
      session.console.note(fmt::format("waiting for room for a message: {}", loan.error().message()));
      untold = never;
    }
    if (!sleep_until(std::min(deadline, after(10ms)), session.interrupts)) {
      return failure(ErrorCode::interrupted, "interrupted");
    }
    loan = publisher.loan(size, header_size);
  }
  return loan;
}

}  // namespace

Status send_message(Session& session, Publisher& publisher, std::span<const std::byte> payload,
                    std::span<const std::byte> header, Deadline deadline) {
  const std::stop_token stop = session.interrupts.token();
  Result<Loan> loan = wait_for_loan(session, publisher, payload.size(), header.size(), deadline);
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
