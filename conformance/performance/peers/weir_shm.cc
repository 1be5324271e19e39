// shm:// through the URI interface. Its concrete types are another peer: shm_concrete.h.
#include "conformance/performance/loads/crew_for.h"
#include "conformance/performance/peers/weir_options.h"
#include "conformance/performance/peers/weir_topic.h"

namespace weir::performance {
namespace {

constexpr Abilities abilities{.spins = true,
                              .blocks = true,
                              .streams = true,
                              .fans_out = true,
                              .broadcasts = true,
                              .fans_in = true,
                              .deepens = true,
                              .drops = true,
                              .recovers = true,
                              .listens = true};

// A topic of its own for each round.
std::shared_ptr<const WeirTopic> make(const Task& task) {
  static int topics = 0;
  return std::make_shared<const WeirTopic>(fmt::format("shm://benchmark/{}/", ++topics), weir_options(task, true));
}

const bool added = add_peer({.name = "shm",
                             .kind = Kind::weir,
                             .rank = 10,
                             .what = "weir, shm:// through the URI interface",
                             .abilities = abilities,
                             .crew = crews_by(make, abilities)});

}  // namespace
}  // namespace weir::performance
