// A Protobuf message in a loan, and out of a sample. ProtoPublisher and ProtoSubscriber are made of these; use them
// alone where a topic carries other bytes too.
//
//   auto loan = weir::protobuf::serialise(publisher, info);      // in one pass into the memory that subscribers read
//   auto sequence = loan->publish();
//
//   if (weir::Status parsed = weir::protobuf::parse(*sample, info); !parsed) { … }
//
// Thread safety: as for the handles and the message.
#pragma once

#include <google/protobuf/message.h>

#include "transport/publisher.h"
#include "transport/sample.h"
#include "transport/status.h"

namespace weir::protobuf {

// A loan that holds the message. There is no string in between: the bytes are written where they are read.
// Errors: invalid_argument for a message that lacks required fields, naming them; limit_exceeded for one of 2 GiB or
// more, which Protobuf cannot read; those of Publisher::loan.
[[nodiscard]] Result<Loan> serialise(Publisher& publisher, const google::protobuf::Message& message);

// Reads the sample into the message, whose memory is used again; what was in it is cleared.
// Errors: incompatible, naming the message, for bytes that are not one; the message is then empty.
[[nodiscard]] Status parse(const Sample& sample, google::protobuf::Message& message);

}  // namespace weir::protobuf
