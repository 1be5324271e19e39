// The root: the directory that holds all topics of one user, or of a group (sharing.h).
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
  std::string topic;  // as the topic file states it: the full topic, or the last part of an absolute one, so that the
                      // directory may be mounted elsewhere for another process
  std::string name;   // the topic's directory below the root
};

// Errors: invalid_argument for a root= or WEIR_ROOT that is not an absolute path, for a root= beside an absolute topic,
// and for an absolute topic that ends in a slash.
[[nodiscard]] Result<Place> place_of(const Endpoint& endpoint);

// Opens the root, making it and its parents as needed, each with mode 0700, or shared where its parent is. Errors:
// permission_denied naming the path, also for a root of another user that no group shares, for one shared by a group
// in which the user is not, and for a default root that others may write (and is not sticky); corrupt for a default
// root that is a symbolic link; resource_exhausted. Whether the file system can hold a topic is found out at the first
// join.
[[nodiscard]] Result<File> open_root(const std::string& root);

// The names in a directory, but "." and "..": topics in the root, files in a topic. A name that was there before the
// call and still is afterwards is among them. Takes no descriptor, so it works when none is left: whoever must know all
// pins can rely on it. `directory` must be open for reading (not O_PATH). Thread-safe. Throws std::system_error where
// the file system (a disk, say) fails in the middle: a part shall not pass for the whole.
[[nodiscard]] std::vector<std::string> entries_of(int directory);

}  // namespace weir::shm
