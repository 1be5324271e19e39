// Sends Protobuf messages of one type.
//
//   auto infos = weir::protobuf::ProtoPublisher<Info>::open(node, "shm://infos");
//   Info info;
//   info.set_id(7);
//   auto sequence = infos->send(info);        // serialised straight into the loan
//
// Where the backend knows types (Capabilities::types: shm, inproc) the message's name and the fingerprint of its schema
// are the topic's type, so a peer with another schema is refused at join. Where it does not (iceoryx, ZeroMQ, whose
// native programs state none) nothing is stated, states_type() is false, and a sample that is no such message is an
// error when it is read.
//
// The bytes on the topic are those of SerializeToString: programs that use the transport natively read them as they
// are. Thread safety as for Publisher. Generated code of the full runtime is needed, not of the lite one.
#pragma once

#include <cstdint>
#include <string_view>
#include <utility>

#include "adapters/protobuf/message.h"
#include "adapters/protobuf/schema.h"
#include "transport/node.h"

namespace weir::protobuf {

template <class M>
class ProtoPublisher {
 public:
  // Errors: those of Node::publisher; incompatible for a topic of another message or schema.
  [[nodiscard]] static Result<ProtoPublisher> open(Node& node, std::string_view uri, PublisherOptions options = {},
                                                   Schema schema = Schema::exact) {
    const Result<Capabilities> capabilities = node.capabilities(uri);
    if (capabilities && capabilities->types) {
      options.type = type_of(*M::descriptor(), schema);
    }
    return node.publisher(uri, options).map([](Publisher&& publisher) { return ProtoPublisher(std::move(publisher)); });
  }

  // Serialises and publishes; returns the sequence. Errors: those of loan() and of Loan::publish().
  [[nodiscard]] Result<std::uint64_t> send(const M& message) {
    Result<Loan> loan = this->loan(message);
    if (!loan) [[unlikely]] {
      return tl::unexpected(loan.error());
    }
    return loan->publish();
  }

  // The message in a loan: to publish with a deadline, or again after back-pressure. Errors: those of serialise().
  [[nodiscard]] Result<Loan> loan(const M& message) { return serialise(publisher_, message); }

  // Whether peers of another schema are refused at join.
  [[nodiscard]] bool states_type() const noexcept { return publisher_.qos().type.has_value(); }
  // For all else: waiting, membership, messages that are not Protobuf's.
  [[nodiscard]] Publisher& untyped() noexcept { return publisher_; }

 private:
  explicit ProtoPublisher(Publisher publisher) : publisher_(std::move(publisher)) {}
  Publisher publisher_;
};

}  // namespace weir::protobuf
