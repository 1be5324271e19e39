#include "transport/guard.h"

#include <array>
#include <exception>
#include <new>
#include <optional>
#include <string>

namespace weir::spi {

const Error& forked() noexcept {
  static const Error error(ErrorCode::forked,
                           "this handle belongs to the parent of this forked process: open a Node and join again");
  return error;
}

namespace {

const Error& out_of_memory() {
  static const Error error(ErrorCode::resource_exhausted, "the process is out of memory");
  return error;
}

const Error& closed() {
  static const Error error(ErrorCode::closed,
                           "the handle is empty: its publisher or subscriber is closed, it was moved from, or its loan "
                           "is published already");
  return error;
}

// Made beforehand: when they are needed there may be nothing left to make them of.
[[maybe_unused]] const std::array made_at_start{&out_of_memory(), &forked(), &closed()};

}  // namespace

Error unusable(const Port* port) noexcept { return port != nullptr && port->inherited() ? forked() : closed(); }

const Error* keep(const Error& error) noexcept {
  static thread_local std::optional<Error> kept;
  kept = error;
  return &*kept;
}

Error caught() noexcept try {
  try {
    throw;
  } catch (const std::bad_alloc&) {
    return out_of_memory();
  } catch (const std::exception& thrown) {
    return {ErrorCode::internal, std::string("an unexpected exception: ") + thrown.what()};
  } catch (...) {
    return {ErrorCode::internal, "an unexpected exception of unknown type"};
  }
} catch (const std::bad_alloc&) {
  return out_of_memory();
}

const Capabilities& capabilities_of(const Port* port) noexcept {
  static constexpr Capabilities none{};
  return port == nullptr ? none : port->capabilities();
}

}  // namespace weir::spi
