#include "examples/quickstart/command_line.h"

#include <gtest/gtest.h>

namespace quickstart {
namespace {

TEST(CommandLine, ATaskSurvivesIt) {
  Task task;
  task.role = Role::publisher;
  task.name = "slow again";
  task.uri = "shm://a b/c?root=/dev/shm/x&depth=3";
  task.policy = weir::SlowPolicy::drop_oldest;
  task.depth = 17;
  task.history = 5;
  task.pause = std::chrono::milliseconds(7);
  task.whole_file = true;
  task.seed = ~0ULL;
  task.pace = std::chrono::milliseconds(6000);
  task.source = 3;
  task.reports = 4;
  task.commands = 5;
  task.conductor = 4711;
  const auto again = task_from(words_for(task));
  ASSERT_TRUE(again) << again.error().message();
  EXPECT_EQ(words_for(*again), words_for(task));
  EXPECT_EQ(again->role, Role::publisher);
  EXPECT_EQ(again->policy, weir::SlowPolicy::drop_oldest);
  EXPECT_EQ(again->uri, task.uri);
  EXPECT_EQ(again->pace, task.pace);
}

TEST(CommandLine, WhatNoConductorHasWrittenIsRefused) {
  EXPECT_FALSE(task_from({"--role=publisher"}));
  std::vector<std::string> words = words_for(Task());
  words[0] = "--role=emperor";
  EXPECT_FALSE(task_from(words));
}

}  // namespace
}  // namespace quickstart
