// The main() of every test program of the suite, which is also the program of every peer process.
#include <gtest/gtest.h>

#include "conformance/conformance.h"
#include "conformance/harness/judgement.h"
#include "conformance/harness/performer.h"

int main(int argc, char** argv) {
  if (weir::conformance::peer_main(argc, argv)) return 0;
  ::testing::InitGoogleTest(&argc, argv);
  // Owned by GoogleTest.
  auto* writer = new weir::conformance::VerdictWriter(weir::conformance::backend_under_test().name);
  weir::conformance::verdict_writer() = writer;
  ::testing::UnitTest::GetInstance()->listeners().Append(writer);
  return RUN_ALL_TESTS();
}
