// What a durable subscriber had in hand when it died, as its successor is told. (That it is told by backends that say
// so is judged by the conformance suite; after a death at any point, by //transport/testing:kill_everywhere_test.)
#include <csignal>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "transport/shm/test_topic.h"

namespace weir::shm::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

const std::string durable = "policy=lossless&depth=16&held=4&durability=persistent&name=reader";

// Asks, without leaving properly afterwards.
enum class Asks { no, yes };

class InHandTest : public ::testing::Test {
 public:
  InHandTest(const InHandTest&) = delete;
  InHandTest& operator=(const InHandTest&) = delete;
  ~InHandTest() override {
    publisher_.reset();
    must(node_.remove(root_.uri()));
  }

 protected:
  InHandTest() : node_(must(Node::open())) {
    publisher_.emplace(must(node_.publisher(root_.uri("grant=block&depth=16&history=16"))));
    for (std::uint64_t round = 0; round < 10; ++round) {
      must(send(*publisher_, round % 2 == 0 ? 32 : 5000, round));  // in the slot, in a chunk
    }
  }

  // A process that takes so many, releases all but the last `held`, and is killed.
  void take_and_die(int taken, std::size_t held, Asks asks = Asks::no) const {
    Child child([&] {
      Subscriber subscriber = must(must(Node::open()).subscriber(root_.uri(durable + "&history=16")));
      if (asks == Asks::yes) must(subscriber.in_hand_at_death());
      std::vector<Sample> in_hand;
      for (int count = 0; count < taken; ++count) {
        in_hand.push_back(next_sample(subscriber));
        if (in_hand.size() > held) in_hand.erase(in_hand.begin());
      }
      return raise(SIGKILL) == 0;
    });
    EXPECT_FALSE(child.succeeded());
  }
  [[nodiscard]] Subscriber come_back() const { return must(node_.subscriber(root_.uri(durable + "&history=16"))); }
  [[nodiscard]] InHand sample(std::uint64_t sequence) const {
    return {.publisher = publisher_->id(), .sequence = sequence};
  }

  const TopicRoot root_;
  mutable Node node_;
  std::optional<Publisher> publisher_;
};

TEST_F(InHandTest, IsWhatWasTakenAndNotReleasedAndDoesNotComeAgain) {
  take_and_die(5, 3);
  Subscriber subscriber = come_back();
  EXPECT_THAT(must(subscriber.in_hand_at_death()), ElementsAre(sample(2), sample(3), sample(4)));
  EXPECT_THAT(must(subscriber.in_hand_at_death()), ElementsAre(sample(2), sample(3), sample(4))) << "asked again";
  EXPECT_EQ(next_sample(subscriber).sequence(), 5U);
}

TEST_F(InHandTest, IsNothingAfterAProperLeaveOrWhenAllWasReleased) {
  take_and_die(5, 0);
  {
    Subscriber subscriber = come_back();
    EXPECT_THAT(must(subscriber.in_hand_at_death()), IsEmpty());
    const Sample held = next_sample(subscriber);
    { const Subscriber left = std::move(subscriber); }
  }
  EXPECT_THAT(must(come_back().in_hand_at_death()), IsEmpty());
  Subscriber passing = must(node_.subscriber(root_.uri()));
  EXPECT_THAT(must(passing.in_hand_at_death()), IsEmpty());
}

TEST_F(InHandTest, IsKeptForWhoAsksThroughFurtherDeathsAndToldOnce) {
  take_and_die(2, 2);
  take_and_die(1, 1);
  take_and_die(0, 0);
  EXPECT_THAT(must(come_back().in_hand_at_death()), ElementsAre(sample(0), sample(1), sample(2)));
  EXPECT_THAT(must(come_back().in_hand_at_death()), IsEmpty());
  take_and_die(1, 1);
  take_and_die(0, 0, Asks::yes);
  EXPECT_THAT(must(come_back().in_hand_at_death()), IsEmpty()) << "was told to one that died";
}

TEST_F(InHandTest, NamesTheSamplesOfPublishersThatAreGone) {
  take_and_die(10, 2);
  const InHand eighth = sample(8);
  const InHand ninth = sample(9);
  publisher_.reset();
  EXPECT_THAT(must(come_back().in_hand_at_death()), ElementsAre(eighth, ninth));
}

}  // namespace
}  // namespace weir::shm::testing
