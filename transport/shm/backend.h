// The backend shm: URIs shm://topic and shm:///absolute/path.
#pragma once

#include <memory>

#include "transport/backend.h"

namespace weir::shm {

// What it promises.
[[nodiscard]] const Capabilities& promised() noexcept;

// Makes the backend, for Node::open; the library //transport/shm also registers it by itself.
[[nodiscard]] std::shared_ptr<spi::Backend> make_backend();

}  // namespace weir::shm
