#include "examples/quickstart/cast.h"

#include <algorithm>
#include <chrono>

namespace quickstart {

Cast cast_for(const Options& options, int source, const Measures& measures) {
  Task common;
  common.uri = options.uri;
  common.source = source;

  Cast cast{.publisher = common, .lossless = common, .slow = common, .again = {}, .late = common};
  cast.publisher.role = Role::publisher;
  cast.publisher.name = "publisher";
  cast.publisher.depth = std::max({measures.lossless_depth, measures.slow_depth, measures.late_depth});
  cast.publisher.history = measures.history;
  cast.publisher.seed = options.seed;
  cast.publisher.pace = options.pace;

  cast.lossless.name = "lossless";
  cast.lossless.depth = measures.lossless_depth;
  cast.lossless.whole_file = true;

  cast.slow.name = "slow";
  cast.slow.policy = measures.slow_policy;
  cast.slow.depth = measures.slow_depth;
  // Slower than the stream, also one that is slowed down: that has a thousand messages or so.
  cast.slow.pause = std::max(std::chrono::milliseconds(3), options.pace / 100);

  cast.again = cast.slow;
  cast.again.name = "slow again";

  cast.late.name = "late";
  cast.late.depth = measures.late_depth;
  cast.late.history = measures.history;
  return cast;
}

}  // namespace quickstart
