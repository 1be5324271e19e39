#include "examples/acknowledged/way_back.h"

#include <charconv>

namespace weir::acknowledged {
namespace {

Status take_next_port(Endpoint& endpoint) {
  const std::size_t colon = endpoint.topic.rfind(':');
  unsigned port = 0;
  const char* const end = endpoint.topic.data() + endpoint.topic.size();
  if (colon == std::string::npos ||
      std::from_chars(endpoint.topic.data() + colon + 1, end, port) != std::from_chars_result{end, std::errc()}) {
    return failure(ErrorCode::invalid_argument,
                   endpoint.text() + ": the answers take the next port, so give a port: zmq+tcp://host:5555");
  }
  endpoint.topic = endpoint.topic.substr(0, colon + 1) + std::to_string(port + 1);
  return {};
}

}  // namespace

Result<std::string> way_back(std::string_view uri) {
  return Endpoint::parse(uri).and_then([](Endpoint endpoint) -> Result<std::string> {
    if (endpoint.scheme == "zmq+tcp") {
      if (Status taken = take_next_port(endpoint); !taken) return tl::unexpected(taken.error());
    } else {
      endpoint.topic += ".ack";
    }
    if (endpoint.scheme.starts_with("zmq+")) endpoint.options["bind"] = "subscriber";
    return endpoint.text();
  });
}

}  // namespace weir::acknowledged
