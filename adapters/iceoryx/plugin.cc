// The backend as a plug-in: libweir_iceoryx.so, which an installed weir loads when a URI asks for it.
#include "adapters/iceoryx/backend.h"
#include "transport/plugin_exporter.h"

std::shared_ptr<weir::spi::Backend> weir::plugin::exported_backend() { return iceoryx::make_backend(); }
