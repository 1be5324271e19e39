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
                              .listens = true,
                              .threads = true};

std::shared_ptr<const WeirTopic> make(const Task& task) {
  return std::make_shared<const WeirTopic>("inproc://benchmark/", weir_options(task, true));
}

const bool added = add_peer({.name = "inproc",
                             .kind = Kind::weir,
                             .rank = 12,
                             .what = "weir, inproc:// between threads: the suite's oracle, "
                                     "made to be right, not fast",
                             .abilities = abilities,
                             .crew = crews_by(make, abilities)});

}  // namespace
}  // namespace weir::performance
