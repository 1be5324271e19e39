// shm:// as a plug-in: libweir_shm.so.
#include "transport/plugin_exporter.h"
#include "transport/shm/backend.h"

std::shared_ptr<weir::spi::Backend> weir::plugin::exported_backend() { return shm::make_backend(); }
