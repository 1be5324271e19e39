// Publishers and subscribers of shm as a person and as a program read them.
#pragma once

#include <string>

#include "tools/weir/console.h"
#include "transport/shm/observer.h"

namespace weir::tool {

[[nodiscard]] Json json_of(const shm::ObservedPublisher& publisher);
// With what it has not read of each of these publishers.
[[nodiscard]] Json json_of(const shm::ObservedSubscriber& subscriber, const shm::ObservedTopic& topic);
[[nodiscard]] Json json_of(const shm::ObservedTopic& topic);

// `publisher 5f0c93a1d2e4b687 "front", pid 311 (camera_driver), dead`
[[nodiscard]] std::string describe(const shm::ObservedMember& member);

// `"front" camera_driver 311`: what tells it apart in a column.
[[nodiscard]] std::string process_text(const shm::ObservedMember& member);

// `"front"`, or its id if it has none; for columns.
[[nodiscard]] std::string short_name(const shm::ObservedMember& member);

}  // namespace weir::tool
