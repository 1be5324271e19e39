// What an endpoint names in iceoryx: iceoryx://Service/Instance/Event.
#pragma once

#include <string_view>

#include <iceoryx_posh/capro/service_description.hpp>
#include <iceoryx_posh/iceoryx_posh_types.hpp>

#include "transport/endpoint.h"
#include "transport/status.h"

namespace weir::iceoryx {

// The service description of an endpoint. All after the second slash is the event, further slashes included.
// Errors: invalid_argument for a topic that is not of this form; for a part that iceoryx cannot carry: longer than 100
// bytes, or with a comma, at which RouDi's messages are cut.
[[nodiscard]] Result<iox::capro::ServiceDescription> service_of(const Endpoint& endpoint);

// True for the services that RouDi keeps for itself: nobody else may publish on them.
[[nodiscard]] bool belongs_to_roudi(const iox::capro::ServiceDescription& service);

// The name of a publisher or subscriber as its iceoryx node, by which introspection shows it; empty if iceoryx cannot
// carry it.
[[nodiscard]] iox::NodeName_t node_name(std::string_view name);

}  // namespace weir::iceoryx
