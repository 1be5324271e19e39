#include "conformance/performance/peers/cache_line.h"

#include "conformance/performance/loads/crew_for.h"

namespace weir::performance {
namespace {

constexpr Abilities abilities{.spins = true, .most = 64};

template <CacheLine::Lines lines>
std::shared_ptr<const CacheLine> make(const Task& /*task*/) {
  return std::make_shared<const CacheLine>(lines);
}

const bool one_each_way = add_peer({.name = "cache line",
                                    .kind = Kind::floor,
                                    .rank = 0,
                                    .what = "a line each way, without payload: what a queue with nothing in "
                                            "it would be",
                                    .abilities = abilities,
                                    .crew = crews_by(make<CacheLine::Lines::one_each_way>, abilities)});
const bool one_for_both_ways = add_peer({.name = "one cache line",
                                         .kind = Kind::floor,
                                         .rank = 1,
                                         .what = "a line that both write in turn, which no queue can be",
                                         .abilities = abilities,
                                         .crew = crews_by(make<CacheLine::Lines::one_for_both_ways>, abilities)});

}  // namespace
}  // namespace weir::performance
