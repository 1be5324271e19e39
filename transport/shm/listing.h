// The topics of a root, for people and tools.
#pragma once

#include <vector>

#include "transport/membership.h"

namespace weir::shm {

// Every topic in the root with its members, the living and those whose remains are still wanted. Looks without joining,
// so the answer may be old by the time it is read; topics that fail their checks are left out.
[[nodiscard]] std::vector<TopicDescription> list_topics(int root);

}  // namespace weir::shm
