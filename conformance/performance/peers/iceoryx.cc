#include "conformance/performance/peers/iceoryx.h"

#include "conformance/performance/peers/iceoryx_crews.h"

namespace weir::performance {
namespace {

constexpr Abilities abilities{.spins = true,
                              .blocks = true,
                              .streams = true,
                              .fans_out = true,
                              .broadcasts = true,
                              .fans_in = true,
                              .drops = true,
                              .recovers = true};

std::shared_ptr<const Iceoryx> make(const Task& task) {
  static int instances = 0;
  return std::make_shared<const Iceoryx>(task, fmt::format("{}", ++instances));
}

const bool added = add_peer({.name = "iceoryx",
                             .rank = 22,
                             .what = "iceoryx 2.0, untyped C++ interface, WaitSet, a RouDi of its own",
                             .abilities = abilities,
                             .crew = crews_with_roudi(make, abilities),
                             .surround = surround_with_roudi,
                             .hindrance = PrivateRoudi::start});

}  // namespace
}  // namespace weir::performance
