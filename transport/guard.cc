#include "transport/guard.h"

#include <exception>
#include <new>
#include <optional>
#include <string>

namespace weir::spi {
namespace {

// Made beforehand: when it is needed there may be nothing left to make it of.
const Error out_of_memory(ErrorCode::resource_exhausted, "the process is out of memory");

}  // namespace

Error unusable(const Port* port) {
  if (port != nullptr && port->inherited()) {
    static const Error forked(ErrorCode::forked,
                              "this handle belongs to the parent of this forked process: open a Node and join again");
    return forked;
  }
  static const Error closed(
      ErrorCode::closed,
      "the handle is empty: its publisher or subscriber is closed, it was moved from, or its loan "
      "is published already");
  return closed;
}

const Error* keep(const Error& error) noexcept {
  static thread_local std::optional<Error> kept;
  kept = error;
  return &*kept;
}

Error caught() noexcept try {
  try {
    throw;
  } catch (const std::bad_alloc&) {
    return out_of_memory;
  } catch (const std::exception& thrown) {
    return {ErrorCode::internal, std::string("an unexpected exception: ") + thrown.what()};
  } catch (...) {
    return {ErrorCode::internal, "an unexpected exception of unknown type"};
  }
} catch (const std::bad_alloc&) {
  return out_of_memory;
}

const Capabilities& capabilities_of(const Port* port) noexcept {
  static constexpr Capabilities none{};
  return port == nullptr ? none : port->capabilities();
}

}  // namespace weir::spi
