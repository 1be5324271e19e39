// Many threads at once: what every one of them sees keeps the contract. Run under the thread sanitizer too.
#include <array>
#include <atomic>
#include <cstdint>
#include <cstring>
#include <map>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "transport/inproc/test_support.h"

namespace weir {
namespace {

using testing_support::fails;
using testing_support::must;
using testing_support::soon;

constexpr std::uint64_t samples_each = 3000;

class ConcurrencyTest : public testing_support::InprocTest {
 protected:
  static void send_numbers(Publisher& publisher) {
    for (std::uint64_t number = 0; number < samples_each; ++number) {
      Loan loan = must(publisher.loan(sizeof(number)));
      std::memcpy(loan.payload().data(), &number, sizeof(number));
      ASSERT_EQ(must(loan.publish(soon())), number);
    }
  }

  // What one subscriber has accounted for of each publisher: received or announced as lost.
  class Account {
   public:
    void add(const Sample& sample) {
      std::uint64_t number = 0;
      std::memcpy(&number, sample.payload().data(), sizeof(number));
      ASSERT_EQ(number, sample.sequence());
      auto [entry, first] = next_.emplace(sample.publisher(), 0);
      ASSERT_EQ(sample.sequence(), entry->second + sample.lost_before());
      entry->second = sample.sequence() + 1;
      lost_ += sample.lost_before();
    }
    [[nodiscard]] bool complete(std::size_t publishers) const {
      std::size_t done = 0;
      for (const auto& [publisher, next] : next_) {
        done += next == samples_each ? 1 : 0;
      }
      return done == publishers;
    }
    [[nodiscard]] std::uint64_t lost() const { return lost_; }

   private:
    std::map<PeerId, std::uint64_t> next_;
    std::uint64_t lost_ = 0;
  };
};

TEST_F(ConcurrencyTest, EverySubscriberAccountsForEverySampleOfEveryPublisher) {
  std::array<Publisher, 3> publishers{must(node.publisher("inproc://t?grant=block")),
                                      must(node.publisher("inproc://t?grant=block")),
                                      must(node.publisher("inproc://t?grant=block"))};
  std::vector<std::jthread> threads;
  for (const char* uri : {"inproc://t?policy=lossless&depth=1", "inproc://t?policy=lossless&depth=7",
                          "inproc://t?policy=drop_oldest&depth=2"}) {
    const bool lossless = std::string_view(uri).find("lossless") != std::string_view::npos;
    threads.emplace_back([lossless, subscriber = must(node.subscriber(uri))]() mutable {
      Account account;
      while (!account.complete(3)) {
        ASSERT_EQ(must(subscriber.wait(soon())), Wake::ready);
        account.add(must(subscriber.take()));
      }
      if (lossless) {
        EXPECT_EQ(account.lost(), 0U);
      }
    });
  }
  for (Publisher& publisher : publishers) {
    threads.emplace_back([&publisher] { send_numbers(publisher); });
  }
}

TEST_F(ConcurrencyTest, LateJoinersSeeNoGapAndNoDuplicateAtTheSeam) {
  Publisher publisher = must(node.publisher("inproc://t?grant=block&history=5"));
  std::atomic<bool> done = false;
  std::jthread publishing([&] {
    send_numbers(publisher);
    done = true;
  });
  int joins = 0;
  for (; joins == 0 || !done; ++joins) {
    Subscriber late = must(node.subscriber("inproc://t?policy=lossless&history=5&depth=5"));
    std::optional<std::uint64_t> expected;
    for (int count = 0; count < 8; ++count) {
      const Sample sample = must(late.take());
      if (!sample) {
        continue;
      }
      ASSERT_EQ(sample.sequence(), expected.value_or(sample.sequence()));
      ASSERT_EQ(sample.lost_before(), 0U);
      expected = sample.sequence() + 1;
    }
  }
  EXPECT_GT(joins, 0);
}

TEST_F(ConcurrencyTest, SamplesAreReleasedOnOtherThreadsWhileTheirSubscriberGoes) {
  Publisher publisher = must(node.publisher("inproc://t?memory=64KiB"));
  for (int round = 0; round < 200; ++round) {
    std::optional<Subscriber> subscriber = must(node.subscriber("inproc://t"));
    std::vector<std::jthread> releasing;
    for (int count = 0; count < 3; ++count) {
      must(publisher.send(std::vector<std::byte>(1024)));
      releasing.emplace_back([sample = must(subscriber->take())]() mutable { sample.release(); });
    }
    subscriber.reset();
  }
  must(publisher.loan(65536));
}

TEST_F(ConcurrencyTest, JoiningAndLeavingIsSafeFromAllSides) {
  std::array<std::jthread, 4> threads;
  for (std::size_t thread = 0; thread < threads.size(); ++thread) {
    threads[thread] = std::jthread([this, thread] {
      for (int round = 0; round < 300; ++round) {
        if (thread % 2 == 0) {
          Publisher publisher = must(node.publisher("inproc://t?grant=reject"));
          must(publisher.next_event());
          Result<std::uint64_t> sent = publisher.send({});
          ASSERT_TRUE(sent || fails(sent, ErrorCode::back_pressure));
        } else {
          Subscriber subscriber = must(node.subscriber("inproc://t?policy=lossless&depth=1"));
          must(subscriber.next_event());
          must(subscriber.take());
          must(node.topics("inproc://"));
        }
      }
    });
  }
}

}  // namespace
}  // namespace weir
