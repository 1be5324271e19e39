#include "conformance/performance/peers/bare_memory.h"

#include "conformance/performance/loads/crew_for.h"

namespace weir::performance {
namespace {

constexpr Abilities abilities{.spins = true};

template <BareMemory::Way way>
std::shared_ptr<const BareMemory> make(const Task& task) {
  return std::make_shared<const BareMemory>(task, way);
}

const bool in_place = add_peer({.name = "bare memory",
                                .kind = Kind::floor,
                                .rank = 5,
                                .what = "a shared buffer and a cache line each way, filled and read in place",
                                .abilities = abilities,
                                .crew = crews_by(make<BareMemory::Way::in_place>, abilities)});
const bool copied = add_peer({.name = "memcpy",
                              .kind = Kind::floor,
                              .rank = 6,
                              .what = "the same, copied into the buffer once",
                              .abilities = abilities,
                              .crew = crews_by(make<BareMemory::Way::copied>, abilities)});

}  // namespace
}  // namespace weir::performance
