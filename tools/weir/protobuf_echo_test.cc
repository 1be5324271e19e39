// weir echo --descriptor: Protobuf messages in words.
#include <sys/mman.h>

#include <fstream>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <google/protobuf/descriptor.pb.h>
#include <google/protobuf/text_format.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "tools/weir/protobuf_text.h"
#include "tools/weir/test_program.h"
#include "transport/node.h"

namespace weir::tool::testing {
namespace {

using ::testing::HasSubstr;

class ProtobufEcho : public ::testing::Test {
 protected:
  // What protoc writes for two messages, robot.Pose with a number and a word, and robot.Empty.
  void SetUp() override {
    google::protobuf::FileDescriptorSet set;
    ASSERT_TRUE(google::protobuf::TextFormat::ParseFromString(
        R"(file { name: "pose.proto" package: "robot" syntax: "proto3"
             message_type { name: "Pose"
               field { name: "x" number: 1 type: TYPE_DOUBLE label: LABEL_OPTIONAL json_name: "x" }
               field { name: "frame" number: 2 type: TYPE_STRING label: LABEL_OPTIONAL json_name: "frame" } }
             message_type { name: "Empty" } })",
        &set));
    std::ofstream(description_, std::ios::binary) << set.SerializeAsString();
    ASSERT_TRUE(publisher_.send(std::as_bytes(std::span(pose_))));
  }
  Outcome echo(std::vector<std::string> more) {
    more.insert(more.begin(), {"echo", "pose?history=4", "--descriptor", description_});
    return run(more);
  }

  Node node_ = std::move(Node::open().value());
  PrivateRoot root_;
  std::string description_ = root_.path() + "/pose.descriptor";
  Publisher publisher_ = node_.publisher("shm://pose?depth=4&history=4").value();
  const std::string pose_{"\x09\0\0\0\0\0\0\xf8\x3f\x12\x03map", 14};  // x: 1.5, frame: "map"
};

TEST_F(ProtobufEcho, ShowsMessagesByTheirDescription) {
  const Outcome words = echo({"--message", "robot.Pose", "-n", "1"});
  EXPECT_EQ(words.status, 0) << words.errors;
  EXPECT_THAT(words.output, HasSubstr(R"({"x":1.5,"frame":"map"})"));
  const Outcome json = echo({"--message", "robot.Pose", "-n", "1", "--json"});
  EXPECT_EQ(nlohmann::json::parse(json.output)["message"]["frame"], "map") << json.output << json.errors;
}

TEST_F(ProtobufEcho, SaysWhichMessagesThereAreIfNoneOrAnotherIsNamed) {
  for (const std::vector<std::string>& named :
       {std::vector<std::string>{}, std::vector<std::string>{"--message", "robot.Twist"}}) {
    const Outcome outcome = echo(named);
    EXPECT_EQ(outcome.status, 3);
    EXPECT_THAT(outcome.errors, HasSubstr("choose one of robot.Pose, robot.Empty"));
  }
}

TEST_F(ProtobufEcho, BytesThatAreNoSuchMessageAndFilesThatDescribeNothingAreErrors) {
  const std::string other = "no such message";
  ASSERT_TRUE(publisher_.send(std::as_bytes(std::span(other))));
  const Outcome unreadable = echo({"--message", "robot.Pose", "-n", "2"});
  EXPECT_NE(unreadable.status, 0);
  EXPECT_THAT(unreadable.output, HasSubstr("map"));  // what came before
  EXPECT_THAT(unreadable.errors, HasSubstr("no message robot.Pose"));
  std::ofstream(description_, std::ios::binary) << "rubbish";
  const Outcome undescribed = echo({});
  EXPECT_EQ(undescribed.status, 2);
  EXPECT_THAT(undescribed.errors, HasSubstr("describes no Protobuf messages"));
}

// The memory is not there: none of it may be read.
TEST_F(ProtobufEcho, MessageOfWhichProtobufReadsNoneIsAnErrorAndNotAnEmptyOne) {
  constexpr std::size_t size = std::size_t{1} << 32U;
  void* const memory = mmap(nullptr, size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  ASSERT_NE(memory, MAP_FAILED);
  auto words = ProtobufText::open(description_, "robot.Pose").value();
  const auto json = words.json({static_cast<const std::byte*>(memory), size});
  munmap(memory, size);
  ASSERT_FALSE(json) << *json;
  EXPECT_EQ(json.error().code(), ErrorCode::incompatible);
}

}  // namespace
}  // namespace weir::tool::testing
