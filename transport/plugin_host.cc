#include "transport/plugin_host.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include <fmt/format.h>

namespace weir::plugin {
namespace {

thread_local std::array<char, 8192> text_of_thread;

// The first function that every plug-in must have and this one has not; empty if there is none.
std::string_view missing(const weir_plugin& table) {
  const std::array<std::pair<std::string_view, bool>, 20> needed{{
      {"open", table.open != nullptr},
      {"release_backend", table.release_backend != nullptr},
      {"scheme", table.scheme != nullptr},
      {"option_key", table.option_key != nullptr},
      {"capability", table.capability != nullptr},
      {"open_publisher", table.open_publisher != nullptr},
      {"open_subscriber", table.open_subscriber != nullptr},
      {"close", table.close != nullptr},
      {"release_port", table.release_port != nullptr},
      {"id", table.id != nullptr},
      {"wait", table.wait != nullptr},
      {"descriptor", table.descriptor != nullptr},
      {"loan", table.loan != nullptr},
      {"publish", table.publish != nullptr},
      {"drop", table.drop != nullptr},
      {"take", table.take != nullptr},
      {"release", table.release != nullptr},
      {"make_stop", table.make_stop != nullptr},
      {"trigger_stop", table.trigger_stop != nullptr},
      {"release_stop", table.release_stop != nullptr},
  }};
  const auto found = std::find_if(needed.begin(), needed.end(), [](const auto& entry) { return !entry.second; });
  if (found != needed.end()) return found->first;
  const bool lists = table.topics != nullptr || table.peers != nullptr;
  if (lists && (table.next_listed == nullptr || table.release_listing == nullptr))
    return "next_listed, release_listing";
  return {};
}

}  // namespace

ErrorText::ErrorText() noexcept
    : text_{.struct_size = sizeof(weir_text), .data = text_of_thread.data(), .capacity = text_of_thread.size()} {
  text_of_thread.front() = '\0';
}

tl::unexpected<Error> ErrorText::error(std::int32_t code) const {
  text_of_thread.back() = '\0';
  std::string message = text_of_thread.data();
  if (message.empty()) message = fmt::format("the plug-in says nothing about its error {}", code);
  return failure(error_code(code), std::move(message));
}

Result<std::shared_ptr<const OpenPlugin>> OpenPlugin::open(const weir_plugin* table, const std::string& origin) {
  if (table == nullptr) {
    return failure(ErrorCode::incompatible,
                   fmt::format("plug-in {}: it does not serve a host of version {}.{}: take one "
                               "that does",
                               origin, WEIR_PLUGIN_MAJOR, WEIR_PLUGIN_MINOR));
  }
  // These three are where they are in every version.
  if (table->major != WEIR_PLUGIN_MAJOR) {
    return failure(ErrorCode::incompatible,
                   fmt::format("plug-in {}: it is of version {}.{}, this host of {}.{}: build it with this plugin.h",
                               origin, table->major, table->minor, WEIR_PLUGIN_MAJOR, WEIR_PLUGIN_MINOR));
  }
  auto plugin = std::make_shared<OpenPlugin>();
  std::memcpy(&plugin->table, table, std::min<std::size_t>(table->struct_size, sizeof(weir_plugin)));
  if (const std::string_view lacks = missing(plugin->table); !lacks.empty()) {
    return failure(ErrorCode::incompatible,
                   fmt::format("plug-in {}: its table of {} bytes lacks the function {}: set it, and struct_size",
                               origin, table->struct_size, lacks));
  }
  ErrorText text;
  if (const std::int32_t code = plugin->table.open(&plugin->backend, text.out()); code != WEIR_OK) {
    plugin->backend = nullptr;
    return text.error(code);
  }
  return plugin;
}

OpenPlugin::~OpenPlugin() {
  if (backend != nullptr) table.release_backend(backend);
}

Result<std::unique_ptr<PluginStop>> PluginStop::make(const weir_plugin& table, const std::stop_token& stop) {
  std::unique_ptr<PluginStop> made(new PluginStop(table));
  if (!stop.stop_possible()) return made;
  ErrorText text;
  if (const std::int32_t code = table.make_stop(&made->handle_, text.out()); code != WEIR_OK) {
    made->handle_ = nullptr;
    return text.error(code);
  }
  made->callback_ = std::make_unique<std::stop_callback<Trigger>>(stop, Trigger{&table, made->handle_});
  return made;
}

PluginStop::~PluginStop() {
  callback_.reset();  // from here on nobody triggers it
  if (handle_ != nullptr) table_->release_stop(handle_);
}

Wake to_wake(std::int32_t wake) noexcept {
  return wake == WEIR_WAKE_READY ? Wake::ready : wake == WEIR_WAKE_INTERRUPTED ? Wake::interrupted : Wake::deadline;
}

std::vector<Peer> read_peers(const weir_plugin& table, weir_listing* listing) {
  std::vector<Peer> peers;
  for (weir_peer peer{}; peer = sized<weir_peer>(), table.next_listed(listing, &peer) != 0;) {
    peers.push_back(to_peer(peer));
  }
  table.release_listing(listing);
  return peers;
}

std::vector<TopicDescription> read_topics(const weir_plugin& table, weir_listing* listing) {
  std::vector<TopicDescription> topics;
  for (weir_peer peer{}; peer = sized<weir_peer>(), table.next_listed(listing, &peer) != 0;) {
    const std::string_view topic = peer.topic == nullptr ? "" : peer.topic;
    if (topics.empty() || topics.back().topic != topic) topics.push_back({.topic = std::string(topic), .peers = {}});
    if (peer.role != WEIR_NOBODY) topics.back().peers.push_back(to_peer(peer));
  }
  table.release_listing(listing);
  return topics;
}

}  // namespace weir::plugin
