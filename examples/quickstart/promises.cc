#include "examples/quickstart/promises.h"

#include <algorithm>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "examples/quickstart/message.h"

namespace quickstart {

weir::Result<Measures> measures_for(std::string_view uri, const weir::Capabilities& promised) {
  std::vector<std::string_view> missing;
  const auto need = [&missing](bool there, std::string_view promise) {
    if (!there) {
      missing.push_back(promise);
    }
  };
  need(promised.across_processes, "across_processes (each peer here is a process)");
  need(promised.user_header && promised.max_header >= sizeof(Place), "user_header (it says where a message belongs)");
  need(promised.sequence, "sequence (samples are counted by it)");
  need(promised.exact_loss, "exact_loss (received and lost must add up)");
  need(promised.lossless_block, "lossless_block (one subscriber must get the whole file)");
  need(promised.drop_oldest || promised.drop_newest, "drop_oldest or drop_newest (a slow subscriber must harm nobody)");
  need(promised.membership != weir::MembershipView::none, "membership (the publisher waits for its subscribers)");
  if (!missing.empty()) {
    return weir::failure(
        weir::ErrorCode::unsupported,
        fmt::format("endpoint \"{}\": its backend does not promise what the quickstart needs: {}. Choose "
                    "another backend, such as shm://",
                    uri, fmt::join(missing, ", ")));
  }
  Measures measures;
  if (!promised.drop_oldest) {
    measures.slow_policy = weir::SlowPolicy::drop_newest;
  }
  for (std::uint64_t* depth : {&measures.slow_depth, &measures.lossless_depth, &measures.late_depth}) {
    *depth = std::min(*depth, promised.max_depth);
  }
  measures.history = std::min({measures.history, promised.max_history, measures.late_depth});
  return measures;
}

}  // namespace quickstart
