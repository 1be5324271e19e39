#include "conformance/performance/peers/raw_ring.h"

#include "conformance/performance/starters/starter.h"

// Between two processes that share nothing it cannot start; it exchanges
// messages with itself.
int main(int count, char** arguments) {
  using namespace weir::performance;
  return starter_main(count, arguments, [](const Task& task, const std::string& /*name*/) {
    return std::make_shared<const RawRing<64>>(task);
  });
}
