#include "examples/quickstart/report.h"

#include <unistd.h>

#include <array>
#include <string>

#include <gtest/gtest.h>

namespace quickstart {
namespace {

class ReportTest : public testing::Test {
 public:
  ReportTest() { EXPECT_EQ(pipe(ends_.data()), 0); }
  ~ReportTest() override {
    close(ends_[0]);
    close_writer();
  }

 protected:
  void close_writer() {
    if (ends_[1] >= 0) {
      close(ends_[1]);
    }
    ends_[1] = -1;
  }

  std::array<int, 2> ends_{};
};

TEST_F(ReportTest, AllThatIsWrittenArrivesInOrder) {
  Reporter reporter(ends_[1]);
  reporter.joined();
  reporter.progress({.messages = 3, .bytes = 99}, true);
  reporter.event("slow died");
  reporter.done({.messages = 4, .bytes = 100});
  close_writer();

  ReportReader reader;
  while (reader.read_from(ends_[0])) {
  }
  EXPECT_EQ(reader.next()->kind, Report::Kind::joined);
  EXPECT_EQ(reader.next()->account.bytes, 99U);
  EXPECT_EQ(reader.next()->text, "slow died");
  const auto last = reader.next();
  EXPECT_EQ(last->kind, Report::Kind::done);
  EXPECT_EQ(last->account.messages, 4U);
  EXPECT_FALSE(reader.next());
}

TEST_F(ReportTest, AReportThatIsHalfReadWaitsForTheRest) {
  Reporter reporter(ends_[1]);
  reporter.failed("the disk is on fire");
  std::array<char, 4096> record;
  const ssize_t size = read(ends_[0], record.data(), record.size());
  ASSERT_GT(size, 10);
  ReportReader reader;
  ASSERT_EQ(write(ends_[1], record.data(), 10), 10);
  ASSERT_TRUE(reader.read_from(ends_[0]));
  EXPECT_FALSE(reader.next());
  ASSERT_EQ(write(ends_[1], record.data() + 10, static_cast<std::size_t>(size - 10)), size - 10);
  ASSERT_TRUE(reader.read_from(ends_[0]));
  EXPECT_EQ(reader.next()->text, "the disk is on fire");
}

TEST_F(ReportTest, ALongTextIsCutSoThatTheRecordStaysWhole) {
  Reporter reporter(ends_[1]);
  reporter.failed(std::string(100'000, 'x'));
  reporter.joined();
  close_writer();
  ReportReader reader;
  while (reader.read_from(ends_[0])) {
  }
  EXPECT_EQ(reader.next()->text, std::string(longest_text, 'x'));
  EXPECT_EQ(reader.next()->kind, Report::Kind::joined);
}

}  // namespace
}  // namespace quickstart
