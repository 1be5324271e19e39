// The ports of a plug-in as weir's handles know them: each call is one call of its table.
#include <utility>

#include <fmt/format.h>

#include "transport/plugin_host.h"

namespace weir::plugin {
namespace {

// `Interface` is spi::PublisherPort or spi::SubscriberPort.
template <class Interface>
class PluginPort : public Interface {
 public:
  PluginPort(std::shared_ptr<const OpenPlugin> plugin, weir_port* port, const Capabilities& promised)
      : plugin_(std::move(plugin)), port_(port), promised_(promised), id_(table().id(port)) {}
  PluginPort(const PluginPort&) = delete;
  PluginPort& operator=(const PluginPort&) = delete;
  ~PluginPort() override {
    close();
    table().release_port(port_);
  }

  void close() noexcept final {
    if (!std::exchange(closed_, true)) table().close(port_);
  }
  [[nodiscard]] PeerId id() const noexcept final { return id_; }
  [[nodiscard]] const Capabilities& capabilities() const noexcept final { return promised_; }

  Result<Wake> wait(Deadline deadline, const std::stop_token& stop) final {
    const auto ended_by = PluginStop::make(table(), stop);
    if (!ended_by) return tl::unexpected(ended_by.error());
    ErrorText text;
    std::int32_t wake = WEIR_WAKE_DEADLINE;
    const std::int32_t code =
        table().wait(port_, deadline.time_since_epoch().count(), (*ended_by)->handle(), &wake, text.out());
    if (code != WEIR_OK) return text.error(code);
    return to_wake(wake);
  }

  Result<int> fd() final {
    ErrorText text;
    std::int32_t descriptor = -1;
    const std::int32_t code = table().descriptor(port_, &descriptor, text.out());
    if (code != WEIR_OK) return text.error(code);
    return descriptor;
  }

  Result<std::optional<MembershipEvent>> next_event() final {
    if (table().next_event == nullptr) return unsupported("membership events");
    ErrorText text;
    auto peer = sized<weir_peer>();
    std::int32_t there = 0;
    const std::int32_t code = table().next_event(port_, &peer, &there, text.out());
    if (code != WEIR_OK) return text.error(code);
    if (there == 0) return std::optional<MembershipEvent>();
    const Change change = peer.change == WEIR_JOINED ? Change::joined
                          : peer.change == WEIR_LEFT ? Change::left
                                                     : Change::died;
    return MembershipEvent{.change = change, .peer = to_peer(peer)};
  }

  Result<std::vector<Peer>> peers() final {
    if (table().peers == nullptr) return unsupported("a list of peers");
    ErrorText text;
    weir_listing* listing = nullptr;
    const std::int32_t code = table().peers(port_, &listing, text.out());
    if (code != WEIR_OK) return text.error(code);
    return read_peers(table(), listing);
  }

 protected:
  [[nodiscard]] const weir_plugin& table() const noexcept { return plugin_->table; }
  [[nodiscard]] weir_port* port() const noexcept { return port_; }
  [[nodiscard]] tl::unexpected<Error> unsupported(std::string_view what) const {
    return failure(ErrorCode::unsupported,
                   fmt::format("endpoint \"{}\": its plug-in has no {}: do without, or use another backend",
                               this->endpoint_text, what));
  }

 private:
  std::shared_ptr<const OpenPlugin> plugin_;
  weir_port* port_;
  Capabilities promised_;
  PeerId id_;
  bool closed_ = false;
};

class PluginPublisherPort final : public PluginPort<spi::PublisherPort> {
 public:
  using PluginPort::PluginPort;

  Status loan(const spi::LoanRequest& request, spi::LoanRecord& record) override {
    ErrorText text;
    auto loan = sized<weir_loan>();
    loan.size = request.size;
    loan.header_size = request.header_size;
    loan.alignment = request.alignment;
    const std::int32_t code = table().loan(port(), &loan, text.out());
    if (code != WEIR_OK) return text.error(code);
    record = {.payload = static_cast<std::byte*>(loan.payload),
              .size = loan.size,
              .header = static_cast<std::byte*>(loan.header),
              .header_size = loan.header_size,
              .token = loan.token};
    return {};
  }

  Result<std::uint64_t> publish(spi::LoanRecord& record, std::optional<Deadline> deadline) override {
    ErrorText text;
    weir_loan loan = to_c(record);
    const std::int64_t until = deadline ? deadline->time_since_epoch().count() : 0;
    std::uint64_t sequence = spi::no_sequence;
    const std::int32_t code = table().publish(port(), &loan, deadline ? &until : nullptr, &sequence, text.out());
    if (code != WEIR_OK) return text.error(code);
    return sequence;
  }

  void drop(spi::LoanRecord& record) noexcept override {
    weir_loan loan = to_c(record);
    table().drop(port(), &loan);
  }

  [[nodiscard]] std::uint64_t next_sequence() const noexcept override {
    return table().next_sequence == nullptr ? spi::no_sequence : table().next_sequence(port());
  }

  Status wait_for_subscribers(std::uint64_t count, Deadline deadline, const std::stop_token& stop) override {
    if (table().wait_for_subscribers == nullptr) return unsupported("count of subscribers");
    const auto ended_by = PluginStop::make(table(), stop);
    if (!ended_by) return tl::unexpected(ended_by.error());
    ErrorText text;
    const std::int32_t code = table().wait_for_subscribers(port(), count, deadline.time_since_epoch().count(),
                                                           (*ended_by)->handle(), text.out());
    if (code != WEIR_OK) return text.error(code);
    return {};
  }

  Status wait_until_taken(std::uint64_t sequence, Deadline deadline, const std::stop_token& stop) override {
    if (table().wait_until_taken == nullptr) return unsupported("knowledge of what is taken");
    const auto ended_by = PluginStop::make(table(), stop);
    if (!ended_by) return tl::unexpected(ended_by.error());
    ErrorText text;
    const std::int32_t code = table().wait_until_taken(port(), sequence, deadline.time_since_epoch().count(),
                                                       (*ended_by)->handle(), text.out());
    if (code != WEIR_OK) return text.error(code);
    return {};
  }

 private:
  static weir_loan to_c(const spi::LoanRecord& record) noexcept {
    return {.struct_size = sizeof(weir_loan),
            .size = record.size,
            .header_size = record.header_size,
            .alignment = 1,
            .payload = record.payload,
            .header = record.header,
            .token = record.token};
  }
};

class PluginSubscriberPort final : public PluginPort<spi::SubscriberPort> {
 public:
  using PluginPort::PluginPort;

  Result<bool> take(spi::SampleRecord& record) override {
    ErrorText text;
    auto sample = sized<weir_sample>();
    std::int32_t there = 0;
    const std::int32_t code = table().take(port(), &sample, &there, text.out());
    if (code != WEIR_OK) return text.error(code);
    if (there == 0) return false;
    record = {.payload = static_cast<const std::byte*>(sample.payload),
              .size = sample.size,
              .header = static_cast<const std::byte*>(sample.header),
              .header_size = sample.header_size,
              .publisher = sample.publisher,
              .sequence = sample.sequence,
              .lost_before = sample.lost_before,
              .time = sample.time,
              .token = sample.token};
    return true;
  }

  Result<std::vector<InHand>> in_hand_at_death() override {
    if (table().in_hand_at_death == nullptr) return unsupported("knowledge of what was in hand");
    std::vector<InHand> all;
    for (std::int32_t there = 1; there != 0;) {
      ErrorText text;
      InHand one;
      const std::int32_t code =
          table().in_hand_at_death(port(), all.size(), &one.publisher, &one.sequence, &there, text.out());
      if (code != WEIR_OK) return text.error(code);
      if (there != 0) all.push_back(one);
    }
    return all;
  }

  void release(spi::SampleRecord& record) noexcept override {
    weir_sample sample = to_c(record);
    table().release(port(), &sample);
  }

  [[nodiscard]] std::chrono::steady_clock::time_point publish_time(
      const spi::SampleRecord& record) const noexcept override {
    if (table().publish_time == nullptr) return SubscriberPort::publish_time(record);
    const weir_sample sample = to_c(record);
    return std::chrono::steady_clock::time_point(std::chrono::nanoseconds(table().publish_time(port(), &sample)));
  }

 private:
  static weir_sample to_c(const spi::SampleRecord& record) noexcept {
    return {.struct_size = sizeof(weir_sample),
            .payload = record.payload,
            .size = record.size,
            .header = record.header,
            .header_size = record.header_size,
            .publisher = record.publisher,
            .sequence = record.sequence,
            .lost_before = record.lost_before,
            .time = record.time,
            .token = record.token};
  }
};

}  // namespace

std::unique_ptr<spi::PublisherPort> make_publisher_port(std::shared_ptr<const OpenPlugin> plugin, weir_port* port,
                                                        const Capabilities& promised) {
  return std::make_unique<PluginPublisherPort>(std::move(plugin), port, promised);
}

std::unique_ptr<spi::SubscriberPort> make_subscriber_port(std::shared_ptr<const OpenPlugin> plugin, weir_port* port,
                                                          const Capabilities& promised) {
  return std::make_unique<PluginSubscriberPort>(std::move(plugin), port, promised);
}

}  // namespace weir::plugin
