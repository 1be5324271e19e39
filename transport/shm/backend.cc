#include "transport/shm/backend.h"

#include <array>
#include <mutex>
#include <set>
#include <utility>

#include <fmt/format.h>

#include "transport/shm/janitor.h"
#include "transport/shm/listing.h"
#include "transport/shm/publisher_port.h"
#include "transport/shm/root.h"
#include "transport/shm/subscriber_port.h"

namespace weir::shm {
namespace {

constexpr std::array<std::string_view, 1> served_schemes{"shm"};
constexpr std::array<std::string_view, 5> own_options{"fit", "mlock", "prefault", "publish_time", "root"};

Capabilities promise() noexcept {
  Capabilities promise;
  promise.zero_copy = true;
  promise.across_processes = true;
  promise.sequence = true;
  promise.exact_loss = true;
  promise.publish_time = true;
  promise.user_header = true;
  promise.types = true;
  promise.drop_oldest = true;
  promise.lossless_block = true;
  promise.lossless_reject = true;
  promise.negotiates_policy = true;
  promise.exact_depth = true;
  promise.survives_publisher = true;
  promise.persistence = true;
  promise.in_hand_list = true;
  promise.death_events = true;
  promise.lists_topics = true;
  promise.acknowledgement = true;
  promise.membership = MembershipView::full;
  promise.max_depth = max_slots - 1;
  promise.max_history = max_slots - 1;
  promise.max_header = spi::max_header_size;
  promise.max_held = max_pins;
  promise.max_loans = max_loans;
  return promise;
}

class ShmBackend final : public spi::Backend {
 public:
  [[nodiscard]] std::span<const std::string_view> schemes() const noexcept override { return served_schemes; }
  [[nodiscard]] std::span<const std::string_view> option_keys() const noexcept override { return own_options; }
  [[nodiscard]] Capabilities capabilities(const Endpoint& /*endpoint*/) const noexcept override { return promised(); }

  Result<std::unique_ptr<spi::PublisherPort>> publisher(const Endpoint& endpoint, const PublisherQos& qos) override {
    return directory(endpoint).and_then(
        [&](std::unique_ptr<TopicDirectory>&& topic) { return PublisherPort::join(std::move(topic), qos); });
  }

  Result<std::unique_ptr<spi::SubscriberPort>> subscriber(const Endpoint& endpoint, const SubscriberQos& qos) override {
    return directory(endpoint).and_then(
        [&](std::unique_ptr<TopicDirectory>&& topic) { return SubscriberPort::join(std::move(topic), qos); });
  }

  Result<std::vector<TopicDescription>> topics(const Endpoint& backend) override {
    Endpoint any = backend;
    any.topic = "any";
    const Result<Place> place = place_of(any);
    if (!place) {
      return tl::unexpected(place.error());
    }
    const Result<File> root = open_root(place->root);
    if (!root) {
      return tl::unexpected(root.error());
    }
    sweep(root->get());
    return list_topics(root->get());
  }

  Status remove(const Endpoint& endpoint) override {
    const Result<Place> place = place_of(endpoint);
    if (!place) {
      return tl::unexpected(place.error());
    }
    const Result<File> root = open_root(place->root);
    if (!root) {
      return tl::unexpected(root.error());
    }
    switch (erase_topic(root->get(), place->name)) {
      case Erased::gone:
        return {};
      case Erased::not_there:
        return failure(ErrorCode::not_found, fmt::format("topic \"{}\": nobody has made it under {}: see the topics "
                                                         "that are there, or give another root",
                                                         endpoint.topic, place->root));
      case Erased::in_use:
        return failure(
            ErrorCode::name_taken,
            fmt::format("topic \"{}\": it is in use: let its publishers and subscribers leave first", endpoint.topic));
      case Erased::files_stay:
        break;
    }
    return failure(ErrorCode::permission_denied,
                   fmt::format("topic \"{}\": {}/{} holds what is not ours, or may not be removed: look into it",
                               endpoint.topic, place->root, place->name));
  }

 private:
  // Joins the topic's directory; the first time that this backend sees a root, sweeps it.
  Result<std::unique_ptr<TopicDirectory>> directory(const Endpoint& endpoint) {
    const Result<Place> place = place_of(endpoint);
    if (!place) {
      return tl::unexpected(place.error());
    }
    File root;
    // An absolute topic lies among the user's own files: there only the topic itself is ours.
    if (!endpoint.topic.starts_with('/') && !was_swept(place->root)) {
      if (Result<File> opened = open_root(place->root)) {
        root = std::move(*opened);
        sweep(root.get());  // without the lock: it tells the log
        note_swept(place->root);
      }
    }
    return TopicDirectory::join(*place, std::move(root));
  }

  bool was_swept(const std::string& root) {
    const std::lock_guard<std::mutex> lock(mutex_);
    return swept_.contains(root);
  }
  void note_swept(const std::string& root) {
    const std::lock_guard<std::mutex> lock(mutex_);
    swept_.insert(root);
  }

  std::mutex mutex_;
  std::set<std::string> swept_;
};

}  // namespace

const Capabilities& promised() noexcept {
  static const Capabilities capabilities = promise();
  return capabilities;
}

std::shared_ptr<spi::Backend> make_backend() { return std::make_shared<ShmBackend>(); }

}  // namespace weir::shm
