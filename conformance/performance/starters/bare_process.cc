// A process that does nothing but start: the floor of every start.
#include "conformance/performance/starters/starter.h"

int main() {
  weir::performance::starter::tell(weir::performance::wall_nanoseconds());
  weir::performance::starter::await_end();
}
