// main() of tests that start a RouDi. A machine that does not allow private mounts fails them, loudly.
#include <cstdio>

#include <gtest/gtest.h>

#include "adapters/iceoryx/testing/private_mounts.h"

int main(int argc, char** argv) {
  ::testing::InitGoogleTest(&argc, argv);
  if (const std::string reason = weir::iceoryx::enter_private_mounts(); !reason.empty()) {
    std::fprintf(stderr, "this machine does not allow a test to have a RouDi of its own: %s\n", reason.c_str());
    return 1;
  }
  return RUN_ALL_TESTS();
}
