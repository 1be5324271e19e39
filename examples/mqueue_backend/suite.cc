// Joins the backend with weir's suite.
#include "backend.h"
#include "conformance/conformance.h"

namespace {
const weir::spi::Registration registration(mqueue::make_backend);
}

weir::conformance::BackendUnderTest weir::conformance::backend_under_test() {
  using enum Deviation::Kind;
  const std::string full =
      "while a subscriber is stopped, or gets no processor for 200 ms, its queue of 10 fills, and the newest go";
  return {.name = "mq",
          .endpoint = "mq://{topic}?root={root}",
          .deviations = {
              {"CRASH-9", may, full, {}, "ADroppingSubscriberStoppedAtAnyMomentHarmsNobodyAndLosesExactly"},
              {"CRASH-23", may, full, {}, "WhoeverIsKilledAtASystemCallOfItsJoinHarmsNobody"},
              {"MIX-2", may, full, {}, "HistoriesOfManyPeersAreSound"},
          }};
}
