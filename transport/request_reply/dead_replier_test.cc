// A replier that is killed in the middle of a request.
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <optional>

#include <gmock/gmock.h>

#include "transport/request_reply/test_fixture.h"

namespace weir::request_reply {
namespace {

using ::testing::HasSubstr;

class DeadReplier : public RequestReply {
 protected:
  // A process that echoes requests, and is killed by "die".
  void start_mortal() {
    child_ = fork();
    if (child_ != 0) return;
    Node node = must(Node::open());
    Replier replier = must(Replier::open(node, requests(), replies()));
    const auto dying = [](std::span<const std::byte> request) -> Result<std::vector<std::byte>> {
      if (text(request) == "die") raise(SIGKILL);
      return std::vector<std::byte>(request.begin(), request.end());
    };
    while (replier.serve(dying, soon())) {
    }
    _exit(1);
  }
  // Asks it to die.
  void expect_that_its_death_is_told(Requester& asking) const {
    EXPECT_EQ(text(must(asking.request(bytes("live"), soon())).payload()), "live");
    const auto lost = asking.request(bytes("die"), soon());
    ASSERT_FALSE(lost);
    EXPECT_EQ(lost.error().code(), ErrorCode::closed) << lost.error().message();
    EXPECT_THAT(lost.error().message(), HasSubstr("whether it executed the request is not known"));
    int status = 0;
    ASSERT_EQ(waitpid(child_, &status, 0), child_);
    EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
  }

 private:
  pid_t child_ = 0;
};
INSTANTIATE_TEST_SUITE_P(Over, DeadReplier, ::testing::Values("shm"),
                         [](const auto& test) { return std::string(test.param); });

TEST_P(DeadReplier, InTheMiddleOfARequestIsAnErrorAtOnceAndTheNextOneServes) {
  start_mortal();
  Requester asking = requester();
  expect_that_its_death_is_told(asking);
  Replier next = replier();
  const auto serving = serve(next, Exclaim{calls_});
  EXPECT_EQ(text(must(asking.request(bytes("again"), soon())).payload()), "again!");
}

TEST_P(DeadReplier, IsNotHiddenByOthersWhoListenToRequests) {
  start_mortal();
  const Subscriber watcher = must(node_.subscriber(requests()));
  Requester asking = requester();
  expect_that_its_death_is_told(asking);
  const auto unheard = asking.request(bytes("x"), after(30ms));
  ASSERT_FALSE(unheard);
  EXPECT_THAT(unheard.error().message(), HasSubstr("was not executed"));
}

}  // namespace
}  // namespace weir::request_reply
