// The main() of every judge, which is also the program of each of its tests and of their peers.
#include "conformance/harness/performer.h"
#include "conformance/judge/judge.h"
#include "conformance/judge/test_process.h"

int main(int argc, char** argv) {
  if (weir::conformance::peer_main(argc, argv)) return 0;
  if (const int status = weir::conformance::test_main(argc, argv); status >= 0) return status;
  return weir::conformance::judge_main(argc, argv);
}
