#include "transport/membership.h"

namespace weir {

std::string_view to_string(Role role) noexcept { return role == Role::publisher ? "publisher" : "subscriber"; }

std::string_view to_string(Change change) noexcept {
  switch (change) {
    case Change::joined:
      return "joined";
    case Change::left:
      return "left";
    case Change::died:
      return "died";
  }
  return "unknown";
}

}  // namespace weir
