// All loads for one carrier: what a peer's file needs to join.
//
//   const bool added = add_peer({.name = "pipe", …, .crew = crews_of<Pipe>(abilities)});
#pragma once

#include <functional>
#include <memory>
#include <utility>

#include "conformance/performance/failure.h"
#include "conformance/performance/loads/fan_in.h"
#include "conformance/performance/loads/fan_out.h"
#include "conformance/performance/loads/latency.h"
#include "conformance/performance/loads/many_topics.h"
#include "conformance/performance/loads/publish_cost.h"
#include "conformance/performance/loads/recovery.h"
#include "conformance/performance/loads/stream.h"
#include "conformance/performance/peer_list.h"

namespace weir::performance {

template <Carrier Type>
[[nodiscard]] Crew crew_for(const std::shared_ptr<const Type>& carrier, const Task& task, const Abilities& abilities) {
  switch (task.load) {
    case Load::latency:
      return latency_crew(carrier, task);
    case Load::stream:
      return stream_crew(carrier, task);
    case Load::fan_out:
      return fan_out_crew(carrier, task, abilities.broadcasts);
    case Load::fan_in:
      return fan_in_crew(carrier, task);
    case Load::publish_cost:
      return publish_cost_crew(carrier, task);
    case Load::recovery:
      return recovery_crew(carrier, task);
    case Load::many_topics:
      if constexpr (ListeningCarrier<Type>) {
        return many_topics_crew(carrier, task);
      }
  }
  fail("the peer has no receiver for many topics: its abilities should say so");
}

// `make(task)`: a carrier for one round.
template <class Make>
[[nodiscard]] std::function<Crew(const Task&)> crews_by(Make make, const Abilities& abilities) {
  return [make = std::move(make), abilities](const Task& task) {
    Crew crew = crew_for(make(task), task, abilities);
    crew.threads = abilities.threads;
    crew.pinned = crew.pinned && !abilities.has_threads;
    return crew;
  };
}

template <Carrier Type>
[[nodiscard]] std::function<Crew(const Task&)> crews_of(const Abilities& abilities) {
  return crews_by([](const Task& task) { return std::make_shared<const Type>(task); }, abilities);
}

}  // namespace weir::performance
