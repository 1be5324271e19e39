#include "conformance/saboteurs/saboteur.h"

#include <cstdlib>
#include <utility>

#include "conformance/conformance.h"
#include "conformance/harness/failure.h"

namespace weir::conformance {
namespace {

struct Entry {
  Sabotage sabotage;
  Saboteur::Make make;
};

std::vector<Entry>& registry() {
  static std::vector<Entry> all;
  return all;
}

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

std::shared_ptr<spi::Backend> make_saboteur() {
  const bool across_processes = variable(across_variable) == "1";
  const std::string name = variable(saboteur_variable);
  if (name.empty()) return std::make_shared<WrappedBackend>(across_processes);
  for (const Entry& entry : registry()) {
    if (entry.sabotage.name == name) return entry.make(across_processes);
  }
  throw HarnessFailure("there is no saboteur named " + name);
}

const spi::Registration registration(make_saboteur);

}  // namespace

Saboteur::Saboteur(Sabotage sabotage, Make make) { registry().push_back({std::move(sabotage), make}); }

const std::vector<Sabotage>& sabotages() {
  static const std::vector<Sabotage> all = [] {
    std::vector<Sabotage> names;
    for (const Entry& entry : registry()) names.push_back(entry.sabotage);
    return names;
  }();
  return all;
}

BackendUnderTest backend_under_test() {
  const std::string name = variable(saboteur_variable);
  return {.name = name.empty() ? "the good one" : name,
          .endpoint = variable(across_variable) == "1" ? "faulty+shm://{topic}?root={root}"
                                                       : "faulty+inproc://{sandbox}/{topic}"};
}

}  // namespace weir::conformance
