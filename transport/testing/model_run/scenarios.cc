#include "transport/testing/model_run/scenarios.h"

#include <algorithm>
#include <iterator>

namespace weir::testing {

const std::vector<Scenario>& model_scenarios() {
  static const std::vector<Scenario> all = [] {
    std::vector<Scenario> scenarios;
    for (const auto family : {data_scenarios, waiting_scenarios, membership_scenarios, death_scenarios}) {
      std::vector<Scenario> some = family();
      std::move(some.begin(), some.end(), std::back_inserter(scenarios));
    }
    return scenarios;
  }();
  return all;
}

}  // namespace weir::testing
