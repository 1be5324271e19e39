// Every load can be measured on every peer it is written for, and the report holds what was measured.
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <filesystem>

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "adapters/iceoryx/testing/private_mounts.h"
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

// All but instructions, which a test of their own counts.
constexpr const char* loads =
    "latency,blocking,stream,fan-out,fan-in,publish-cost,many-topics,recovery,start-up,memory";

void expect_whole(const nlohmann::json& report, const std::string& table) {
  EXPECT_FALSE(report.at("machine").get<std::string>().empty());
  EXPECT_FALSE(report.at("placement").get<std::string>().empty());
  EXPECT_EQ(report.at("missing"), nlohmann::json::array()) << "packages, or rights to mount, that this machine lacks";
  for (const auto& row : report.at("rows")) {
    EXPECT_FALSE(row.contains("failure")) << row;
    ASSERT_EQ(row.at("rounds").size(), 1U) << row;
    EXPECT_GT(row.at("median"), 0) << row;
    EXPECT_NE(table.find(row.at("title").get<std::string>()), std::string::npos) << row;
    EXPECT_NE(table.find(row.at("peer").get<std::string>()), std::string::npos) << row;
  }
}

// Each load checks that every message comes once, in order and, where payloads are touched, as it was sent.
TEST_F(Benchmark, CarriesEveryLoadOnEveryPeerAndLeavesNothingBehind) {
  const Status done = run({"--rounds", "1", "--seconds", "0", "--sizes", "64", "--loads", loads});
  ASSERT_TRUE(done) << done.error().message();
  const auto report = nlohmann::json::parse(content_of(json_));
  expect_whole(report, content_of(output_));
  EXPECT_GE(report.at("rows").size(), 120U);
  EXPECT_TRUE(std::filesystem::is_empty("/dev/shm")) << *std::filesystem::directory_iterator("/dev/shm");
  EXPECT_EQ(waitpid(-1, nullptr, WNOHANG), -1) << "a process goes on";
}

TEST_F(Benchmark, CarriesLargeMessages) {
  const Status done =
      run({"--rounds", "1", "--seconds", "0", "--sizes", "1KiB,1MiB", "--loads", "latency,blocking,stream"});
  ASSERT_TRUE(done) << done.error().message();
  const auto report = nlohmann::json::parse(content_of(json_));
  EXPECT_GE(report.at("rows").size(), 40U);
  expect_whole(report, content_of(output_));
}

TEST_F(Benchmark, PageHasAPlotForEachTitleAndNeedsNothingElse) {
  const std::string page = json_ + ".html";
  const Status done = run({"--rounds", "1", "--seconds", "0.001", "--sizes", "64,4KiB", "--loads",
                           "latency,publish-cost", "--peers", "shm,pipe", "--html", page});
  const std::string text = content_of(page);
  unlink(page.c_str());
  ASSERT_TRUE(done) << done.error().message();
  const auto count = [&](const std::string& part) {
    std::size_t found = 0;
    for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) {
      ++found;
    }
    return found;
  };
  EXPECT_EQ(count("<figure>"), 5U) << "two by size, two spreads, one by number";
  EXPECT_EQ(count("<figure>"), count("</figure>"));
  EXPECT_EQ(count("http"), 0U) << "nothing from elsewhere";
  EXPECT_EQ(count("nan"), 0U);
  EXPECT_GE(count("shm"), 5U);
  EXPECT_GE(count(" to cache line</td>"), 1U) << "each ratio says to what";
  EXPECT_GE(count(" to bare memory</td>"), 1U) << "each ratio says to what";
}

TEST_F(Benchmark, MeasuresChosenRowsAndTheirFloorsAlone) {
  const Status done =
      run({"--rounds", "1", "--seconds", "0.001", "--loads", "latency", "--peers", "raw ring", "--sizes", "64"});
  ASSERT_TRUE(done) << done.error().message();
  const auto rows = nlohmann::json::parse(content_of(json_)).at("rows");
  ASSERT_EQ(rows.size(), 4U) << rows;  // untouched, and written and read
  EXPECT_EQ(rows[0].at("peer"), "cache line");
  EXPECT_EQ(rows[1].at("peer"), "raw ring");
  EXPECT_EQ(rows[1].at("floor").at("peer"), "cache line");
  EXPECT_DOUBLE_EQ(rows[1].at("floor").at("ratio"),
                   rows[1].at("median").get<double>() / rows[0].at("median").get<double>());
  EXPECT_EQ(rows[1].at("spread").back().at("part"), 1);
}

TEST_F(Benchmark, NamesThatThereAreNotAreErrorsThatSayWhichThereAre) {
  for (const auto& [option, wrong, right] :
       {std::array{"--loads", "latncy", "publish-cost"}, {"--peers", "shmem", "raw ring"}, {"--sizes", "65", "4096"}}) {
    const Status done = run({option, wrong});
    ASSERT_FALSE(done) << option;
    EXPECT_NE(content_of(output_).find(wrong), std::string::npos) << content_of(output_);
    EXPECT_NE(content_of(output_).find(right), std::string::npos) << content_of(output_);
  }
}

TEST_F(Benchmark, WhatNoPeerCarriesIsAnError) {
  const Status done = run({"--loads", "fan-in", "--sizes", "1MiB"});
  ASSERT_FALSE(done);
  EXPECT_NE(content_of(output_).find("--list"), std::string::npos) << content_of(output_);
}

}  // namespace
}  // namespace weir::performance

int main(int count, char** arguments) {
  ::testing::InitGoogleTest(&count, arguments);
  if (count != 2) {
    fmt::print(stderr, "usage: benchmark_test <benchmark>\n");
    return 2;
  }
  weir::performance::benchmark = std::filesystem::absolute(arguments[1]).string();
  // A /dev/shm of its own, where all that is left is the benchmark's; and its orphans become children of this process.
  if (const std::string reason = weir::iceoryx::enter_private_mounts(); !reason.empty()) {
    fmt::print(stderr, "INCONCLUSIVE: no mounts of its own: {}\n", reason);
    return 1;
  }
  prctl(PR_SET_CHILD_SUBREAPER, 1);
  return RUN_ALL_TESTS();
}
