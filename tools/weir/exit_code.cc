#include "tools/weir/exit_code.h"

namespace weir::tool {

ExitCode exit_code_of(ErrorCode code) noexcept {
  switch (code) {
    case ErrorCode::invalid_argument:
      return ExitCode::usage;
    case ErrorCode::not_found:
      return ExitCode::not_found;
    case ErrorCode::unsupported:
      return ExitCode::unsupported;
    case ErrorCode::permission_denied:
      return ExitCode::forbidden;
    case ErrorCode::resource_exhausted:
    case ErrorCode::limit_exceeded:
      return ExitCode::exhausted;
    case ErrorCode::timed_out:
      return ExitCode::timed_out;
    case ErrorCode::corrupt:
      return ExitCode::corrupt;
    case ErrorCode::incompatible:
    case ErrorCode::name_taken:
    case ErrorCode::back_pressure:
    case ErrorCode::interrupted:
    case ErrorCode::closed:
    case ErrorCode::forked:
    case ErrorCode::unavailable:
    case ErrorCode::internal:
      break;
  }
  return ExitCode::failed;
}

}  // namespace weir::tool
