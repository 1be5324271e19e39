// Wild writes into mapped memory, by a process that has gone mad: each a clear error, once, and never a crash, a hang
// or a wake-up without end.
#include <fcntl.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <string_view>

#include "transport/shm/file.h"
#include "transport/shm/layout.h"
#include "transport/shm/ring.h"
#include "transport/shm/test_topic.h"

namespace weir::shm::testing {
namespace {

void expect_corrupt(const Error& error, std::initializer_list<std::string_view> words) {
  EXPECT_EQ(error.code(), ErrorCode::corrupt) << error.message();
  for (const std::string_view word : words) {
    EXPECT_NE(error.message().find(word), std::string::npos) << "no \"" << word << "\" in: " << error.message();
  }
}

class OverwrittenMemory : public ::testing::Test {
 protected:
  // In the segment of the only publisher.
  void overwrite(std::size_t offset, std::uint64_t value) const {
    const File file = must(open_file(AT_FDCWD, root_.directory() / root_.segment(Role::publisher), O_RDWR, "spoiling"));
    ASSERT_EQ(pwrite(file.get(), &value, sizeof(value), static_cast<off_t>(offset)), sizeof(value));
  }
  [[nodiscard]] static constexpr std::size_t slot(std::size_t index) { return slots_offset + index * sizeof(Slot); }

  // Of a durable publisher that has left five samples.
  void expect_return_refused(std::size_t offset, std::uint64_t value, std::initializer_list<std::string_view> words) {
    const std::string keeper = root_.uri("durability=persistent&name=keeper&depth=8&history=5");
    {
      Publisher publisher = must(node_.publisher(keeper));
      for (std::uint64_t round = 0; round < 5; ++round) must(send(publisher, 64, round));
    }
    overwrite(offset, value);
    const auto refused = node_.publisher(keeper);
    EXPECT_FALSE(refused);
    if (!refused) expect_corrupt(refused.error(), words);
    must(node_.remove(root_.uri()));
  }

  const TopicRoot root_;            // NOLINT: for the bodies of the tests
  Node node_ = must(Node::open());  // NOLINT
};

TEST_F(OverwrittenMemory, PublisherThatLacksASampleAmongOthersIsReportedOnceAndLeftOut) {
  for (const bool has_descriptor : {false, true}) {
    SCOPED_TRACE(has_descriptor);
    Publisher damaged = must(node_.publisher(root_.uri("depth=64")));
    Subscriber subscriber = must(node_.subscriber(root_.uri("depth=8")));
    if (has_descriptor) must(subscriber.fd());
    for (std::uint64_t round = 0; round < 11; ++round) must(send(damaged, 64, round));
    overwrite(slot(3), 0);  // the oldest of the eight that are not too old
    EXPECT_EQ(must(subscriber.wait(at_once)), Wake::ready);
    const Result<Sample> reported = subscriber.take();
    ASSERT_FALSE(reported);
    expect_corrupt(reported.error(), {"\"camera/front\"", "lacks sample 3", "overwritten", "restart"});
    EXPECT_FALSE(must(subscriber.take()));
    EXPECT_EQ(must(subscriber.wait(at_once)), Wake::deadline);
    if (has_descriptor) {
      EXPECT_FALSE(is_readable(must(subscriber.fd()), 0));
    }
    Publisher other = must(node_.publisher(root_.uri("depth=64")));
    must(send(other, 64, 2));
    EXPECT_TRUE(is_filled(must(subscriber.take()).payload(), 2));
  }
}

TEST_F(OverwrittenMemory, PublisherWhoseMeasuresAreImpossibleIsRefusedByTheirName) {
  struct Field {
    std::size_t offset;
    std::uint64_t value;
    std::string_view name;
  };
  for (const Field& field : {Field{offsetof(PublisherHeader, depth), 0, "depth"},
                             Field{offsetof(PublisherHeader, memory), ~std::uint64_t{0}, "memory"}}) {
    const Publisher damaged = must(node_.publisher(root_.uri()));
    overwrite(field.offset, field.value);
    const auto refused = node_.subscriber(root_.uri("fit=any"));
    ASSERT_FALSE(refused) << field.name;
    expect_corrupt(refused.error(), {"\"camera/front\"", field.name, "restart"});
  }
}

TEST_F(OverwrittenMemory, DurablePublisherDoesNotComeBackToARingOfAnotherSize) {
  expect_return_refused(offsetof(PublisherHeader, slots), std::uint64_t{1} << 40U,
                        {"\"camera/front\"", "\"keeper\"", "slots", "remove the topic"});
}

TEST_F(OverwrittenMemory, DurablePublisherDoesNotComeBackToASampleThatNobodyCanHavePublished) {
  expect_return_refused(slot(3), valid_mark(RingReader::beyond_all + 3),
                        {"\"camera/front\"", "\"keeper\"", "slot 3", "remove the topic"});
}

TEST_F(OverwrittenMemory, DurablePublisherDoesNotComeBackWithoutTheFileOfASampleThoughThatIsEmpty) {
  const std::string keeper = root_.uri("durability=persistent&name=keeper&depth=4&history=4");
  {
    Publisher publisher = must(node_.publisher(keeper));
    Loan loan = must(publisher.loan(1000));
    must(loan.shrink(0));
    must(loan.publish());
  }
  ASSERT_FALSE(root_.chunk_files().empty());
  for (const std::string& name : root_.chunk_files()) std::filesystem::remove(root_.directory() / name);
  const auto refused = node_.publisher(keeper);
  ASSERT_FALSE(refused);
  expect_corrupt(refused.error(), {"\"camera/front\"", "remove the topic"});
  must(node_.remove(root_.uri()));
}

}  // namespace
}  // namespace weir::shm::testing
