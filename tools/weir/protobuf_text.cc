#include "tools/weir/protobuf_text.h"

#include <climits>
#include <fstream>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <google/protobuf/descriptor.h>
#include <google/protobuf/descriptor.pb.h>
#include <google/protobuf/dynamic_message.h>
#include <google/protobuf/util/json_util.h>

namespace weir::tool {
namespace pb = google::protobuf;

struct ProtobufText::Type {
  pb::DescriptorPool pool;
  pb::DynamicMessageFactory factory;
  std::unique_ptr<pb::Message> message;  // after the two that it needs
};

namespace {

constexpr const char* remedy = "make it with protoc --include_imports --descriptor_set_out=FILE";

// Says nothing: what is wrong is told by whoever builds.
class Quiet : public pb::DescriptorPool::ErrorCollector {
 public:
  void AddError(const std::string& file, const std::string& element, const pb::Message* /*descriptor*/,
                ErrorLocation /*location*/, const std::string& message) override {
    text = fmt::format("{}: {}: {}", file, element, message);
  }
  std::string text;
};

std::vector<std::string> names_in(const pb::FileDescriptorSet& set) {
  std::vector<std::string> names;
  for (const pb::FileDescriptorProto& file : set.file()) {
    for (const pb::DescriptorProto& message : file.message_type()) {
      names.push_back(file.package().empty() ? message.name() : file.package() + "." + message.name());
    }
  }
  return names;
}

}  // namespace

ProtobufText::ProtobufText(std::unique_ptr<Type> type) : type_(std::move(type)) {}
ProtobufText::ProtobufText(ProtobufText&& other) noexcept = default;
ProtobufText& ProtobufText::operator=(ProtobufText&& other) noexcept = default;
ProtobufText::~ProtobufText() = default;

Result<ProtobufText> ProtobufText::open(const std::string& file, const std::string& message) {
  std::ifstream input(file, std::ios::binary);
  if (!input) {
    return failure(ErrorCode::not_found, fmt::format("{} cannot be read: {}", file, remedy));
  }
  pb::FileDescriptorSet set;
  if (!set.ParseFromIstream(&input) || set.file().empty()) {
    return failure(ErrorCode::invalid_argument, fmt::format("{} describes no Protobuf messages: {}", file, remedy));
  }
  auto type = std::make_unique<Type>();
  Quiet errors;
  for (const pb::FileDescriptorProto& each : set.file()) {
    if (type->pool.BuildFileCollectingErrors(each, &errors) == nullptr) {
      return failure(ErrorCode::invalid_argument, fmt::format("{}: {}: {}", file, errors.text, remedy));
    }
  }
  const std::vector<std::string> names = names_in(set);
  const std::string& name = message.empty() && names.size() == 1 ? names.front() : message;
  const pb::Descriptor* const descriptor = name.empty() ? nullptr : type->pool.FindMessageTypeByName(name);
  if (descriptor == nullptr) {
    return failure(ErrorCode::not_found, fmt::format("{} describes no message \"{}\": choose one of {} with --message",
                                                     file, name, fmt::join(names, ", ")));
  }
  type->message.reset(type->factory.GetPrototype(descriptor)->New());
  return ProtobufText(std::move(type));
}

Result<std::string> ProtobufText::json(std::span<const std::byte> payload) {
  pb::Message& message = *type_->message;
  std::string text;
  if (payload.size() > INT_MAX ||  // more than Protobuf reads
      !message.ParsePartialFromArray(payload.data(), static_cast<int>(payload.size())) ||
      !pb::util::MessageToJsonString(message, &text).ok()) {
    return failure(ErrorCode::incompatible,
                   fmt::format("{} bytes came that are no message {}: give the right one with --message",
                               payload.size(), message.GetTypeName()));
  }
  return text;
}

}  // namespace weir::tool
