#include "conformance/performance/peers/shm_concrete.h"

#include <memory>

#include "conformance/performance/loads/crew_for.h"
#include "conformance/performance/peers/weir_options.h"

namespace weir::performance {
namespace {

constexpr Abilities abilities{
    .spins = true, .blocks = true, .streams = true, .fans_out = true, .fans_in = true, .drops = true, .most = 64};

// A topic of its own for each round.
std::shared_ptr<const ShmConcrete> make(const Task& task) {
  static int topics = 0;
  return std::make_shared<const ShmConcrete>(fmt::format("shm://concrete/{}/", ++topics), weir_options(task, true));
}

const bool added = add_peer({.name = "shm concrete",
                             .kind = Kind::weir,
                             .rank = 9,
                             .what = "weir, shm:// compiled into the program (SmallPublisher, SmallSubscriber)",
                             .abilities = abilities,
                             .crew = crews_by(make, abilities)});

}  // namespace
}  // namespace weir::performance
