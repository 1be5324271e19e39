// What stands between the handles of the interface and the ports of a backend.
#pragma once

#include <exception>
#include <new>
#include <string>
#include <utility>

#include "transport/backend.h"
#include "transport/status.h"

namespace weir::spi {

// Why a handle whose port this is cannot be used: moved from, closed, or inherited by a forked child.
[[nodiscard]] Error unusable(const Port* port);

// Runs `call` and turns what a framework beneath it throws into an error, since no exception crosses the interface.
template <class Call>
auto guarded(Call&& call) noexcept -> decltype(call()) {
  try {
    return std::forward<Call>(call)();
  } catch (const std::bad_alloc&) {
    return failure(ErrorCode::resource_exhausted, "the process is out of memory");
  } catch (const std::exception& thrown) {
    return failure(ErrorCode::internal, std::string("an unexpected exception: ") + thrown.what());
  } catch (...) {
    return failure(ErrorCode::internal, "an unexpected exception of unknown type");
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
