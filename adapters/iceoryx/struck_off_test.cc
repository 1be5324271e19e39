// RouDi takes a process for dead that is not.
#include <signal.h>
#include <unistd.h>

#include "adapters/iceoryx/testing/program.h"
#include "adapters/iceoryx/testing/roudi_test.h"

namespace weir::iceoryx {
namespace {

class StruckOff : public RoudiTest {
 protected:
  bool monitors() const override { return true; }
};

TEST_F(StruckOff, AProcessIsToldAndEndsProperly) {
  Publisher publisher = this->publisher("iceoryx://Life/Of/Stopped");
  Program stopped("adapters/iceoryx/peer", {"subscribe", "iceoryx://Life/Of/Stopped"});
  stopped.expect("ready");
  must(publisher.wait_for_subscribers(1, after(patience)), "subscriber");
  stopped.signal(SIGSTOP);
  while (publisher.wait_for_subscribers(1, at_once)) ::usleep(10'000);  // until RouDi has struck it off
  stopped.signal(SIGCONT);
  stopped.expect("ended with unavailable");
  EXPECT_EQ(stopped.ending(), "");
  must(publisher.send({}), "send");
}

}  // namespace
}  // namespace weir::iceoryx
