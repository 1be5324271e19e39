#include "conformance/performance/peers/slot.h"

#include "conformance/performance/loads/crew_for.h"

namespace weir::performance {
namespace {

constexpr Abilities abilities{.spins = true, .streams = true, .most = 64};

Crew crew_of_task(const Task& task) {
  return task.load == Load::stream ? crew_for(std::make_shared<const Slots<256>>(), task, abilities)
                                   : crew_for(std::make_shared<const Slots<1>>(), task, abilities);
}

const bool added = add_peer({.name = "slot",
                             .kind = Kind::floor,
                             .rank = 3,
                             .what = "a word and 64 bytes in the next line, one each way, or a ring of them: what a "
                                     "message in a slot costs without a protocol",
                             .abilities = abilities,
                             .crew = crew_of_task});

}  // namespace
}  // namespace weir::performance
