// Crews that have a RouDi.
#pragma once

#include <functional>
#include <string>
#include <utility>

#include "conformance/performance/failure.h"
#include "conformance/performance/loads/crew_for.h"
#include "conformance/performance/peers/private_roudi.h"

namespace weir::performance {

// The crew's processes find a RouDi.
inline void surround_with_roudi(Crew& crew) {
  if (const std::string reason = PrivateRoudi::start(); !reason.empty()) {
    fail("RouDi: " + reason);
  }
  crew.prelude = PrivateRoudi::enter;
}

// As crews_by(). A RouDi with which a process was killed is not used again.
template <class Make>
[[nodiscard]] std::function<Crew(const Task&)> crews_with_roudi(Make make, const Abilities& abilities) {
  return [crews = crews_by(std::move(make), abilities)](const Task& task) {
    static bool used_up = false;
    if (std::exchange(used_up, task.load == Load::recovery)) {
      PrivateRoudi::end();
    }
    Crew crew = crews(task);
    surround_with_roudi(crew);
    return crew;
  };
}

}  // namespace weir::performance
