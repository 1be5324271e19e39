// Verdicts, table, JSON and page.
#include "conformance/report/page.h"

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "conformance/report/requirements.h"
#include "conformance/report/verdicts.h"

namespace weir::conformance {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

TestVerdict verdict(std::string test, std::vector<std::string> requirements, std::string what,
                    std::string reason = "") {
  return {.test = std::move(test),
          .requirements = std::move(requirements),
          .verdict = std::move(what),
          .reason = std::move(reason),
          .milliseconds = 12,
          .replay = "judge --only it"};
}

BackendReport example() {
  return {.backend = "theirs",
          .endpoint = "theirs://{topic}",
          .seed = 42,
          .tests = {
              verdict("Ordering.NothingComesTwice", {"ORD-2"}, "pass"),
              verdict("Ordering.Another", {"ORD-2", "ORD-1"}, "fail", "came <twice> & \"more\" </script>\nsecond line"),
              verdict("Data.X", {"DATA-5"}, "unsupported"), verdict("Data.Y", {"DATA-1"}, "pass"),
              verdict("Data.Z", {"DATA-1"}, "unsupported"), verdict("Crash.A", {"CRASH-1"}, "pass"),
              verdict("Crash.B", {"CRASH-1"}, "known deviation", "declared"),
              verdict("Wait.C", {"WAIT-1"}, "inconclusive", "ptrace is denied")}};
}

TEST(Requirements, AreReadWithTheirFamilies) {
  const auto all = read_requirements(
      "## ORD: order\n\n| id | level | requirement |\n| --- | --- | --- |\n"
      "| ORD-1 | MUST | In order. |\n## X: more\n| X-2 | SHOULD | A | b. |\n| no | row |\n");
  ASSERT_EQ(all.size(), 2U);
  EXPECT_EQ(all[0].id, "ORD-1");
  EXPECT_EQ(all[0].level, "MUST");
  EXPECT_EQ(all[0].sentence, "In order.");
  EXPECT_EQ(all[0].family, "order");
  EXPECT_EQ(all[1].family, "more");
  EXPECT_GT(requirements().size(), 100U);
}

TEST(Verdicts, TheWorstTestDecides) {
  std::map<std::string, std::string> by_id;
  for (const RequirementVerdict& each : requirements_of(example())) by_id[each.id] = each.verdict;
  EXPECT_EQ(by_id, (std::map<std::string, std::string>{{"ORD-1", "fail"},
                                                       {"ORD-2", "fail"},
                                                       {"DATA-1", "pass"},
                                                       {"DATA-5", "unsupported"},
                                                       {"CRASH-1", "known deviation"},
                                                       {"WAIT-1", "inconclusive"}}));
  EXPECT_EQ(summary_of(requirements_of(example())), "1 pass, 2 fail, 1 known deviation, 1 inconclusive, 1 unsupported");
}

TEST(Verdicts, SurviveJson) {
  const BackendReport report = example();
  const BackendReport again = report_from_json(nlohmann::json::parse(to_json(report).dump()));
  EXPECT_EQ(to_json(again), to_json(report));
  EXPECT_EQ(again.tests.at(1).reason, report.tests.at(1).reason);
  EXPECT_EQ(again.seed, 42U);
  EXPECT_THROW(static_cast<void>(report_from_json(nlohmann::json::parse("{}"))), nlohmann::json::exception);
}

TEST(Verdicts, TheTableTellsWhatFailedAndHowToReplayIt) {
  const std::string table = to_table(example());
  EXPECT_THAT(table, HasSubstr("ORD-2      MUST   fail            No sample arrives twice."));
  EXPECT_THAT(table, HasSubstr("fail: Ordering.Another: came <twice> & \"more\" </script>\n"));
  EXPECT_THAT(table, HasSubstr("replay: judge --only it"));
  EXPECT_THAT(table, Not(HasSubstr("second line")));
}

TEST(Page, HoldsEveryBackendAndRequirementThatWasJudged) {
  BackendReport other = example();
  other.backend = "others";
  other.tests.resize(1);
  const std::string page = to_page({example(), other});
  EXPECT_THAT(page, HasSubstr("aria-label=\"ORD-2 over theirs: fail\""));
  EXPECT_THAT(page, HasSubstr("aria-label=\"ORD-2 over others: pass\""));
  EXPECT_THAT(page, HasSubstr("<td data-backend=\"others\"></td>"));
  EXPECT_THAT(page, Not(HasSubstr("SLOW-1")));
}

TEST(Page, StandsAloneAndEscapesWhatTestsSay) {
  const std::string page = to_page({example()});
  EXPECT_THAT(page, Not(HasSubstr("src=")));
  EXPECT_THAT(page, Not(HasSubstr("href=")));
  EXPECT_THAT(page, Not(HasSubstr("more\\\" </script>")));
  EXPECT_THAT(page, Not(HasSubstr("<twice>")));
  const std::size_t begin = page.find("id=\"details\">") + 13;
  const auto details = nlohmann::json::parse(page.substr(begin, page.find("</script>", begin) - begin));
  EXPECT_EQ(details.size(), 6U);
  EXPECT_EQ(details.at(1).at("tests").at(1).at("reason"), example().tests.at(1).reason);
}

TEST(Page, AVerdictThatAJsonFileMadeUpIsText) {
  BackendReport report = example();
  report.tests = {verdict("Ordering.NothingComesTwice", {"ORD-2"}, "\"><img>", "a <!-- <script> comment")};
  const std::string page = to_page({report});
  EXPECT_THAT(page, HasSubstr("ORD-2 over theirs: &quot;&gt;&lt;img&gt;\""));
  EXPECT_THAT(page, Not(HasSubstr("\"><img>")));
  EXPECT_THAT(page, Not(HasSubstr("<!--")));
}

TEST(Page, PromisesAreToldInWords) { EXPECT_EQ(in_words("Ordering.NothingComesTwice"), "nothing comes twice"); }

}  // namespace
}  // namespace weir::conformance
