#include "adapters/protobuf/message.h"

#include <climits>
#include <cstdint>

#include <fmt/format.h>

#include "transport/guard.h"

namespace weir::protobuf {
namespace {

[[gnu::cold]] tl::unexpected<Error> incomplete(const google::protobuf::Message& message) {
  return failure(ErrorCode::invalid_argument,
                 fmt::format("the message {} lacks required fields, so that nobody could read it: set {}",
                             message.GetTypeName(), message.InitializationErrorString()));
}

[[gnu::cold]] tl::unexpected<Error> too_large(const google::protobuf::Message& message, std::size_t size) {
  return failure(ErrorCode::limit_exceeded,
                 fmt::format("the message {} has {} bytes, and Protobuf reads none of 2 GiB or more: send its parts, "
                             "or large contents as plain payloads",
                             message.GetTypeName(), size));
}

}  // namespace

Result<Loan> serialise(Publisher& publisher, const google::protobuf::Message& message) {
  return spi::guarded([&]() -> Result<Loan> {
    if (!message.IsInitialized()) [[unlikely]] {
      return incomplete(message);
    }
    const std::size_t size = message.ByteSizeLong();  // notes the sizes of all parts, which the writing then uses
    if (size > INT_MAX) [[unlikely]] {
      return too_large(message, size);
    }
    Result<Loan> loan = publisher.loan(size);
    if (loan) [[likely]] {
      message.SerializeWithCachedSizesToArray(reinterpret_cast<std::uint8_t*>(loan->payload().data()));
    }
    return loan;
  });
}

Status parse(const Sample& sample, google::protobuf::Message& message) {
  return spi::guarded([&]() -> Status {
    const std::span<const std::byte> payload = sample.payload();
    if (payload.size() <= INT_MAX && message.ParseFromArray(payload.data(), static_cast<int>(payload.size())))
        [[likely]] {
      return {};
    }
    message.Clear();
    return failure(ErrorCode::incompatible,
                   fmt::format("a sample of {} bytes is not a message {}: its publisher sends something else; let both "
                               "sides state the type, or give what it sends a topic of its own",
                               payload.size(), message.GetTypeName()));
  });
}

}  // namespace weir::protobuf
