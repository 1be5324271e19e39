// Around the snippets of docs/protobuf.md.
#include <chrono>
#include <cstdint>

#include "adapters/protobuf/proto_publisher.h"
#include "adapters/protobuf/proto_subscriber.h"
#include "info.pb.h"

using namespace std::chrono_literals;

void use(std::int64_t id, std::uint64_t sequence);

void send(weir::Node& node) {
#include "1.inc"
}

void receive(weir::Node& node) {
#include "2.inc"
}
