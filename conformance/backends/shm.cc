#include "conformance/conformance.h"

weir::conformance::BackendUnderTest weir::conformance::backend_under_test() {
  return {.name = "shm", .endpoint = "shm://{topic}?root={root}"};
}
