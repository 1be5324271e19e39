// The root: the directory that holds all topics of one user.
//
// By default /dev/shm/weir-<uid>/v1, mode 0700, where v1 is the version of the layout (layout.h), so that old and new
// versions coexist. WEIR_ROOT, or the option root= in an endpoint, puts it elsewhere: <that>/v1. An absolute topic
// (shm:///var/lib/app/feed) is a topic "feed" whose root is /var/lib/app itself.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "transport/endpoint.h"
#include "transport/shm/file.h"
#include "transport/status.h"

namespace weir::shm {

// Where an endpoint's topic is.
struct Place {
  std::string root;   // absolute path of the directory that holds the topic's directory
  std::string topic;  // the full topic, as the topic file states it
  std::string name;   // the topic's directory below the root
};

// Errors: invalid_argument for a root= or WEIR_ROOT that is not an absolute path.
[[nodiscard]] Result<Place> place_of(const Endpoint& endpoint);

// Opens the root, making it and its parents as needed. Errors: permission_denied naming the path, for a default root that
// belongs to somebody else or that others may write (and is not sticky); unsupported for a file system that cannot hold a
// root; resource_exhausted.
[[nodiscard]] Result<File> open_root(const std::string& root);

// The directory names in the root, of topics or not.
[[nodiscard]] std::vector<std::string> entries_of(int directory);

}  // namespace weir::shm
