// What all of the host's side of a plug-in shares: its table of functions, brought to this version's size, and the
// calls that turn its answers into weir's.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <stop_token>
#include <string>
#include <vector>

#include "transport/backend.h"
#include "transport/plugin.h"
#include "transport/plugin_values.h"

namespace weir::plugin {

// A text for one call of a plug-in. A thread has one, as a sentence with an endpoint is long and the hot calls need
// none.
class ErrorText {
 public:
  ErrorText() noexcept;
  [[nodiscard]] weir_text* out() noexcept { return &text_; }
  // What the plug-in said, of a code that is not WEIR_OK.
  [[nodiscard]] tl::unexpected<Error> error(std::int32_t code) const;

 private:
  weir_text text_;
};

// An open backend with its table; ports hold it, so that it is released last.
struct OpenPlugin {
  // Errors: incompatible; those of the plug-in.
  [[nodiscard]] static Result<std::shared_ptr<const OpenPlugin>> open(const weir_plugin* table,
                                                                      const std::string& origin);
  OpenPlugin() = default;
  OpenPlugin(const OpenPlugin&) = delete;
  OpenPlugin& operator=(const OpenPlugin&) = delete;
  ~OpenPlugin();

  weir_plugin table{};  // fields that the plug-in is too old for are null
  weir_backend* backend = nullptr;
};

// A stop token as a plug-in knows it, for one wait.
class PluginStop {
 public:
  // Errors: those of make_stop.
  [[nodiscard]] static Result<std::unique_ptr<PluginStop>> make(const weir_plugin& table, const std::stop_token& stop);
  PluginStop(const PluginStop&) = delete;
  PluginStop& operator=(const PluginStop&) = delete;
  ~PluginStop();
  // Null if the token can never be triggered.
  [[nodiscard]] weir_stop* handle() const noexcept { return handle_; }

 private:
  struct Trigger {
    const weir_plugin* table;
    weir_stop* handle;
    void operator()() const noexcept { table->trigger_stop(handle); }
  };
  explicit PluginStop(const weir_plugin& table) : table_(&table) {}

  const weir_plugin* table_;
  weir_stop* handle_ = nullptr;
  std::unique_ptr<std::stop_callback<Trigger>> callback_;
};

[[nodiscard]] Wake to_wake(std::int32_t wake) noexcept;

// Reads a listing to its end and releases it.
[[nodiscard]] std::vector<Peer> read_peers(const weir_plugin& table, weir_listing* listing);
[[nodiscard]] std::vector<TopicDescription> read_topics(const weir_plugin& table, weir_listing* listing);

// The ports of plugin_port.cc.
[[nodiscard]] std::unique_ptr<spi::PublisherPort> make_publisher_port(std::shared_ptr<const OpenPlugin> plugin,
                                                                      weir_port* port, const Capabilities& promised);
[[nodiscard]] std::unique_ptr<spi::SubscriberPort> make_subscriber_port(std::shared_ptr<const OpenPlugin> plugin,
                                                                        weir_port* port, const Capabilities& promised);

}  // namespace weir::plugin
