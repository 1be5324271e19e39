#include "conformance/performance/peers/bare_futex.h"

#include "conformance/performance/loads/crew_for.h"

namespace weir::performance {
namespace {

constexpr Abilities abilities{.blocks = true, .most = 64};

const bool added = add_peer({.name = "bare futex",
                             .kind = Kind::floor,
                             .rank = 4,
                             .what = "a word each way to sleep and wake on, without payload",
                             .abilities = abilities,
                             .crew = crews_of<BareFutex>(abilities)});

}  // namespace
}  // namespace weir::performance
