#include "examples/quickstart/inspector.h"

#include <cstring>
#include <vector>

#include <gtest/gtest.h>

#include "examples/quickstart/crc32.h"
#include "examples/quickstart/message.h"
#include "examples/quickstart/test_file.h"

namespace quickstart {
namespace {

// A file, cut into messages that can be spoilt before an inspector sees them.
class InspectorTest : public testing::Test {
 protected:
  struct Message {
    std::uint64_t lost_before = 0;
    Place place{};
    std::vector<std::byte> payload;
  };

  InspectorTest() {
    Cutter cutter(bytes_.size(), 1);
    while (const auto place = cutter.next()) {
      const auto begin = bytes_.begin() + static_cast<std::ptrdiff_t>(place->offset);
      messages_.push_back(
          {.place = *place, .payload = std::vector(begin, begin + static_cast<std::ptrdiff_t>(place->size))});
    }
  }

  // The account of an inspector that sees the messages whose numbers are given, each with its own number as sequence.
  Account inspect(std::size_t from, std::size_t to) {
    Inspector inspector(file_, true);
    for (std::size_t number = from; number < to; ++number) {
      enter(inspector, messages_[number], number);
    }
    at_end_ = inspector.at_end();
    return inspector.account();
  }

  static void enter(Inspector& inspector, const Message& message, std::uint64_t sequence) {
    std::array<std::byte, sizeof(Place)> header;
    std::memcpy(header.data(), &message.place, sizeof(Place));
    ASSERT_TRUE(inspector.inspect(
        {.sequence = sequence, .lost_before = message.lost_before, .header = header, .payload = message.payload}));
  }

  std::vector<std::byte> bytes_ = noise(100'000);
  Source file_ = file_of(bytes_);
  std::vector<Message> messages_;
  bool at_end_ = false;
};

TEST_F(InspectorTest, AllMessagesMakeTheWholeFile) {
  const Account account = inspect(0, messages_.size());
  EXPECT_EQ(account.messages, messages_.size());
  EXPECT_EQ(account.bytes, bytes_.size());
  EXPECT_EQ(account.next, messages_.size());
  EXPECT_EQ(account.lost + account.first + account.different + account.disordered, 0U);
  EXPECT_EQ(account.checksum, crc32(bytes_));
  EXPECT_TRUE(at_end_);
}

TEST_F(InspectorTest, TheEndHasComeOnlyWithTheLastByte) {
  (void)inspect(0, messages_.size() - 1);
  EXPECT_FALSE(at_end_);
}

TEST_F(InspectorTest, LossBeforeTheFirstBelongsToTheAccount) {
  messages_[5].lost_before = 3;
  const Account account = inspect(5, 10);
  EXPECT_EQ(account.first, 2U);
  EXPECT_EQ(account.lost, 3U);
  EXPECT_EQ(account.messages, 5U);
  EXPECT_EQ(account.next, 10U);
  EXPECT_EQ(account.different + account.disordered, 0U);
}

TEST_F(InspectorTest, AFlippedBitIsADifference) {
  messages_[7].payload.back() ^= std::byte{1};
  EXPECT_EQ(inspect(0, 20).different, 1U);
}

TEST_F(InspectorTest, AMessageCutShortIsADifference) {
  messages_[7].payload.pop_back();
  EXPECT_EQ(inspect(0, 8).different, 1U);
}

TEST_F(InspectorTest, AHeaderOfAnotherMessageIsADifference) {
  messages_[7].place = messages_[6].place;
  EXPECT_EQ(inspect(0, 8).different, 1U);
}

TEST_F(InspectorTest, AHeaderThatLeavesTheFileIsADifference) {
  messages_[7].place.offset = ~0ULL - 1;
  EXPECT_EQ(inspect(7, 8).different, 1U);
  messages_[7].place.offset = bytes_.size();
  EXPECT_EQ(inspect(7, 8).different, 1U);
}

TEST_F(InspectorTest, NoHeaderIsADifference) {
  Inspector inspector(file_, false);
  ASSERT_TRUE(inspector.inspect({.sequence = 0, .lost_before = 0, .header = {}, .payload = messages_[0].payload}));
  EXPECT_EQ(inspector.account().different, 1U);
}

TEST_F(InspectorTest, ASilentGapIsDisorder) {
  Inspector inspector(file_, false);
  enter(inspector, messages_[0], 0);
  enter(inspector, messages_[2], 2);
  EXPECT_EQ(inspector.account().disordered, 1U);
}

TEST_F(InspectorTest, ARepetitionIsDisorder) {
  Inspector inspector(file_, false);
  enter(inspector, messages_[0], 0);
  enter(inspector, messages_[1], 1);
  enter(inspector, messages_[1], 1);
  EXPECT_EQ(inspector.account().disordered, 1U);
}

TEST_F(InspectorTest, TooMuchAnnouncedLossIsDisorder) {
  messages_[4].lost_before = 1;
  EXPECT_EQ(inspect(3, 5).disordered, 1U);
}

TEST_F(InspectorTest, OnlyWhatCameBeforeTheFirstPauseWasThereAtOnce) {
  Inspector inspector(file_, false);
  inspector.found_nothing();  // it waits for the first
  enter(inspector, messages_[0], 0);
  enter(inspector, messages_[1], 1);
  inspector.found_nothing();
  enter(inspector, messages_[2], 2);
  EXPECT_EQ(inspector.account().at_once, 2U);
}

TEST(Crc32, IsThatOfGzip) {
  const std::string_view text = "123456789";  // the check value of the catalogue of CRCs
  const auto bytes = std::as_bytes(std::span(text));
  EXPECT_EQ(crc32(bytes), 0xCBF43926U);
  EXPECT_EQ(crc32(bytes.subspan(4), crc32(bytes.first(4))), 0xCBF43926U);
  EXPECT_EQ(crc32({}), 0U);
}

}  // namespace
}  // namespace quickstart
