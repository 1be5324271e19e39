// iceoryx://Service/Instance/Event: existing iceoryx 2.0 applications as peers. docs/iceoryx.md is its page.
//
//   auto publisher = node.publisher("iceoryx://Radar/FrontLeft/Object");
//   auto subscriber = node.subscriber("iceoryx://Radar/FrontLeft/Object?depth=8&roudi=spawn");
//
// Options of its own: roudi=attach (the default) or spawn. Thread-safe.
#pragma once

#include <memory>

#include "transport/backend.h"

namespace weir::iceoryx {

[[nodiscard]] std::shared_ptr<spi::Backend> make_backend();

}  // namespace weir::iceoryx
