// Every load can be measured on every peer it is written for, and the report holds what was measured.
#include <unistd.h>

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "conformance/performance/command.h"

namespace weir::performance {
namespace {

std::string benchmark;  // the program, from the command line

class Benchmark : public ::testing::Test {
 protected:
  void SetUp() override {
    const std::string name = fmt::format("{}/benchmark-{}", ::testing::TempDir(), getpid());
    json_ = name + ".json";
    output_ = name + ".output";
  }
  void TearDown() override {
    unlink(json_.c_str());
    unlink(output_.c_str());
  }
  [[nodiscard]] Status run(const std::vector<std::string>& options) const {
    std::vector<std::string> command = {benchmark, "--json", json_};
    command.insert(command.end(), options.begin(), options.end());
    return run_command(command, output_);
  }
  std::string json_;
  std::string output_;
};

TEST_F(Benchmark, MeasuresEveryRowInEveryRound) {
  const Status done = run({"--rounds", "2", "--milliseconds", "1"});
  ASSERT_TRUE(done) << done.error().message();
  const auto report = nlohmann::json::parse(content_of(json_));
  EXPECT_FALSE(report.at("machine").get<std::string>().empty());
  EXPECT_FALSE(report.at("placement").get<std::string>().empty());
  EXPECT_GE(report.at("rows").size(), 20U);
  const std::string table = content_of(output_);
  for (const auto& row : report.at("rows")) {
    ASSERT_EQ(row.at("rounds").size(), 2U) << row;
    for (const double figure : row.at("rounds")) {
      EXPECT_GT(figure, 0) << row;
    }
    EXPECT_GT(row.at("median"), 0) << row;
    EXPECT_NE(table.find(row.at("load").get<std::string>()), std::string::npos) << row;
    EXPECT_NE(table.find(row.at("detail").get<std::string>()), std::string::npos) << row;
  }
}

TEST_F(Benchmark, MeasuresAChosenRowAndItsReferencesAlone) {
  const Status done = run({"--rounds", "1", "--milliseconds", "1", "--only", "one way, spinning: raw ring"});
  ASSERT_TRUE(done) << done.error().message();
  const auto rows = nlohmann::json::parse(content_of(json_)).at("rows");
  ASSERT_EQ(rows.size(), 3U) << rows;
  EXPECT_EQ(rows[0].at("peer"), "cache line");
  EXPECT_EQ(rows[1].at("peer"), "cache line");
  EXPECT_EQ(rows[2].at("peer"), "raw ring");
  ASSERT_EQ(rows[2].at("ratios").size(), 2U) << rows;
  EXPECT_EQ(rows[1].at("detail"), "one each way");
  EXPECT_DOUBLE_EQ(rows[2].at("ratios")[0].at("ratio"),
                   rows[2].at("median").get<double>() / rows[1].at("median").get<double>());
}

TEST_F(Benchmark, NothingThatMatchesIsAnErrorThatNamesWhatWasAskedFor) {
  const Status done = run({"--only", "no such row"});
  ASSERT_FALSE(done);
  EXPECT_NE(done.error().message().find("no such row"), std::string::npos);
  EXPECT_NE(content_of(output_).find("one way, spinning: raw ring"), std::string::npos) << "the rows there are";
}

}  // namespace
}  // namespace weir::performance

int main(int count, char** arguments) {
  ::testing::InitGoogleTest(&count, arguments);
  if (count != 2) {
    fmt::print(stderr, "usage: benchmark_test <benchmark>\n");
    return 2;
  }
  weir::performance::benchmark = arguments[1];
  return RUN_ALL_TESTS();
}
