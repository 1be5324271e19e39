#include "conformance/performance/peers/boost_queue.h"

#include "conformance/performance/starters/starter.h"

// Its queue has no name, so it exchanges messages with itself only.
int main(int count, char** arguments) {
  using namespace weir::performance;
  return starter_main(count, arguments, [](const Task& task, const std::string& /*name*/) {
    return std::make_shared<const BoostQueue>(task);
  });
}
