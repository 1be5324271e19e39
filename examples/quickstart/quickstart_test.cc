// The whole program, as a person would run it: real processes, real kills.
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <regex>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "examples/quickstart/crc32.h"
#include "examples/quickstart/test_file.h"
#include "examples/quickstart/test_program.h"

namespace quickstart {
namespace {

constexpr int interrupted = 128 + SIGINT;

// LeakSanitizer looks at a process that ends from a helper process; a kill at that moment orphans the helper.
#ifdef __SANITIZE_ADDRESS__
constexpr bool leaves_helpers = true;
#else
constexpr bool leaves_helpers = false;
#endif

class QuickstartTest : public testing::Test {
 public:
  QuickstartTest(const QuickstartTest&) = delete;
  QuickstartTest& operator=(const QuickstartTest&) = delete;
  ~QuickstartTest() override {
    const int left = reap_all();
    EXPECT_TRUE(left == 0 || leaves_helpers) << "a run has left " << left << " processes behind";
    EXPECT_EQ(root_.contents(), std::vector<std::string>()) << "a run has left files behind";
    for (const std::string& file : files_) {
      std::filesystem::remove(file);
    }
  }

 protected:
  QuickstartTest() = default;

  std::string file_of_bytes(const std::vector<std::byte>& bytes) {
    files_.push_back(fmt::format("{}/quickstart_test.{}.{}", testing::TempDir(), getpid(), files_.size()));
    std::ofstream(files_.back(), std::ios::binary)
        .write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
    return files_.back();
  }

  // A file that takes longer to stream than any test: all of it is a hole.
  std::string endless_file() {
    std::string path = file_of_bytes({});
    EXPECT_EQ(truncate(path.c_str(), off_t{1} << 40U), 0);
    return path;
  }

  PrivateRoot root_;
  std::vector<std::string> files_;
};

TEST_F(QuickstartTest, ThreeRunsAtOnceDoNotDisturbEachOther) {
  Program first({"--megabytes=20", "--seed=1"});
  Program second({"--megabytes=20", "--seed=2"});
  Program third({"--megabytes=20", "--seed=3"});
  for (Program* run : {&first, &second, &third}) {
    EXPECT_EQ(run->end(), 0) << run->output();
    EXPECT_NE(run->output().find("All of it held."), std::string::npos) << run->output();
    EXPECT_NE(run->output().find("SIGKILL to slow"), std::string::npos) << run->output();
    EXPECT_NE(run->output().find("slow died"), std::string::npos) << run->output();
  }
}

TEST_F(QuickstartTest, AFileArrivesWithItsChecksum) {
  const std::vector<std::byte> bytes = noise(3'000'000);
  Program run({"--file=" + file_of_bytes(bytes)});
  EXPECT_EQ(run.end(), 0) << run.output();
  EXPECT_NE(run.output().find(fmt::format("whole file, CRC-32 {:08x}", crc32(bytes))), std::string::npos)
      << run.output();
}

TEST_F(QuickstartTest, TheSmallestFileWillDo) {
  Program run({"--file=" + file_of_bytes(noise(1024))});
  EXPECT_EQ(run.end(), 0) << run.output();
}

TEST_F(QuickstartTest, OnATerminalThereIsABarAndATable) {
  Program run({"--megabytes=20", "--pace=0"}, Program::Output::terminal);
  EXPECT_EQ(run.end(), 0) << run.output();
  EXPECT_NE(run.output().find("\033[J"), std::string::npos) << run.output();  // drawn again in place
  EXPECT_NE(run.output().find("100 %"), std::string::npos) << run.output();
  EXPECT_NE(run.output().find("left behind  nothing"), std::string::npos) << run.output();
}

TEST_F(QuickstartTest, OnATerminalAndOnlyThereItIsSlowedDownToBeWatched) {
  for (const auto output : {Program::Output::terminal, Program::Output::pipe}) {
    Program run({"--file=" + endless_file()}, output);
    ASSERT_GT(run.pid_of("lossless"), 0);
    run.signal(SIGINT);
    EXPECT_EQ(run.end(), interrupted) << run.output();
    EXPECT_EQ(run.output().find("to last 6 s at least (--pace 0: full speed)") != std::string::npos,
              output == Program::Output::terminal)
        << run.output();
  }
}

TEST_F(QuickstartTest, AStreamLastsAtLeastAsLongAsAskedAndItsPausesAreTold) {
  Program run({"--megabytes=5", "--pace=0.3"});
  EXPECT_EQ(run.end(), 0) << run.output();
  std::smatch told;
  ASSERT_TRUE(std::regex_search(run.output(), told, std::regex(R"(, (\S+) s, \d+ MB/s with (\S+) s of pauses)")))
      << run.output();
  EXPECT_GE(std::stod(told[1]), 0.3);
  EXPECT_LE(std::stod(told[2]), std::stod(told[1]));
}

TEST_F(QuickstartTest, AtFullSpeedNoPauseIsTold) {
  Program run({"--megabytes=5", "--pace=0"}, Program::Output::terminal);
  EXPECT_EQ(run.end(), 0) << run.output();
  EXPECT_EQ(run.output().find("pause"), std::string::npos) << run.output();
}

TEST_F(QuickstartTest, ALimitOfFileSizesIsAnErrorAndNoDeath) {
  rlimit before{};
  ASSERT_EQ(getrlimit(RLIMIT_FSIZE, &before), 0);
  const rlimit limit{.rlim_cur = 1'000'000, .rlim_max = before.rlim_max};
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &limit), 0);
  Program run({"--megabytes=5"});
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &before), 0);
  EXPECT_EQ(run.end(), 1) << run.output();
  EXPECT_NE(run.output().find("after 1000000 bytes: raise ulimit -f"), std::string::npos) << run.output();
}

TEST_F(QuickstartTest, AnEmptyNameOfAFileIsRefused) {
  Program run({"--file", ""});
  EXPECT_GT(run.end(), 0);
  EXPECT_NE(run.output().find("--file: it is \"\": name a file"), std::string::npos) << run.output();
}

TEST_F(QuickstartTest, CtrlCLeavesNothingBehind) {
  Program run({"--file=" + endless_file()});
  ASSERT_GT(run.pid_of("lossless"), 0);
  run.signal_all(SIGINT);
  EXPECT_EQ(run.end(), interrupted) << run.output();
}

TEST_F(QuickstartTest, WhatIsLeftBehindIsNamed) {
  Program run({"--uri=shm://planted", "--file=" + endless_file()});
  ASSERT_GT(run.pid_of("lossless"), 0);
  const std::string planted = root_.path() + "/planted.by-a-test";
  std::ofstream(planted) << "left";
  run.signal(SIGINT);
  EXPECT_EQ(run.end(), interrupted);
  EXPECT_NE(run.output().find("left behind: " + planted), std::string::npos) << run.output();
  std::filesystem::remove(planted);
}

TEST_F(QuickstartTest, TheDeathOfTheConductorIsThatOfAll) {
  {
    Program run({"--file=" + endless_file()});
    ASSERT_GT(run.pid_of("lossless"), 0);
    run.signal(SIGKILL);
    EXPECT_EQ(run.end(), 1000 + SIGKILL);
  }
  EXPECT_EQ(reap_all(), 3);  // they die by themselves
  Program next({"--megabytes=5"});
  EXPECT_EQ(next.end(), 0) << next.output();  // and the next user of the root puts away what they had
}

TEST_F(QuickstartTest, ASubscriberThatDiesUnaskedIsAFailure) {
  Program run({"--file=" + endless_file()});
  kill(run.pid_of("lossless"), SIGKILL);
  EXPECT_EQ(run.end(), 1);
  EXPECT_NE(run.output().find("the process \"lossless\" was killed by signal 9"), std::string::npos) << run.output();
}

TEST_F(QuickstartTest, ATopicInUseIsRefused) {
  Program first({"--uri=shm://busy", "--file=" + endless_file()});
  ASSERT_GT(first.pid_of("publisher"), 0);
  Program second({"--uri=shm://busy", "--megabytes=5"});
  EXPECT_EQ(second.end(), 1);
  EXPECT_NE(second.output().find("shm://busy"), std::string::npos) << second.output();
  first.signal(SIGTERM);
  EXPECT_EQ(first.end(), interrupted);
}

TEST_F(QuickstartTest, WhatCannotWorkIsAClearError) {
  const std::vector<std::pair<std::vector<std::string>, std::string>> cases{
      {{"--uri=carrier-pigeon://topic"}, "no backend serves carrier-pigeon://"},
      {{"--uri=inproc://topic"}, "across_processes"},
      {{"--uri=shm://"}, "the topic is empty"},
      {{"--uri=shm://topic?colour=red"}, "colour"},
      {{"--file=/nonexistent"}, "/nonexistent"},
      {{"--file=/"}, "not a regular file"},
      {{"--file=" + file_of_bytes(noise(1023))}, "too few to stream"},
  };
  for (const auto& [arguments, reason] : cases) {
    std::vector<std::string> all = arguments;
    if (!arguments.front().starts_with("--file")) {
      all.emplace_back("--megabytes=1");
    }
    Program run(all);
    EXPECT_EQ(run.end(), 1) << run.output();
    EXPECT_NE(run.output().find(reason), std::string::npos) << run.output();
  }
}

}  // namespace
}  // namespace quickstart
