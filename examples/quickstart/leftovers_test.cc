#include "examples/quickstart/leftovers.h"

#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>

namespace quickstart {
namespace {

// A root of its own.
class LeftoversTest : public testing::Test {
 public:
  LeftoversTest() {
    EXPECT_NE(mkdtemp(root_.data()), nullptr);
    topic_ += root_.substr(root_.size() - 6);
    EXPECT_EQ(setenv("WEIR_ROOT", root_.c_str(), 1), 0);
  }
  ~LeftoversTest() override {
    unsetenv("WEIR_ROOT");
    std::filesystem::remove_all(root_);
  }

 protected:
  void plant(const std::string& directory, const std::string& file) const {
    std::filesystem::create_directories(std::filesystem::path(root_) / directory);
    std::ofstream(std::filesystem::path(root_) / directory / file) << "left";
  }

  std::string root_ = "/dev/shm/weir-leftovers-test.XXXXXX";
  std::string topic_ = "leftovers-test-";  // and what is the root's own: who looks for it sees all of /dev/shm
  weir::Node node_ = weir::Node::open().value();
};

TEST_F(LeftoversTest, AFileWithTheTopicsNameIsFound) {
  const auto leftovers = Leftovers::watch(node_, "shm://robot/" + topic_);
  ASSERT_TRUE(leftovers) << leftovers.error().message();
  EXPECT_TRUE(leftovers->find(node_).empty());
  plant("v1/robot%2F" + topic_, "topic");
  const auto found = leftovers->find(node_);
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0], root_ + "/v1/robot%2F" + topic_);
}

TEST_F(LeftoversTest, WhatWasThereBeforeIsNotTheRunsFault) {
  plant("other", topic_);
  const auto leftovers = Leftovers::watch(node_, "shm://" + topic_);
  ASSERT_TRUE(leftovers);
  EXPECT_TRUE(leftovers->find(node_).empty());
}

TEST_F(LeftoversTest, ATopicThatIsStillInUseIsFound) {
  const auto leftovers = Leftovers::watch(node_, "shm://" + topic_);
  ASSERT_TRUE(leftovers);
  {
    const auto subscriber = node_.subscriber("shm://" + topic_);
    ASSERT_TRUE(subscriber);
    EXPECT_FALSE(leftovers->find(node_).empty());
  }
  EXPECT_TRUE(leftovers->find(node_).empty());
}

TEST_F(LeftoversTest, ATopicInUseIsRefusedBeforehand) {
  const auto subscriber = node_.subscriber("shm://" + topic_);
  ASSERT_TRUE(subscriber);
  const auto leftovers = Leftovers::watch(node_, "shm://" + topic_);
  ASSERT_FALSE(leftovers);
  EXPECT_EQ(leftovers.error().code(), weir::ErrorCode::name_taken);
}

TEST_F(LeftoversTest, APathInUseIsRefusedBeforehand) {
  const std::string uri = "shm://" + root_ + "/leftovers-test-path";
  const auto subscriber = node_.subscriber(uri);
  ASSERT_TRUE(subscriber) << subscriber.error().message();
  const auto leftovers = Leftovers::watch(node_, uri);
  ASSERT_FALSE(leftovers);
  EXPECT_EQ(leftovers.error().code(), weir::ErrorCode::name_taken);
}

TEST_F(LeftoversTest, WhereItCannotLookItDoesNotSayThatNothingIsLeft) {
  const auto leftovers = Leftovers::watch(node_, "shm://" + topic_);
  ASSERT_TRUE(leftovers);
  plant("", "no-directory");
  ASSERT_EQ(setenv("WEIR_ROOT", (root_ + "/no-directory").c_str(), 1), 0);
  EXPECT_EQ(leftovers->find(node_).size(), 1U);
  EXPECT_FALSE(Leftovers::watch(node_, "shm://" + topic_));
}

TEST_F(LeftoversTest, AProcessIsFoundUntilItIsReaped) {
  const auto leftovers = Leftovers::watch(node_, "shm://" + topic_);
  ASSERT_TRUE(leftovers);
  const pid_t child = fork();
  if (child == 0) {
    pause();
    _exit(0);
  }
  EXPECT_EQ(leftovers->find(node_).size(), 1U);
  kill(child, SIGKILL);
  siginfo_t dead{};
  ASSERT_EQ(waitid(P_PID, static_cast<id_t>(child), &dead, WEXITED | WNOWAIT), 0);
  EXPECT_EQ(leftovers->find(node_).size(), 1U);
  ASSERT_EQ(waitpid(child, nullptr, 0), child);
  EXPECT_TRUE(leftovers->find(node_).empty());
}

}  // namespace
}  // namespace quickstart
