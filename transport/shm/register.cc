// Makes the backend known to every Node of a program that links this library.
#include "transport/backend.h"
#include "transport/shm/backend.h"

namespace {
const weir::spi::Registration registration(weir::shm::make_backend);
}  // namespace
