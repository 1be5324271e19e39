// What stands before the payload of every message between requesters and repliers: the same over all backends, most of
// which have no user headers.
//
// A request is bound to one replier and numbered by its requester. So a replier can tell a retry of what it has done
// from a request that it never saw, and one that was started anew knows that a request was not meant for it.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>

#include "transport/publisher.h"
#include "transport/status.h"

namespace weir::request_reply {

using Id = std::uint64_t;  // random, of one requester or replier; 0: everybody

enum class Kind : std::uint8_t {
  hello,    // a requester asks who replies; nothing is executed
  request,  // to `replier`
  present,  // a replier says that it is there: to one requester, or to all when it starts
  reply,    // the answer to request `number`
  refusal,  // the answer is an error: `code`, and its message as the payload
  stranger  // request `number` was not meant for this replier, or it has forgotten its requester: it did nothing
};

struct Envelope {
  std::array<char, 4> magic{'w', 'r', 'q', '1'};  // with the version
  Kind kind = Kind::hello;
  ErrorCode code = ErrorCode::internal;  // of a refusal
  std::uint16_t reserved = 0;
  Id requester = 0;
  Id replier = 0;
  std::uint64_t number = 0;   // of the request: 1, 2, … for each requester
  std::uint64_t attempt = 0;  // of the request: 0, then 1, 2 … for its retries
};
static_assert(sizeof(Envelope) == 40, "payloads behind it stay aligned to 8");

// Sends the message in one go: one copy of the payload.
inline Status send(Publisher& publisher, const Envelope& envelope, std::span<const std::byte> payload) {
  Result<Loan> loan = publisher.loan(sizeof(Envelope) + payload.size());
  if (!loan) return tl::unexpected(loan.error());
  std::memcpy(loan->payload().data(), &envelope, sizeof(Envelope));
  if (!payload.empty()) std::memcpy(loan->payload().data() + sizeof(Envelope), payload.data(), payload.size());
  return loan->publish().map([](std::uint64_t) {});
}

// Empty for what is no message of this kind.
inline std::optional<Envelope> read(std::span<const std::byte> message) {
  Envelope envelope;
  const std::array<char, 4> magic = envelope.magic;
  if (message.size() < sizeof(Envelope)) return {};
  std::memcpy(&envelope, message.data(), sizeof(Envelope));
  if (envelope.magic != magic || envelope.kind > Kind::stranger || envelope.code > ErrorCode::internal) return {};
  return envelope;
}

// A number that no other requester or replier has.
[[nodiscard]] Id make_id();

}  // namespace weir::request_reply
