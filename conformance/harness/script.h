// Scripts of a test's own, for what the operations of request.h do not cover; registered by name in a static object, as
// a peer process is the same program.
//
//   Outcome forks(Actor& actor, const std::string& argument) { … }
//   const Script forks_script("forks", forks);
//
//   EXPECT_TRUE(peer.run("forks", "argument"));
#pragma once

#include <string>
#include <string_view>

#include "conformance/harness/actor.h"

namespace weir::conformance {

using ScriptFunction = Outcome (*)(Actor& actor, const std::string& argument);

struct Script {
  Script(std::string_view name, ScriptFunction function);
};

// Null if there is none of that name.
[[nodiscard]] ScriptFunction find_script(std::string_view name);

}  // namespace weir::conformance
