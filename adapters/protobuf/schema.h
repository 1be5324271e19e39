// The schema of a Protobuf message as a weir type: its full name, and a fingerprint of its fields and of all messages
// and enumerations that they lead to.
//
//   options.type = weir::protobuf::type_of(*Info::descriptor(), Schema::exact);
//
// Same fingerprint: a message that one side writes, the other reads as it was meant. Comments, options, the order of
// declarations, the name and place of the .proto file do not matter; numbers, names, types and labels of fields, names
// and numbers of enumeration values do. It is the same in every process and on every machine.
#pragma once

#include <cstdint>

#include <google/protobuf/descriptor.h>

#include "transport/qos.h"

namespace weir::protobuf {

// What the peers of a topic have to agree on.
enum class Schema : std::uint8_t {
  exact,  // name and fingerprint
  name,   // the name alone, so that old and new versions of a message, which Protobuf lets read each other, meet
};

// Of a message and of everything that it leads to; never 0.
[[nodiscard]] std::uint64_t fingerprint_of(const google::protobuf::Descriptor& message);

[[nodiscard]] TypeInfo type_of(const google::protobuf::Descriptor& message, Schema schema = Schema::exact);

}  // namespace weir::protobuf
