// Offers a C++ backend (backend.h) as a plug-in (plugin.h). Link plugin_exporter.cc into the shared library and define
// one function:
//
//   std::shared_ptr<weir::spi::Backend> weir::plugin::exported_backend() { return std::make_shared<Theirs>(); }
//
// transport_plugin() of plugin.bzl makes the library of it.
#pragma once

#include <memory>

#include "transport/backend.h"

namespace weir::plugin {

// To be defined by the library's author. Called once for each opening of the plug-in.
[[nodiscard]] std::shared_ptr<spi::Backend> exported_backend();

}  // namespace weir::plugin
