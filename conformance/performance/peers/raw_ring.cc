#include "conformance/performance/peers/raw_ring.h"

#include "conformance/performance/loads/crew_for.h"

namespace weir::performance {
namespace {

constexpr std::size_t kibibyte = 1024;

// A ring for messages of the task's size.
Crew crew_of_size(const Task& task, const Abilities& abilities) {
  const auto ring = [&]<std::size_t size>() {
    return crew_for(std::make_shared<const RawRing<size>>(task), task, abilities);
  };
  if (task.message.size <= 64) {
    return ring.operator()<64>();
  }
  if (task.message.size <= 4 * kibibyte) {
    return ring.operator()<4 * kibibyte>();
  }
  return task.message.size <= 64 * kibibyte ? ring.operator()<64 * kibibyte>() : ring.operator()<kibibyte * kibibyte>();
}

constexpr Abilities abilities{.spins = true, .streams = true, .most = kibibyte * kibibyte};

const bool added = add_peer({.name = "raw ring",
                             .kind = Kind::floor,
                             .rank = 2,
                             .what = "one sender, one receiver, in shared memory, filled and read in place",
                             .abilities = abilities,
                             .crew = [](const Task& task) { return crew_of_size(task, abilities); }});

}  // namespace
}  // namespace weir::performance
