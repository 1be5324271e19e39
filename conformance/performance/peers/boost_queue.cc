#include "conformance/performance/peers/boost_queue.h"

#include "conformance/performance/loads/crew_for.h"

namespace weir::performance {
namespace {

constexpr Abilities abilities{
    .spins = true, .blocks = true, .streams = true, .fans_out = true, .fans_in = true, .deepens = true};

const bool added = add_peer({.name = "Boost queue",
                             .rank = 24,
                             .what = "Boost.Interprocess message_queue, one for each receiver",
                             .abilities = abilities,
                             .crew = crews_of<BoostQueue>(abilities)});

}  // namespace
}  // namespace weir::performance
