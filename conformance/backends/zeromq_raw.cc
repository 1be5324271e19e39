#include "conformance/backends/zeromq_at_rest.h"
#include "conformance/conformance.h"

namespace {
const weir::spi::Registration registration(weir::conformance::make_zeromq_at_rest);
}

weir::conformance::BackendUnderTest weir::conformance::backend_under_test() {
  return {.name = "zeromq_raw",
          .endpoint = "zmq+ipc://@{sandbox}/{topic}?alignment=4096",
          .deviations = zeromq_deviations()};
}
