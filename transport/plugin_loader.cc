#include "transport/plugin_loader.h"

#include <dlfcn.h>

#include <new>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "transport/guard.h"
#include "transport/plugin_host.h"
#include "transport/plugin_values.h"

namespace weir {
namespace {

// An endpoint as a plug-in reads it; the texts are the endpoint's.
class EndpointForPlugin {
 public:
  explicit EndpointForPlugin(const Endpoint& endpoint) {
    plugin::add_options(endpoint, options_);
    endpoint_ = {.struct_size = sizeof(weir_endpoint),
                 .scheme = endpoint.scheme.c_str(),
                 .topic = endpoint.topic.c_str(),
                 .options = options_.values()};
  }
  [[nodiscard]] const weir_endpoint* get() const noexcept { return &endpoint_; }

 private:
  plugin::ValueList options_;
  weir_endpoint endpoint_{};
};

std::vector<std::string_view> read_words(const weir_backend* backend,
                                         const char* (*word)(const weir_backend*, std::uint64_t)) {
  std::vector<std::string_view> words;
  for (const char* each = word(backend, 0); each != nullptr; each = word(backend, words.size()))
    words.emplace_back(each);
  return words;
}

// Texts cross the interface with a NUL at their end.
Status check_texts(const Endpoint& endpoint, std::initializer_list<std::string_view> texts) {
  for (const std::string_view text : texts) {
    if (text.find('\0') != std::string_view::npos) {
      return failure(ErrorCode::invalid_argument,
                     fmt::format("endpoint \"{}\": a name with a NUL byte cannot be given to a plug-in: leave it out",
                                 endpoint.text()));
    }
  }
  return {};
}

class PluginBackend final : public spi::Backend {
 public:
  explicit PluginBackend(std::shared_ptr<const plugin::OpenPlugin> opened)
      : plugin_(std::move(opened)),
        schemes_(read_words(plugin_->backend, table().scheme)),
        option_keys_(read_words(plugin_->backend, table().option_key)) {}

  [[nodiscard]] std::span<const std::string_view> schemes() const noexcept override { return schemes_; }
  [[nodiscard]] std::span<const std::string_view> option_keys() const noexcept override { return option_keys_; }

  // Without memory to ask with, nothing is promised.
  [[nodiscard]] Capabilities capabilities(const Endpoint& endpoint) const noexcept override try {
    return read_capabilities(endpoint);
  } catch (const std::bad_alloc&) {
    return {};
  }

  Result<std::unique_ptr<spi::PublisherPort>> publisher(const Endpoint& endpoint, const PublisherQos& qos) override {
    const Capabilities promised = read_capabilities(endpoint);
    return join(endpoint, qos, table().open_publisher).map([&](weir_port* port) {
      return plugin::make_publisher_port(plugin_, port, promised);
    });
  }

  Result<std::unique_ptr<spi::SubscriberPort>> subscriber(const Endpoint& endpoint, const SubscriberQos& qos) override {
    const Capabilities promised = read_capabilities(endpoint);
    return join(endpoint, qos, table().open_subscriber).map([&](weir_port* port) {
      return plugin::make_subscriber_port(plugin_, port, promised);
    });
  }

  Result<std::vector<TopicDescription>> topics(const Endpoint& backend) override {
    if (table().topics == nullptr) return Backend::topics(backend);
    const EndpointForPlugin asked(backend);
    plugin::ErrorText text;
    weir_listing* listing = nullptr;
    const std::int32_t code = table().topics(plugin_->backend, asked.get(), &listing, text.out());
    if (code != WEIR_OK) return text.error(code);
    return plugin::read_topics(table(), listing);
  }

  Status remove(const Endpoint& endpoint) override {
    if (table().remove_topic == nullptr) return Backend::remove(endpoint);
    const EndpointForPlugin asked(endpoint);
    plugin::ErrorText text;
    const std::int32_t code = table().remove_topic(plugin_->backend, asked.get(), text.out());
    if (code != WEIR_OK) return text.error(code);
    return {};
  }

 private:
  using Opening = std::int32_t (*)(weir_backend*, const weir_endpoint*, const weir_values*, weir_port**, weir_text*);

  [[nodiscard]] const weir_plugin& table() const noexcept { return plugin_->table; }

  [[nodiscard]] Capabilities read_capabilities(const Endpoint& endpoint) const {
    const EndpointForPlugin asked(endpoint);
    Capabilities promised;
    for (std::uint64_t index = 0;; ++index) {
      auto value = plugin::sized<weir_value>();
      if (table().capability(plugin_->backend, asked.get(), index, &value) == 0) return promised;
      if (value.key != nullptr) plugin::set_capability(value, promised);
    }
  }

  template <class Qos>
  Result<weir_port*> join(const Endpoint& endpoint, const Qos& qos, Opening open) {
    plugin::ValueList settings;
    plugin::add_values(qos, settings);
    if (Status fit = check_texts(endpoint, {qos.name, qos.type ? std::string_view(qos.type->name) : ""}); !fit) {
      return tl::unexpected(fit.error());
    }
    const EndpointForPlugin asked(endpoint);
    plugin::ErrorText text;
    weir_port* port = nullptr;
    const std::int32_t code = open(plugin_->backend, asked.get(), settings.values(), &port, text.out());
    if (code != WEIR_OK) return text.error(code);
    return port;
  }

  std::shared_ptr<const plugin::OpenPlugin> plugin_;
  std::vector<std::string_view> schemes_;
  std::vector<std::string_view> option_keys_;
};

}  // namespace

Result<std::shared_ptr<spi::Backend>> open_plugin(const weir_plugin* table, const std::string& origin) {
  return spi::guarded([&]() -> Result<std::shared_ptr<spi::Backend>> {
    auto opened = plugin::OpenPlugin::open(table, origin);
    if (!opened) return tl::unexpected(opened.error());
    return std::make_shared<PluginBackend>(std::move(*opened));
  });
}

Result<std::shared_ptr<spi::Backend>> load_plugin(const std::string& path) {
  return spi::guarded([&]() -> Result<std::shared_ptr<spi::Backend>> {
    // Never unloaded: what threads, descriptors and thread-locals it has nobody can see from here.
    void* library = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
    if (library == nullptr) {
      const char* reason = dlerror();
      return failure(ErrorCode::not_found,
                     fmt::format("plug-in {}: it cannot be loaded: {}: give the path of a library "
                                 "that can",
                                 path, reason == nullptr ? "no reason given" : reason));
    }
    void* symbol = dlsym(library, "weir_plugin_entry");
    if (symbol == nullptr) {
      return failure(ErrorCode::incompatible,
                     fmt::format("plug-in {}: it has no function weir_plugin_entry: export it as plugin.h says", path));
    }
    const auto entry = reinterpret_cast<decltype(&weir_plugin_entry)>(symbol);
    return open_plugin(entry(WEIR_PLUGIN_MAJOR, WEIR_PLUGIN_MINOR), path);
  });
}

}  // namespace weir
