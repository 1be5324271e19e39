// Results and sentences that cannot be written, or that nobody reads.
#include <filesystem>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "tools/weir/test_program.h"
#include "transport/node.h"

namespace weir::tool::testing {
namespace {

using ::testing::HasSubstr;
using Json = nlohmann::json;

class Streams : public ::testing::Test {
 protected:
  Node node_ = std::move(Node::open().value());
  PrivateRoot root_;
};

// Runs a command line of the shell, with $1 as given.
Outcome run_shell(const std::string& line, const std::string& word = {}) {
  Program shell({"-c", line, "sh", word}, {}, "sh");
  const int status = shell.end();
  return {.status = status, .output = shell.output(), .errors = shell.errors()};
}

TEST_F(Streams, SentencesThatCannotBeWrittenStopNoCommand) {
  auto publisher = node_.publisher("shm://camera?history=1").value();
  ASSERT_TRUE(publisher.send({}));
  const std::string path = root_.path() + "/recording";
  for (const char* errors : {"/dev/full", "&-"}) {
    std::filesystem::remove(path);
    const std::string line = "exec tools/weir/weir record 'camera?history=1' -n 1 -o \"$1\" 2>";
    EXPECT_EQ(run_shell(line + errors, path).status, 0) << errors;
    const Json described = Json::parse(run({"replay", path, "--describe", "--json"}).output);
    EXPECT_EQ(described["complete"], true) << errors;
    EXPECT_EQ(described["messages"], 1) << errors;
  }
  EXPECT_EQ(run_shell("exec tools/weir/weir info none 2>/dev/full").status, 3) << "nor do they change the exit code";
}

// The file would be descriptor 1 or 2, and what the program says part of it.
TEST_F(Streams, ClosedOnesAreNotTakenForWhatIsOpenedNext) {
  auto publisher = node_.publisher("shm://camera?history=1").value();
  ASSERT_TRUE(publisher.send({}));
  const std::string path = root_.path() + "/recording";
  const Outcome outcome = run_shell("exec tools/weir/weir record 'camera?history=1' -n 1 -o \"$1\" <&- >&- 2>&-", path);
  EXPECT_EQ(outcome.status, 0);
  EXPECT_EQ(run({"replay", path, "--fast"}).status, 0);
}

TEST_F(Streams, ResultsThatCannotBeWrittenAreAnError) {
  const Outcome document = run_shell("exec tools/weir/weir list --json >/dev/full");
  EXPECT_EQ(document.status, 6);
  EXPECT_THAT(document.errors, HasSubstr("the results could not be written: No space left on device"));
  EXPECT_EQ(run_shell("exec tools/weir/weir --help >/dev/full").status, 6);
  auto publisher = node_.publisher("shm://camera?history=1").value();
  ASSERT_TRUE(publisher.send({}));
  EXPECT_EQ(run_shell("exec tools/weir/weir echo 'camera?history=1' --raw -n 1 >/dev/full").status, 0) << "no bytes";
  EXPECT_EQ(run_shell("exec tools/weir/weir echo 'camera?history=1' >/dev/full").status, 6);
}

TEST_F(Streams, ReaderWhoHasEnoughIsNoError) {
  // The shell that runs weir says how it ended.
  const Outcome outcome = run_shell("{ tools/weir/weir top --interval 0.01; echo $? >&2; } | head -n 1 >/dev/null");
  EXPECT_EQ(outcome.errors, "0\n");
}

TEST_F(Streams, SentencesReachATerminalWithoutControlCharacters) {
  const Outcome outcome = run({"echo", "evil\x1b[2J", "--wait", "-t", "0.001"});
  EXPECT_THAT(outcome.errors, HasSubstr("listening to shm://evil\\x1b[2J"));
  EXPECT_THAT(outcome.errors, ::testing::Not(HasSubstr("\x1b")));
}

}  // namespace
}  // namespace weir::tool::testing
