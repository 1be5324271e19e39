// inproc://, the oracle: it must keep every requirement that it promises.
#include "conformance/conformance.h"

weir::conformance::BackendUnderTest weir::conformance::backend_under_test() {
  // All sandboxes of a process share its topics.
  return {.name = "inproc", .endpoint = "inproc://{sandbox}/{topic}"};
}
