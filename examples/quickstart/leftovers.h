// What a run leaves behind. It should be nothing.
//
//   auto leftovers = quickstart::Leftovers::watch(*node, uri);    // before
//   for (const std::string& thing : leftovers->find(*node)) …     // after
#pragma once

#include <cstddef>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "transport/endpoint.h"
#include "transport/node.h"
#include "transport/status.h"

namespace quickstart {

class Leftovers {
 public:
  // Remembers what is there before the run. Errors: those of Endpoint::parse and Node::topics; name_taken if the topic,
  // or the file that it names, is there already.
  [[nodiscard]] static weir::Result<Leftovers> watch(weir::Node& node, const std::string& uri);

  // What is there now and was not before, a line each: the topic, if its backend still lists it, or why it could not
  // look; files with its name in WEIR_ROOT, in the endpoint's root, in shared memory; processes of this one.
  [[nodiscard]] std::vector<std::string> find(weir::Node& node) const;

 private:
  explicit Leftovers(weir::Endpoint endpoint) : endpoint_(std::move(endpoint)) {}
  // Empty if the topic is not there, or the backend lists none. Errors: those of Node::topics, but for unsupported.
  [[nodiscard]] weir::Result<std::optional<std::size_t>> users_of_topic(weir::Node& node) const;
  // A topic that is a path is no name in a root: its backend does not list it.
  [[nodiscard]] bool is_path() const { return endpoint_.topic.starts_with('/'); }
  [[nodiscard]] std::set<std::string> files() const;

  weir::Endpoint endpoint_;
  std::set<std::string> files_before_;
};

}  // namespace quickstart
