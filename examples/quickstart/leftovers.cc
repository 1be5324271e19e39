#include "examples/quickstart/leftovers.h"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <iterator>

#include <fmt/format.h>

#include "examples/quickstart/child_process.h"

namespace quickstart {
namespace {

namespace filesystem = std::filesystem;

// Adds the files and directories at most `levels` below `directory` whose name contains `part`. What cannot be read, or
// goes away meanwhile, is no concern of ours.
void add_matches(const filesystem::path& directory, const std::string& part, int levels, std::set<std::string>& found) {
  std::error_code ignored;
  for (filesystem::directory_iterator at(directory, ignored), end; at != end; at.increment(ignored)) {
    if (at->path().filename().string().find(part) != std::string::npos) {
      found.insert(at->path());
    } else if (levels > 1 && at->is_directory(ignored) && !at->is_symlink(ignored)) {
      add_matches(at->path(), part, levels - 1, found);
    }
  }
}

// The end of a topic as far as no backend escapes it in a file name.
std::string plain_end_of(const std::string& topic) {
  constexpr const char* plain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_";
  const std::size_t before = topic.find_last_not_of(plain);
  return before == std::string::npos ? topic : topic.substr(before + 1);
}

}  // namespace

weir::Result<Leftovers> Leftovers::watch(weir::Node& node, const std::string& uri) {
  weir::Result<weir::Endpoint> endpoint = weir::Endpoint::parse(uri);
  if (!endpoint) {
    return tl::unexpected(endpoint.error());
  }
  Leftovers leftovers(std::move(*endpoint));
  const auto users = leftovers.users_of_topic(node);
  if (!users) {
    return tl::unexpected(users.error());
  }
  if (*users) {
    return weir::failure(
        weir::ErrorCode::name_taken,
        fmt::format("endpoint \"{}\": {} others use this topic, and the run would disturb them: choose "
                    "another",
                    uri, **users));
  }
  std::error_code ignored;
  if (leftovers.is_path() && filesystem::exists(leftovers.endpoint_.topic, ignored)) {
    return weir::failure(
        weir::ErrorCode::name_taken,
        fmt::format(
            "endpoint \"{}\": there is something at {}, and the run would disturb its users: choose another path", uri,
            leftovers.endpoint_.topic));
  }
  leftovers.files_before_ = leftovers.files();
  return leftovers;
}

weir::Result<std::optional<std::size_t>> Leftovers::users_of_topic(weir::Node& node) const {
  weir::Endpoint backend = endpoint_;
  backend.topic.clear();
  // Looking is also what clears up after the dead.
  const auto topics = node.topics(backend.text());
  if (!topics && topics.error().code() == weir::ErrorCode::unsupported) {
    return std::nullopt;
  }
  if (!topics) {
    return tl::unexpected(topics.error());
  }
  const auto topic = std::find_if(topics->begin(), topics->end(),
                                  [&](const weir::TopicDescription& other) { return other.topic == endpoint_.topic; });
  return topic == topics->end() ? std::nullopt : std::optional(topic->peers.size());
}

std::set<std::string> Leftovers::files() const {
  std::set<std::string> found;
  const std::string part = plain_end_of(endpoint_.topic);
  if (part.empty()) {
    return found;
  }
  constexpr int root_levels = 3;
  if (const char* root = std::getenv("WEIR_ROOT")) {
    add_matches(root, part, root_levels, found);
  }
  if (const auto root = endpoint_.options.find("root"); root != endpoint_.options.end()) {
    add_matches(root->second, part, root_levels, found);
  }
  if (is_path()) {
    add_matches(filesystem::path(endpoint_.topic).parent_path(), part, 1, found);
  }
  add_matches("/dev/shm", part, root_levels, found);
  return found;
}

std::vector<std::string> Leftovers::find(weir::Node& node) const {
  std::vector<std::string> found;
  if (const auto users = users_of_topic(node); !users) {
    found.push_back(fmt::format("perhaps the topic {}: {}", endpoint_.topic, users.error().message()));
  } else if (*users) {
    found.push_back(fmt::format("the topic {} with {} users", endpoint_.topic, **users));
  }
  const std::set<std::string> after = files();
  std::set_difference(after.begin(), after.end(), files_before_.begin(), files_before_.end(),
                      std::back_inserter(found));
  if (has_children()) {
    found.emplace_back("a process that was not reaped");
  }
  return found;
}

}  // namespace quickstart
