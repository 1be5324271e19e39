#include "adapters/iceoryx/service.h"

#include <array>
#include <string_view>

#include <fmt/format.h>

namespace weir::iceoryx {
namespace {

using iox::capro::IdString_t;

tl::unexpected<Error> malformed(const Endpoint& endpoint, std::string_view reason) {
  return failure(ErrorCode::invalid_argument, fmt::format("endpoint \"{}\": {}", endpoint.text(), reason));
}

IdString_t id_string(std::string_view text) {
  return IdString_t(iox::cxx::TruncateToCapacity, text.data(), text.size());
}

}  // namespace

Result<iox::capro::ServiceDescription> service_of(const Endpoint& endpoint) {
  const std::string_view topic = endpoint.topic;
  const std::size_t first = topic.find('/');
  const std::size_t second = first == std::string_view::npos ? first : topic.find('/', first + 1);
  if (second == std::string_view::npos) {
    return malformed(endpoint, "an iceoryx topic has three parts: write iceoryx://Service/Instance/Event");
  }
  constexpr std::array<std::string_view, 3> names{"service", "instance", "event"};
  const std::array<std::string_view, 3> parts{topic.substr(0, first), topic.substr(first + 1, second - first - 1),
                                              topic.substr(second + 1)};
  const std::uint64_t longest = IdString_t::capacity();
  for (std::size_t at = 0; at < parts.size(); ++at) {
    if (parts[at].empty()) return malformed(endpoint, fmt::format("the {} is empty: name one", names[at]));
    if (parts[at].size() > longest) {
      return malformed(endpoint, fmt::format("the {} has {} bytes, iceoryx carries at most {}: shorten it", names[at],
                                             parts[at].size(), longest));
    }
    if (parts[at].find(',') != std::string_view::npos) {
      return malformed(endpoint,
                       fmt::format("the {} has a comma, which iceoryx cannot carry: leave it out", names[at]));
    }
  }
  return iox::capro::ServiceDescription(id_string(parts[0]), id_string(parts[1]), id_string(parts[2]));
}

bool belongs_to_roudi(const iox::capro::ServiceDescription& service) {
  const std::string_view name(service.getServiceIDString().c_str());
  return name == "Introspection" || name == iox::SERVICE_DISCOVERY_SERVICE_NAME;
}

iox::NodeName_t node_name(std::string_view name) {
  // A request to RouDi has 512 bytes for all.
  constexpr std::size_t longest = 60;
  if (name.size() > longest || name.find(',') != std::string_view::npos) return {};
  return iox::NodeName_t(iox::cxx::TruncateToCapacity, name.data(), name.size());
}

}  // namespace weir::iceoryx
