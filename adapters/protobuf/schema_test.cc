// What makes two schemas the same, and what does not.
#include "adapters/protobuf/schema.h"

#include <functional>
#include <stdexcept>
#include <string>

#include <google/protobuf/descriptor.pb.h>
#include <gtest/gtest.h>

#include "adapters/protobuf/testing/orders.pb.h"
#include "adapters/protobuf/testing/strict.pb.h"

namespace weir::protobuf {
namespace {

using google::protobuf::FieldDescriptorProto;
using google::protobuf::FileDescriptorProto;

// The fingerprint of Order in a file like orders.proto, but for this change.
std::uint64_t after(const std::function<void(FileDescriptorProto&)>& change) {
  FileDescriptorProto file;
  testing::Order::descriptor()->file()->CopyTo(&file);
  change(file);
  google::protobuf::DescriptorPool pool;
  const auto* built = pool.BuildFile(file);
  if (built == nullptr) throw std::runtime_error("the changed file cannot be built");
  return fingerprint_of(*built->FindMessageTypeByName("Order"));
}

FieldDescriptorProto& field(FileDescriptorProto& file, int message, int index) {
  return *file.mutable_message_type(message)->mutable_field(index);
}

const std::uint64_t before = fingerprint_of(*testing::Order::descriptor());

TEST(Schema, IsTheSameInTheGeneratedCodeAndInADescriptorThatWasSent) {
  EXPECT_EQ(after([](FileDescriptorProto&) {}), before);
}

TEST(Schema, DoesNotDependOnTheOrderOfDeclarationsOptionsOrTheFile) {
  EXPECT_EQ(after([](auto& file) { file.mutable_message_type(0)->mutable_field()->SwapElements(0, 1); }), before);
  EXPECT_EQ(after([](auto& file) { file.mutable_message_type()->SwapElements(0, 1); }), before);
  EXPECT_EQ(after([](auto& file) { field(file, 0, 3).mutable_options()->set_deprecated(true); }), before);
  EXPECT_EQ(after([](auto& file) { file.set_name("elsewhere/other.proto"); }), before);
  EXPECT_EQ(after([](auto& file) { file.add_message_type()->set_name("NotReached"); }), before);
}

TEST(Schema, ChangesWithEveryFieldAlsoOfMessagesWithinIt) {
  EXPECT_NE(after([](auto& file) { field(file, 0, 0).set_number(9); }), before);
  EXPECT_NE(after([](auto& file) { field(file, 0, 0).set_name("key"); }), before);
  EXPECT_NE(after([](auto& file) { field(file, 0, 0).set_type(FieldDescriptorProto::TYPE_INT64); }), before);
  EXPECT_NE(after([](auto& file) { field(file, 0, 0).set_label(FieldDescriptorProto::LABEL_REPEATED); }), before);
  EXPECT_NE(after([](auto& file) { file.mutable_message_type(0)->mutable_field()->RemoveLast(); }), before);
  EXPECT_NE(
      after([](auto& file) { file.mutable_message_type(0)->mutable_enum_type(0)->mutable_value(1)->set_number(2); }),
      before);
  EXPECT_NE(after([](auto& file) { field(file, 1, 1).set_type(FieldDescriptorProto::TYPE_FLOAT); }), before);
  EXPECT_NE(after([](auto& file) {
              file.mutable_message_type(0)->add_oneof_decl()->set_name("either");
              field(file, 0, 0).set_oneof_index(0);
            }),
            before);
}

TEST(Schema, ChangesWithWhatAFieldThatIsNotSetIsReadAs) {
  const auto with_default = [](const char* value) {
    FileDescriptorProto file;
    file.set_name("defaults.proto");
    file.set_syntax("proto2");
    auto& message = *file.add_message_type();
    message.set_name("Order");
    auto& count = *message.add_field();
    count.set_name("count");
    count.set_number(1);
    count.set_type(FieldDescriptorProto::TYPE_INT32);
    count.set_label(FieldDescriptorProto::LABEL_OPTIONAL);
    count.set_default_value(value);
    google::protobuf::DescriptorPool pool;
    return fingerprint_of(*pool.BuildFile(file)->FindMessageTypeByName("Order"));
  };
  EXPECT_EQ(with_default("5"), with_default("5"));
  EXPECT_NE(with_default("5"), with_default("7"));
}

TEST(Schema, OfAMessageThatContainsItselfEnds) {
  EXPECT_NE(fingerprint_of(*testing::Strict::descriptor()), fingerprint_of(*testing::Order::descriptor()));
}

TEST(Schema, ByNameAloneHasNoFingerprint) {
  const TypeInfo type = type_of(*testing::Order::descriptor(), Schema::name);
  EXPECT_EQ(type.name, "weir.testing.Order");
  EXPECT_EQ(type.fingerprint, 0U);
}

}  // namespace
}  // namespace weir::protobuf
