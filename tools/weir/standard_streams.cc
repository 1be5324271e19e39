#include "tools/weir/standard_streams.h"

#include <fcntl.h>
#include <unistd.h>

namespace weir::tool {

void fill_standard_streams() {
  int descriptor = 0;
  do {
    descriptor = open("/dev/null", O_RDWR);  // the lowest number that is free; stays open in programs that are started
  } while (descriptor >= 0 && descriptor <= STDERR_FILENO);
  if (descriptor >= 0) close(descriptor);
}

}  // namespace weir::tool
