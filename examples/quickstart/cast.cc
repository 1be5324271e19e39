#include "examples/quickstart/cast.h"

#include <algorithm>
#include <chrono>

namespace quickstart {

Cast cast_for(const std::string& uri, int source, std::uint64_t seed, const Measures& measures) {
  Task common;
  common.uri = uri;
  common.source = source;

  Cast cast{.publisher = common, .lossless = common, .slow = common, .again = {}, .late = common};
  cast.publisher.role = Role::publisher;
  cast.publisher.name = "publisher";
  cast.publisher.depth = std::max({measures.lossless_depth, measures.slow_depth, measures.late_depth});
  cast.publisher.history = measures.history;
  cast.publisher.seed = seed;

  cast.lossless.name = "lossless";
  cast.lossless.depth = measures.lossless_depth;
  cast.lossless.whole_file = true;

  cast.slow.name = "slow";
  cast.slow.policy = measures.slow_policy;
  cast.slow.depth = measures.slow_depth;
  cast.slow.pause = std::chrono::milliseconds(3);

  cast.again = cast.slow;
  cast.again.name = "slow again";

  cast.late.name = "late";
  cast.late.depth = measures.late_depth;
  cast.late.history = measures.history;
  return cast;
}

}  // namespace quickstart
