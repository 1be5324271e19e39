// The backend as a plug-in: libweir_zeromq.so, which an installed weir loads when a URI asks for it.
#include "adapters/zeromq/backend.h"
#include "transport/plugin_exporter.h"

std::shared_ptr<weir::spi::Backend> weir::plugin::exported_backend() {
  return std::make_shared<zeromq::ZeromqBackend>();
}
