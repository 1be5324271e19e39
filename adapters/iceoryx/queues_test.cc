// What a subscriber is told while its queue, or the list of queues, changes under it.
#include <string>
#include <thread>
#include <vector>

#include <fmt/format.h>

#include "adapters/iceoryx/testing/roudi_test.h"

namespace weir::iceoryx {
namespace {

class Queues : public RoudiTest {};

TEST_F(Queues, AWaitIsNoErrorWhilePublishersReplaceTheOldest) {
  Subscriber subscriber = this->subscriber("iceoryx://Full/Of/One?depth=1");
  std::vector<std::jthread> publishing;
  for (int count = 0; count < 2; ++count) {
    publishing.emplace_back(
        [publisher = this->publisher("iceoryx://Full/Of/One")](const std::stop_token& stop) mutable {
          while (!stop.stop_requested()) (void)publisher.send({});
        });
  }
  for (int taken = 0; taken < 20'000;) {
    const auto wake = subscriber.wait(after(patience));
    ASSERT_TRUE(wake) << wake.error().message();
    ASSERT_EQ(*wake, Wake::ready);
    while (must(subscriber.take(), "take")) ++taken;  // to the end: so that it sleeps
  }
}

TEST_F(Queues, ASubscriberInThePlaceOfOthersIsToldOfNoLossBeforeItsJoin) {
  for (const int others : {1, 2}) {
    const std::string topic = fmt::format("iceoryx://One/After/{}", others);
    Publisher publisher = this->publisher(topic);
    {
      std::vector<Subscriber> former;
      for (int count = 0; count < others; ++count) {
        former.push_back(this->subscriber(topic));
        must(publisher.wait_for_subscribers(1, after(patience)), "a former one");
      }
      for (int count = 0; count < 10; ++count) must(publisher.send({}), "send");
    }
    while (publisher.wait_for_subscribers(1, at_once)) std::this_thread::yield();  // until RouDi has taken them off
    Subscriber newcomer = this->subscriber(topic);
    must(publisher.wait_for_subscribers(1, after(patience)), "the newcomer");
    must(publisher.send({}), "send");
    EXPECT_EQ(next(newcomer).lost_before(), 0U) << "in the place of " << others;
  }
}

}  // namespace
}  // namespace weir::iceoryx
