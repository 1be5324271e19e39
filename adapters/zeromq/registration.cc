// Linked in as a whole (alwayslink), so that every Node finds the backend.
#include <memory>

#include "adapters/zeromq/backend.h"

namespace {

const weir::spi::Registration registration([]() -> std::shared_ptr<weir::spi::Backend> {
  return std::make_shared<weir::zeromq::ZeromqBackend>();
});

}  // namespace
