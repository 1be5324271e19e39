// What a subscriber holds stays as it is, whatever the publisher does meanwhile.
#include <atomic>
#include <thread>
#include <vector>

#include "transport/shm/test_topic.h"

namespace weir::shm::testing {
namespace {

constexpr std::uint64_t messages_past = 100'000;

struct Kind {
  std::string name;
  std::size_t size;
  std::string options;  // of the publisher
};

class HeldSamples : public ::testing::TestWithParam<Kind> {};

// Publishes them past whatever is held; only the first bytes are written, which is where an overwritten sample shows.
void publish_past(Publisher& publisher, std::size_t size) {
  constexpr std::size_t written = 256;
  for (std::uint64_t round = 0; round < messages_past; ++round) {
    Loan loan = must(publisher.loan(size));
    fill(loan.payload().first(std::min(written, size)), ~round);
    must(loan.publish());
  }
}

TEST_P(HeldSamples, AreNeverOverwritten) {
  const TopicRoot root;
  Node node = must(Node::open());
  Publisher publisher = must(node.publisher(root.uri(GetParam().options)));
  Subscriber subscriber = must(node.subscriber(root.uri("depth=8")));
  std::vector<Sample> held;
  // Some from the beginning, some from the middle, so that they are of many ages.
  for (std::uint64_t round = 0; round < 40; ++round) {
    must(send(publisher, GetParam().size, round));
    Sample sample = must(subscriber.take());
    if (round % 3 == 0) {
      held.push_back(std::move(sample));
    }
  }
  publish_past(publisher, GetParam().size);
  for (const Sample& sample : held) {
    EXPECT_TRUE(is_filled(sample.payload(), sample.sequence())) << sample.sequence();
  }
}

TEST_P(HeldSamples, OfANewcomerAreNeverOverwritten) {
  const TopicRoot root;
  Signal holding;
  Signal passed;
  Child child([&] {
    Node node = must(Node::open());
    std::vector<Sample> held;
    std::vector<Subscriber> subscribers;
    // One after the other joins a publisher that never pauses.
    for (int count = 0; count < 20; ++count) {
      subscribers.push_back(must(node.subscriber(root.uri("depth=8"))));
      held.push_back(next_sample(subscribers.back()));
    }
    std::vector<std::uint64_t> seeds;
    for (const Sample& sample : held) {
      seeds.push_back(sample.sequence());
      EXPECT_TRUE(is_filled(sample.payload(), sample.sequence())) << sample.sequence();
    }
    holding.give();
    EXPECT_TRUE(passed.await());
    for (const Sample& sample : held) {
      EXPECT_TRUE(is_filled(sample.payload(), sample.sequence())) << sample.sequence();
    }
    return true;
  });
  Node node = must(Node::open());
  Publisher publisher = must(node.publisher(root.uri(GetParam().options)));
  Subscriber witness = must(node.subscriber(root.uri()));
  std::atomic<bool> all_joined = false;
  std::thread waiting([&] {
    holding.await();
    all_joined = true;
  });
  for (std::uint64_t round = 0; !all_joined; ++round) {
    must(send(publisher, GetParam().size, round));
  }
  waiting.join();
  publish_past(publisher, GetParam().size);
  passed.give();
  EXPECT_TRUE(child.succeeded());
}

INSTANTIATE_TEST_SUITE_P(Sizes, HeldSamples,
                         ::testing::Values(Kind{"InTheSlot", 64, ""}, Kind{"Small", 200, ""},
                                           Kind{"BelowAPage", 3'000, ""}, Kind{"Large", std::size_t{1} << 18U, ""},
                                           Kind{"LargeInLittleMemory", 100'000, "memory=16MiB"},
                                           Kind{"WithHistory", 5'000, "history=100"}),
                         [](const ::testing::TestParamInfo<Kind>& kind) { return kind.param.name; });

}  // namespace
}  // namespace weir::shm::testing
