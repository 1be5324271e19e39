#include "conformance/saboteurs/wrapper.h"

#include <array>
#include <string_view>

#include "transport/inproc/backend.h"
#include "transport/shm/backend.h"

namespace weir::conformance {
namespace {

constexpr std::string_view prefix = "faulty+";

}  // namespace

WrappedBackend::WrappedBackend(bool across_processes) : across_processes_(across_processes) {
  if (across_processes) {
    inner_ = shm::make_backend();
  } else {
    inner_ = std::make_shared<inproc::InprocBackend>();
  }
}

std::span<const std::string_view> WrappedBackend::schemes() const noexcept {
  static constexpr std::array<std::string_view, 1> over_inproc{"faulty+inproc"};
  static constexpr std::array<std::string_view, 1> over_shm{"faulty+shm"};
  return across_processes_ ? over_shm : over_inproc;
}

Endpoint WrappedBackend::inner_endpoint(const Endpoint& endpoint) {
  Endpoint inner = endpoint;
  inner.scheme = endpoint.scheme.substr(prefix.size());
  return inner;
}

}  // namespace weir::conformance
