// Linked in as a whole (alwayslink), so that every Node finds the backend.
#include "adapters/iceoryx/backend.h"

namespace {

const weir::spi::Registration registration(weir::iceoryx::make_backend);

}  // namespace
