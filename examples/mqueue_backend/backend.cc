#include "backend.h"

#include <array>
#include <string_view>

#include <fmt/format.h>

#include "publisher.h"
#include "subscriber.h"
#include "topic.h"

namespace mqueue {
namespace {

constexpr weir::Capabilities promised = {
    .across_processes = true,
    .sequence = true,
    .exact_loss = true,
    .publish_time = true,
    .user_header = true,
    .drop_oldest = true,
    .drop_newest = true,
    .exact_depth = true,
    .survives_publisher = true,
    .membership = weir::MembershipView::subscriptions,
    .max_history = 0,
    .max_header = weir::spi::max_header_size,
};

class Backend final : public weir::spi::Backend {
 public:
  [[nodiscard]] std::span<const std::string_view> schemes() const noexcept override {
    static constexpr std::array<std::string_view, 1> served{"mq"};
    return served;
  }
  [[nodiscard]] std::span<const std::string_view> option_keys() const noexcept override {
    static constexpr std::array<std::string_view, 1> own{"root"};
    return own;
  }
  [[nodiscard]] weir::Capabilities capabilities(const weir::Endpoint& /*endpoint*/) const noexcept override {
    return promised;
  }

  weir::Result<std::unique_ptr<weir::spi::PublisherPort>> publisher(const weir::Endpoint& endpoint,
                                                                    const weir::PublisherQos& qos) override {
    if (qos.type) return no_types(endpoint);
    return topic(endpoint).map([&](Topic at) -> std::unique_ptr<weir::spi::PublisherPort> {
      return std::make_unique<Publisher>(std::move(at), qos, promised);
    });
  }
  weir::Result<std::unique_ptr<weir::spi::SubscriberPort>> subscriber(const weir::Endpoint& endpoint,
                                                                      const weir::SubscriberQos& qos) override {
    if (qos.type) return no_types(endpoint);
    return topic(endpoint).and_then([&](Topic at) { return Subscriber::join(std::move(at), qos, promised); });
  }

 private:
  static tl::unexpected<weir::Error> no_types(const weir::Endpoint& endpoint) {
    return weir::failure(weir::ErrorCode::unsupported,
                         fmt::format("endpoint \"{}\": mq does not compare types: leave type out", endpoint.text()));
  }
  static weir::Result<Topic> topic(const weir::Endpoint& endpoint) {
    return Topic::at(endpoint).map([](Topic at) {
      at.sweep_root();
      return at;
    });
  }
};

}  // namespace

std::shared_ptr<weir::spi::Backend> make_backend() { return std::make_shared<Backend>(); }

}  // namespace mqueue
