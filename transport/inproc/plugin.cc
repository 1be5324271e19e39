// inproc:// as a plug-in: libweir_inproc.so. It has topics of its own, whatever else the process has of inproc.
#include "transport/inproc/backend.h"
#include "transport/plugin_exporter.h"

std::shared_ptr<weir::spi::Backend> weir::plugin::exported_backend() {
  return std::make_shared<inproc::InprocBackend>();
}
