#include "conformance/performance/peers/iceoryx_crews.h"
#include "conformance/performance/peers/weir_options.h"
#include "conformance/performance/peers/weir_topic.h"

namespace weir::performance {
namespace {

// A thousand topics are more than iceoryx was compiled for.
constexpr Abilities abilities{.spins = true,
                              .blocks = true,
                              .streams = true,
                              .fans_out = true,
                              .broadcasts = true,
                              .fans_in = true,
                              .drops = true,
                              .recovers = true};

std::shared_ptr<const WeirTopic> make(const Task& task) {
  static int topics = 0;
  return std::make_shared<const WeirTopic>(fmt::format("iceoryx://Benchmark/{}/", ++topics), weir_options(task, false));
}

const bool added = add_peer({.name = "iceoryx://",
                             .kind = Kind::weir,
                             .rank = 16,
                             .what = "weir, iceoryx://",
                             .abilities = abilities,
                             .crew = crews_with_roudi(make, abilities),
                             .hindrance = PrivateRoudi::start});

}  // namespace
}  // namespace weir::performance
