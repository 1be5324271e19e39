#include "conformance/performance/peers/nng.h"

#include <memory>

#include "conformance/performance/loads/crew_for.h"
#include "conformance/performance/peers/directory.h"

namespace weir::performance {
namespace {

constexpr Abilities abilities{.blocks = true,
                              .streams = true,
                              .fans_out = true,
                              .fans_in = true,
                              .deepens = true,
                              .drops = true,
                              .has_threads = true};

std::shared_ptr<const Nng> make(const Task& task) {
  static int feeds = 0;
  return std::make_shared<const Nng>(task, fmt::format("ipc://{}/nng-{}-", socket_directory(), ++feeds));
}

const bool added = add_peer({.name = "nng ipc",
                             .rank = 23,
                             .what = "nng 1.5 over Unix sockets: pair0, push0 and pull0, pub0 and sub0",
                             .abilities = abilities,
                             .crew = crews_by(make, abilities)});

}  // namespace
}  // namespace weir::performance
