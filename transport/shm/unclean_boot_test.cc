// Persistence survives processes, not the machine: what a durable topic on a disk is after the machine went down.
#include <fcntl.h>
#include <unistd.h>

#include <csignal>
#include <cstddef>
#include <string>

#include <gtest/gtest.h>

#include "transport/node.h"
#include "transport/shm/layout.h"
#include "transport/shm/test_topic.h"

namespace weir::shm::testing {
namespace {

class UncleanBoot : public ::testing::Test {
 protected:
  ~UncleanBoot() override { EXPECT_TRUE(node_.remove(root_.uri())); }

  // What the machine's restart changes: the publisher's segment is of a boot that is not this one.
  void restart_machine() const {
    const std::string path = root_.directory() / root_.segment(Role::publisher);
    const int file = open(path.c_str(), O_WRONLY | O_CLOEXEC);
    ASSERT_GE(file, 0) << path;
    const std::uint64_t another = 1;
    constexpr std::size_t where = offsetof(PublisherHeader, tenure) + offsetof(Tenure, boot);
    EXPECT_EQ(pwrite(file, &another, sizeof(another), static_cast<off_t>(where)), sizeof(another));
    close(file);
  }

  void publish_five() {
    Publisher publisher = must(node_.publisher(keeper_));
    for (int message = 0; message < 5; ++message) must(send(publisher, 100, 1));
  }

  TopicRoot root_;
  Node node_ = must(Node::open());
  const std::string keeper_ = root_.uri("durability=persistent&name=keeper&depth=8&history=5");
  const std::string reader_ = root_.uri("durability=persistent&name=reader&depth=8&history=5");
};

TEST_F(UncleanBoot, WhatWasLeftCleanlyIsStillThere) {
  publish_five();
  restart_machine();
  Subscriber late = must(node_.subscriber(root_.uri("depth=8&history=5")));
  EXPECT_EQ(drain(late), 5U);
  EXPECT_EQ(must(node_.publisher(keeper_)).next_sequence(), 5U);
}

TEST_F(UncleanBoot, WhatWasInUseIsGoneAndTheLossIsAnnounced) {
  {
    Subscriber reader = must(node_.subscriber(reader_));
    Child child([this] {
      node_ = must(Node::open());
      Publisher publisher = must(node_.publisher(keeper_));
      for (int message = 0; message < 5; ++message) must(send(publisher, 100, 1));
      raise(SIGKILL);
      return true;
    });
    EXPECT_FALSE(child.succeeded());
    EXPECT_TRUE(must(reader.take()));
    EXPECT_TRUE(must(reader.take()));
  }
  restart_machine();
  Subscriber late = must(node_.subscriber(root_.uri("depth=8&history=5")));
  EXPECT_EQ(drain(late), 0U) << "of what cannot be trusted";
  Publisher publisher = must(node_.publisher(keeper_));
  EXPECT_EQ(publisher.next_sequence(), 5U);
  EXPECT_EQ(drain(late), 0U) << "of what cannot be trusted";
  must(send(publisher, 100, 1));
  EXPECT_EQ(next_sample(late).sequence(), 5U);
  Subscriber reader = must(node_.subscriber(reader_));
  must(send(publisher, 100, 1));
  const Sample sample = next_sample(reader);
  EXPECT_EQ(sample.sequence(), 5U);
  EXPECT_EQ(sample.lost_before(), 3U);
}

}  // namespace
}  // namespace weir::shm::testing
