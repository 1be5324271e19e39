#include "examples/quickstart/account.h"

#include <functional>
#include <string>

#include <gtest/gtest.h>

namespace quickstart {
namespace {

constexpr Stream published{.messages = 100, .bytes = 5000, .checksum = 0xfeedbeef};

// An account in order: of one that lost nothing, and of one that joined at 40 and lost some.
constexpr Account whole{.messages = 100,
                        .bytes = 5000,
                        .lost = 0,
                        .first = 0,
                        .next = 100,
                        .disordered = 0,
                        .different = 0,
                        .at_once = 1,
                        .checksum = 0xfeedbeef};
constexpr Account partial{.messages = 25,
                          .bytes = 1500,
                          .lost = 35,
                          .first = 40,
                          .next = 100,
                          .disordered = 0,
                          .different = 0,
                          .at_once = 8,
                          .checksum = 0};

Expectation of_whole() {
  Expectation expected;
  expected.lossless = true;
  expected.whole_file = true;
  expected.begins = 0;
  return expected;
}

// What is said of `account` after `change`, in one line.
std::string broken_by(Account account, const Expectation& expected, const std::function<void(Account&)>& change) {
  change(account);
  std::string all;
  for (const std::string& one : broken_promises(account, expected, published)) {
    all += one + "; ";
  }
  return all;
}

TEST(Account, AWholeFileWithoutLossBreaksNothing) {
  EXPECT_EQ(broken_by(whole, of_whole(), [](Account&) {}), "");
}

TEST(Account, AnnouncedLossBreaksNothingForWhoDrops) {
  EXPECT_EQ(broken_by(partial, {}, [](Account&) {}), "");
}

TEST(Account, OneLossThatWasNotAnnouncedIsSeen) {
  EXPECT_NE(broken_by(partial, {}, [](Account& account) { account.lost -= 1; }), "");
  EXPECT_NE(broken_by(partial, {}, [](Account& account) { account.messages -= 1; }), "");
}

TEST(Account, OneMessageTooManyIsSeen) {
  EXPECT_NE(broken_by(partial, {}, [](Account& account) { account.messages += 1; }), "");
}

TEST(Account, AnEndThatIsMissingIsSeen) {
  const auto shorten = [](Account& account) {
    account.next -= 1;
    account.lost -= 1;
  };
  EXPECT_NE(broken_by(partial, {}, shorten), "");
}

TEST(Account, OneThatWasKilledNeedsNoEndButMustAddUp) {
  Expectation killed;
  killed.to_the_end = false;
  const auto shorten = [](Account& account) {
    account.next -= 10;
    account.lost -= 10;
  };
  EXPECT_EQ(broken_by(partial, killed, shorten), "");
  EXPECT_NE(broken_by(partial, killed, [](Account& account) { account.next -= 10; }), "");
}

TEST(Account, MoreThanWasPublishedIsSeenAlsoOfOneThatWasKilled) {
  Expectation killed;
  killed.to_the_end = false;
  const auto invent = [](Account& account) {
    account.next += 1;
    account.messages += 1;
  };
  EXPECT_NE(broken_by(partial, killed, invent), "");
}

TEST(Account, DifferentBytesAreSeen) {
  EXPECT_NE(broken_by(partial, {}, [](Account& account) { account.different = 1; }), "");
  EXPECT_NE(broken_by(whole, of_whole(), [](Account& account) { account.checksum ^= 1U; }), "");
  EXPECT_NE(broken_by(whole, of_whole(), [](Account& account) { account.bytes -= 1; }), "");
}

TEST(Account, DisorderIsSeen) {
  EXPECT_NE(broken_by(partial, {}, [](Account& account) { account.disordered = 1; }), "");
}

TEST(Account, AnnouncedLossIsTooMuchForALosslessOne) {
  const auto lose = [](Account& account) {
    account.messages -= 1;
    account.lost += 1;
  };
  Expectation expected;
  EXPECT_EQ(broken_by(partial, expected, lose), "");
  expected.lossless = true;
  EXPECT_NE(broken_by(partial, expected, lose), "");
}

TEST(Account, ABeginningThatIsMissingIsSeenOfWhoWasThereFromTheStart) {
  const auto begin_late = [](Account& account) {
    account.first = 1;
    account.messages -= 1;
  };
  Expectation expected;
  EXPECT_EQ(broken_by(whole, expected, begin_late), "");
  expected.begins = 0;
  EXPECT_NE(broken_by(whole, expected, begin_late), "");
}

TEST(Account, HistoryMustBeThereAtOnceAndBeTheNewest) {
  Expectation expected;
  expected.history = 8;
  expected.begins_at_the_earliest = 40;
  EXPECT_EQ(broken_by(partial, expected, [](Account&) {}), "");
  EXPECT_NE(broken_by(partial, expected, [](Account& account) { account.at_once = 7; }), "");
  const auto begin_early = [](Account& account) {
    account.first -= 1;
    account.messages += 1;
  };
  EXPECT_NE(broken_by(partial, expected, begin_early), "");
}

TEST(Account, NothingReceivedIsNothingProved) {
  EXPECT_NE(broken_by({}, {}, [](Account&) {}), "");
}

}  // namespace
}  // namespace quickstart
