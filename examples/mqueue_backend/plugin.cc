#include "backend.h"
#include "transport/plugin_exporter.h"

std::shared_ptr<weir::spi::Backend> weir::plugin::exported_backend() { return mqueue::make_backend(); }
