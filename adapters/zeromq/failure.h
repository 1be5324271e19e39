// What libzmq reports, as weir's error values.
#pragma once

#include <string>
#include <string_view>

#include "transport/status.h"

namespace weir::zeromq {

// The error for `fault`, an errno of libzmq or the system. `endpoint` and `what` (a call with its value) are named.
[[nodiscard]] Error socket_error(std::string_view endpoint, std::string_view what, int fault);

// The same as what a function returns.
[[nodiscard]] tl::unexpected<Error> socket_failure(std::string_view endpoint, std::string_view what, int fault);

}  // namespace weir::zeromq
