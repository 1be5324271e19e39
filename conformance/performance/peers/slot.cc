#include "conformance/performance/peers/slot.h"

#include "conformance/performance/loads/crew_for.h"

namespace weir::performance {
namespace {

constexpr Abilities abilities{.spins = true, .most = 64};

std::shared_ptr<const Slots> make(const Task& /*task*/) { return std::make_shared<const Slots>(); }

const bool added = add_peer({.name = "slot",
                             .kind = Kind::floor,
                             .rank = 3,
                             .what = "a word and 64 bytes in the next line, one each way: what a message in a slot "
                                     "costs without a queue",
                             .abilities = abilities,
                             .crew = crews_by(make, abilities)});

}  // namespace
}  // namespace weir::performance
