#include "conformance/harness/script.h"

#include <map>

namespace weir::conformance {
namespace {

std::map<std::string_view, ScriptFunction>& scripts() {
  static std::map<std::string_view, ScriptFunction> all;
  return all;
}

}  // namespace

Script::Script(std::string_view name, ScriptFunction function) { scripts()[name] = function; }

ScriptFunction find_script(std::string_view name) {
  const auto found = scripts().find(name);
  return found == scripts().end() ? nullptr : found->second;
}

}  // namespace weir::conformance
