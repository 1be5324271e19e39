#include "adapters/protobuf/schema.h"

#include <algorithm>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>
#include <google/protobuf/descriptor.pb.h>

namespace weir::protobuf {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::EnumDescriptor;
using google::protobuf::FieldDescriptor;

// FNV-1a: short, the same everywhere, and enough to tell schemas apart that nobody forges.
std::uint64_t hash_of(std::string_view text) noexcept {
  std::uint64_t hash = 0xcbf2'9ce4'8422'2325;
  for (const char byte : text) {
    hash = (hash ^ static_cast<unsigned char>(byte)) * 0x100'0000'01b3;
  }
  return hash;
}

std::string text_of(std::vector<std::string> lines) {
  std::sort(lines.begin(), lines.end());
  return fmt::format("{}", fmt::join(lines, "\n"));
}

std::string text_of(const EnumDescriptor& enumeration) {
  std::vector<std::string> values;
  values.reserve(static_cast<std::size_t>(enumeration.value_count()));
  for (int index = 0; index < enumeration.value_count(); ++index) {
    values.push_back(fmt::format("{} {}", enumeration.value(index)->name(), enumeration.value(index)->number()));
  }
  return text_of(std::move(values));
}

// What is reached from a message, described by full name; the map makes the order that of the names.
class Closure {
 public:
  void add(const Descriptor& message) {
    if (!parts_.emplace(message.full_name(), "").second) {
      return;  // messages may contain themselves
    }
    std::vector<std::string> fields;
    fields.reserve(static_cast<std::size_t>(message.field_count()));
    for (int index = 0; index < message.field_count(); ++index) {
      fields.push_back(describe(*message.field(index)));
    }
    parts_[message.full_name()] = text_of(std::move(fields));
  }

  [[nodiscard]] std::string text() const {
    std::string all;
    for (const auto& [name, part] : parts_) {
      all += fmt::format("{} {{\n{}\n}}\n", name, part);
    }
    return all;
  }

 private:
  std::string describe(const FieldDescriptor& field) {
    std::string type = field.type_name();
    if (const Descriptor* message = field.message_type(); message != nullptr) {
      add(*message);
      type += ' ' + message->full_name();
    } else if (const EnumDescriptor* enumeration = field.enum_type(); enumeration != nullptr) {
      parts_.emplace(enumeration->full_name(), text_of(*enumeration));
      type += ' ' + enumeration->full_name();
    }
    const auto* choice = field.real_containing_oneof();
    google::protobuf::FieldDescriptorProto declared;
    field.CopyTo(&declared);
    return fmt::format("{} {} {} label {}{}{}", field.number(), field.name(), type, static_cast<int>(field.label()),
                       choice == nullptr ? "" : " of " + choice->name(),
                       declared.has_default_value() ? " default " + declared.default_value() : "");
  }

  std::map<std::string, std::string> parts_;
};

}  // namespace

std::uint64_t fingerprint_of(const Descriptor& message) {
  Closure closure;
  closure.add(message);
  return std::max<std::uint64_t>(hash_of(message.full_name() + '\n' + closure.text()), 1);
}

TypeInfo type_of(const Descriptor& message, Schema schema) {
  return {.name = message.full_name(), .fingerprint = schema == Schema::exact ? fingerprint_of(message) : 0};
}

}  // namespace weir::protobuf
