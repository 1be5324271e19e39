// CLEAN: handles, loans and samples are destroyed in any order, and leave nothing.
#include <algorithm>
#include <array>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <gtest/gtest.h>

#include "conformance/harness/fixture.h"
#include "conformance/harness/message.h"

namespace weir::conformance {

using Cleanup = ConformanceTest;

namespace {

constexpr std::array<std::string_view, 6> parts{"node", "publisher", "subscriber", "loan", "sample", "other sample"};

// All that one user can have of a topic, each part to be destroyed by its name.
class Estate {
 public:
  Estate(const std::string& uri, const std::string& other_uri)
      : node_(std::make_unique<Node>(must(Node::open(), "opening a node"))),
        publisher_(std::make_unique<Publisher>(must(node_->publisher(uri), "opening a publisher"))),
        subscriber_(std::make_unique<Subscriber>(must(node_->subscriber(uri), "opening a subscriber"))) {
    // One sample is of the publisher here, the other of one that is gone.
    Publisher other = must(node_->publisher(other_uri), "opening a publisher");
    Subscriber reader = must(node_->subscriber(other_uri), "opening a subscriber");
    other_sample_ = pass(other, reader);
    sample_ = pass(*publisher_, *subscriber_);
    loan_ = std::make_unique<Loan>(must(publisher_->loan(size), "loan"));
    write_message(loan_->payload(), loan_->header(), identity);
  }

  void destroy(std::string_view part) {
    if (part == "node") node_.reset();
    if (part == "publisher") publisher_.reset();
    if (part == "subscriber") subscriber_.reset();
    if (part == "loan") loan_.reset();
    if (part == "sample") sample_.reset();
    if (part == "other sample") other_sample_.reset();
  }

  // What is wrong with what is left.
  [[nodiscard]] std::string fault() const {
    for (const Sample* sample : {sample_.get(), other_sample_.get()}) {
      if (sample != nullptr && read_message(sample->payload(), sample->header(), identity).faults != 0) {
        return "a sample has changed";
      }
    }
    if (loan_ == nullptr) return {};
    if (read_message(loan_->payload(), loan_->header(), identity).faults != 0) return "a loan has changed";
    if (publisher_ != nullptr) return {};
    const auto published = loan_->publish();
    if (published) return "the loan of a publisher that is gone was published";
    if (published.error().code() != ErrorCode::closed) {
      return fmt::format("a publish for a publisher that is gone returned {}", to_string(published.error().code()));
    }
    return {};
  }

 private:
  static constexpr std::size_t size = 5000;
  static constexpr MessageIdentity identity{.publisher = 7, .number = 7};

  static std::unique_ptr<Sample> pass(Publisher& publisher, Subscriber& subscriber) {
    must(publisher.wait_for_subscribers(1, never), "wait_for_subscribers");
    Loan loan = must(publisher.loan(size), "loan");
    write_message(loan.payload(), loan.header(), identity);
    must(loan.publish(), "publish");
    return std::make_unique<Sample>(must_take(subscriber));
  }

  std::unique_ptr<Node> node_;
  std::unique_ptr<Publisher> publisher_;
  std::unique_ptr<Subscriber> subscriber_;
  std::unique_ptr<Loan> loan_;
  std::unique_ptr<Sample> sample_;
  std::unique_ptr<Sample> other_sample_;
};

}  // namespace

CONFORMANCE_TEST(Cleanup, DestructionInAnyOrderLeavesNothing, "CLEAN-6", "CLEAN-1") {
  std::array<std::string_view, parts.size()> order = parts;
  std::sort(order.begin(), order.end());
  constexpr int orders = 2 * 3 * 4 * 5 * 6;
  static_assert(parts.size() == 6);
  const int chosen = chosen_rounds(orders);
  const int step = (orders + chosen - 1) / chosen;
  int number = 0;
  do {
    if (number++ % step != 0) continue;
    Estate estate(uri("topic"), uri("other"));
    for (const std::string_view part : order) {
      estate.destroy(part);
      ASSERT_EQ(estate.fault(), "") << "after " << part << " of " << fmt::format("{}", fmt::join(order, ", "));
    }
    ASSERT_EQ(entries_after_visit(), entries_of_nobody()) << fmt::format("{}", fmt::join(order, ", "));
  } while (std::next_permutation(order.begin(), order.end()));
}

CONFORMANCE_TEST(Cleanup, AnAssignedHandleLeavesItsTopic, "CLEAN-6", "CLEAN-1") {
  Publisher publisher = this->publisher(uri("first"));
  Subscriber subscriber = this->subscriber(uri("first"));
  publisher = this->publisher(uri("second"));
  subscriber = this->subscriber(uri("second"));
  const auto with_both = entries_after_visit();
  Publisher moved_publisher = std::move(publisher);
  Subscriber moved_subscriber = std::move(subscriber);
  EXPECT_EQ(entries_after_visit(), with_both) << "a handle that is moved stays on its topic";
  EXPECT_EQ(must(moved_publisher.wait_for_subscribers(1, at_once).map([] { return true; }), "wait"), true);
  {
    const Publisher gone = std::move(moved_publisher);
    const Subscriber gone_too = std::move(moved_subscriber);
  }
  EXPECT_EQ(entries_after_visit(), entries_of_nobody());
}

}  // namespace weir::conformance
