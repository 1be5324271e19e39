// What stands between the handles of the interface and the ports of a backend.
#pragma once

#include <utility>

#include "transport/backend.h"
#include "transport/status.h"

namespace weir::spi {

// Why a handle whose port this is cannot be used: moved from, closed, or inherited by a forked child.
[[nodiscard]] Error unusable(const Port* port) noexcept;
// Why what has no port cannot be used in a forked child.
[[nodiscard]] const Error& forked() noexcept;

// The exception that is being handled, as an error: no exception crosses the interface. Call it in a catch block only.
[[nodiscard]] Error caught() noexcept;

// A loan or a sample is made where it is returned, with the port filling its record: then nothing is copied, and the
// compiler knows that the result is a value. So an error takes another way: it is kept for the thread, and the result
// is spoilt with it. All out of line, as errors are rare and what is inlined into applications shall be small.
struct Lending {
  PublisherPort& port;
  const LoanRequest& request;
  const Error*& error;  // set if there is no loan
};
struct Taking {
  SubscriberPort& port;
  const Error*& error;  // set if that failed
};
[[nodiscard, gnu::cold]] const Error* keep(const Error& error) noexcept;  // until this thread keeps another
template <class Value>
[[gnu::noinline, gnu::cold]] void spoil(Result<Value>& result, const Error& error) noexcept {
  result = tl::unexpected(error);
}
// The error as a result.
template <class Value>
[[gnu::noinline, gnu::cold]] Result<Value> failed(Error error) noexcept {
  return tl::unexpected(std::move(error));
}

// Runs `call` and turns what a framework beneath it throws into an error.
template <class Call>
auto guarded(Call&& call) noexcept -> decltype(call()) {
  try {
    return std::forward<Call>(call)();
  } catch (...) {
    return tl::unexpected(caught());
  }
}

// guarded(call), unless the handle whose port this is cannot be used.
template <class Call>
auto with_port(const Port* port, Call&& call) noexcept -> decltype(call()) {
  if (port == nullptr || port->inherited()) {
    return tl::unexpected(unusable(port));
  }
  return guarded(std::forward<Call>(call));
}

// The port's capabilities; those of a handle without a port are none.
[[nodiscard]] const Capabilities& capabilities_of(const Port* port) noexcept;

}  // namespace weir::spi
