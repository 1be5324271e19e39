#include "transport/plugin_exporter.h"

#include <algorithm>
#include <cstring>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "transport/guard.h"
#include "transport/plugin_values.h"

// The handles of plugin.h.
struct weir_backend {
  std::shared_ptr<weir::spi::Backend> backend;
  std::vector<std::string> schemes;
  std::vector<std::string> option_keys;
};

struct weir_port {
  std::unique_ptr<weir::spi::PublisherPort> publisher;  // one of the two
  std::unique_ptr<weir::spi::SubscriberPort> subscriber;
  weir::MembershipEvent event;  // the last, whose name the host may read

  [[nodiscard]] weir::spi::Port& get() const noexcept {
    return publisher ? static_cast<weir::spi::Port&>(*publisher) : *subscriber;
  }
};

struct weir_listing {
  std::vector<weir::TopicDescription> topics;  // of a list of peers one without a name
  bool of_topics = false;
  std::size_t topic = 0;
  std::size_t peer = 0;
};

struct weir_stop {
  std::stop_source source;
};

namespace weir::plugin {
namespace {

// Runs a call that returns Status, with no exception out of it.
template <class Call>
std::int32_t answer(weir_text* error, Call&& call) noexcept {
  const Status status = spi::guarded(std::forward<Call>(call));
  return status ? static_cast<std::int32_t>(WEIR_OK) : report(status.error(), error);
}

Deadline deadline_of(std::int64_t nanoseconds) noexcept { return Deadline(std::chrono::nanoseconds(nanoseconds)); }

std::stop_token token_of(const weir_stop* stop) {
  return stop == nullptr ? std::stop_token() : stop->source.get_token();
}

// ---- The backend ----

std::int32_t open(weir_backend** backend, weir_text* error) noexcept {
  return answer(error, [&]() -> Status {
    auto opened = std::make_unique<weir_backend>();
    opened->backend = exported_backend();
    for (const std::string_view scheme : opened->backend->schemes()) opened->schemes.emplace_back(scheme);
    for (const std::string_view key : opened->backend->option_keys()) opened->option_keys.emplace_back(key);
    *backend = opened.release();
    return {};
  });
}

void release_backend(weir_backend* backend) noexcept { delete backend; }

const char* scheme(const weir_backend* backend, std::uint64_t index) noexcept {
  return index < backend->schemes.size() ? backend->schemes[index].c_str() : nullptr;
}
const char* option_key(const weir_backend* backend, std::uint64_t index) noexcept {
  return index < backend->option_keys.size() ? backend->option_keys[index].c_str() : nullptr;
}

std::int32_t capability(const weir_backend* backend, const weir_endpoint* endpoint, std::uint64_t index,
                        weir_value* value) noexcept {
  try {
    weir_value item{};
    if (!capability_at(backend->backend->capabilities(to_endpoint(*endpoint)), index, item)) return 0;
    std::memcpy(value, &item, std::min<std::size_t>(value->struct_size, sizeof(item)));
    return 1;
  } catch (...) {
    return 0;
  }
}

template <class Qos, class Open>
std::int32_t join(const weir_endpoint* endpoint, Result<Qos> qos, weir_port** port, weir_text* error, Open&& open) {
  return answer(error, [&]() -> Status {
    spi::adopt_process();  // of the copy of weir in this library
    if (!qos) return tl::unexpected(qos.error());
    return open(to_endpoint(*endpoint), *qos).map([&](weir_port opened) { *port = new weir_port(std::move(opened)); });
  });
}

std::int32_t open_publisher(weir_backend* backend, const weir_endpoint* endpoint, const weir_values* settings,
                            weir_port** port, weir_text* error) noexcept {
  return join(endpoint, to_publisher_qos(settings), port, error, [&](const Endpoint& where, const PublisherQos& qos) {
    return backend->backend->publisher(where, qos).map([](auto opened) {
      return weir_port{.publisher = std::move(opened), .subscriber = {}, .event = {}};
    });
  });
}

std::int32_t open_subscriber(weir_backend* backend, const weir_endpoint* endpoint, const weir_values* settings,
                             weir_port** port, weir_text* error) noexcept {
  return join(endpoint, to_subscriber_qos(settings), port, error, [&](const Endpoint& where, const SubscriberQos& qos) {
    return backend->backend->subscriber(where, qos).map([](auto opened) {
      return weir_port{.publisher = {}, .subscriber = std::move(opened), .event = {}};
    });
  });
}

std::int32_t topics(weir_backend* backend, const weir_endpoint* endpoint, weir_listing** listing,
                    weir_text* error) noexcept {
  return answer(error, [&] {
    return backend->backend->topics(to_endpoint(*endpoint)).map([&](auto all) {
      weir_listing found{.topics = std::move(all), .of_topics = true};
      *listing = std::make_unique<weir_listing>(std::move(found)).release();
    });
  });
}

std::int32_t remove_topic(weir_backend* backend, const weir_endpoint* endpoint, weir_text* error) noexcept {
  return answer(error, [&] { return backend->backend->remove(to_endpoint(*endpoint)); });
}

std::int32_t next_listed(weir_listing* listing, weir_peer* peer) noexcept {
  while (listing->topic < listing->topics.size()) {
    const TopicDescription& topic = listing->topics[listing->topic];
    auto entry = sized<weir_peer>();
    if (listing->peer < topic.peers.size()) {
      entry = to_c(topic.peers[listing->peer++]);
    } else {
      ++listing->topic;
      // One with peers has been told of.
      if (std::exchange(listing->peer, 0) > 0 || !listing->of_topics) continue;
    }
    if (listing->of_topics) entry.topic = topic.topic.c_str();
    std::memcpy(peer, &entry, std::min<std::size_t>(peer->struct_size, sizeof(entry)));
    return 1;
  }
  return 0;
}

void release_listing(weir_listing* listing) noexcept { delete listing; }

// ---- Both kinds of port ----

void close(weir_port* port) noexcept { port->get().close(); }
void release_port(weir_port* port) noexcept { delete port; }
std::uint64_t id(const weir_port* port) noexcept { return port->get().id(); }

std::int32_t wait(weir_port* port, std::int64_t deadline, weir_stop* stop, std::int32_t* wake,
                  weir_text* error) noexcept {
  return answer(error, [&] {
    return port->get().wait(deadline_of(deadline), token_of(stop)).map([&](Wake woke) {
      *wake = static_cast<std::int32_t>(woke);
    });
  });
}

std::int32_t descriptor(weir_port* port, std::int32_t* descriptor, weir_text* error) noexcept {
  return answer(error, [&] { return port->get().fd().map([&](int fd) { *descriptor = fd; }); });
}

std::int32_t next_event(weir_port* port, weir_peer* peer, std::int32_t* there, weir_text* error) noexcept {
  return answer(error, [&] {
    return port->get().next_event().map([&](std::optional<MembershipEvent> event) {
      *there = event ? 1 : 0;
      if (!event) return;
      port->event = std::move(*event);
      weir_peer entry = to_c(port->event.peer);
      entry.change = static_cast<std::uint32_t>(port->event.change);
      std::memcpy(peer, &entry, std::min<std::size_t>(peer->struct_size, sizeof(entry)));
    });
  });
}

std::int32_t peers(weir_port* port, weir_listing** listing, weir_text* error) noexcept {
  return answer(error, [&] {
    return port->get().peers().map([&](std::vector<Peer> all) {
      weir_listing found{.topics = {{.topic = "", .peers = std::move(all)}}, .of_topics = false};
      *listing = std::make_unique<weir_listing>(std::move(found)).release();
    });
  });
}

// ---- Publishers ----

spi::LoanRecord record_of(const weir_loan& loan) noexcept {
  return {.payload = static_cast<std::byte*>(loan.payload),
          .size = loan.size,
          .header = static_cast<std::byte*>(loan.header),
          .header_size = loan.header_size,
          .token = loan.token};
}

std::int32_t loan(weir_port* port, weir_loan* lent, weir_text* error) noexcept {
  return answer(error, [&]() -> Status {
    spi::LoanRecord record{};
    if (Status granted = port->publisher->loan({lent->size, lent->header_size, lent->alignment}, record); !granted) {
      return granted;
    }
    lent->payload = record.payload;
    lent->size = record.size;
    lent->header = record.header;
    lent->header_size = record.header_size;
    lent->token = record.token;
    return {};
  });
}

std::int32_t publish(weir_port* port, weir_loan* loan, const std::int64_t* deadline, std::uint64_t* sequence,
                     weir_text* error) noexcept {
  return answer(error, [&] {
    spi::LoanRecord record = record_of(*loan);
    const auto until = deadline == nullptr ? std::nullopt : std::optional<Deadline>(deadline_of(*deadline));
    return port->publisher->publish(record, until).map([&](std::uint64_t number) { *sequence = number; });
  });
}

void drop(weir_port* port, weir_loan* loan) noexcept {
  spi::LoanRecord record = record_of(*loan);
  port->publisher->drop(record);
}

std::uint64_t next_sequence(const weir_port* port) noexcept { return port->publisher->next_sequence(); }

std::int32_t wait_for_subscribers(weir_port* port, std::uint64_t count, std::int64_t deadline, weir_stop* stop,
                                  weir_text* error) noexcept {
  return answer(error,
                [&] { return port->publisher->wait_for_subscribers(count, deadline_of(deadline), token_of(stop)); });
}

std::int32_t wait_until_taken(weir_port* port, std::uint64_t sequence, std::int64_t deadline, weir_stop* stop,
                              weir_text* error) noexcept {
  return answer(error,
                [&] { return port->publisher->wait_until_taken(sequence, deadline_of(deadline), token_of(stop)); });
}

// ---- Subscribers ----

spi::SampleRecord record_of(const weir_sample& sample) noexcept {
  return {.payload = static_cast<const std::byte*>(sample.payload),
          .size = sample.size,
          .header = static_cast<const std::byte*>(sample.header),
          .header_size = sample.header_size,
          .publisher = sample.publisher,
          .sequence = sample.sequence,
          .lost_before = sample.lost_before,
          .time = sample.time,
          .token = sample.token};
}

std::int32_t in_hand_at_death(weir_port* port, std::uint64_t index, std::uint64_t* publisher, std::uint64_t* sequence,
                              std::int32_t* there, weir_text* error) noexcept {
  return answer(error, [&] {
    return port->subscriber->in_hand_at_death().map([&](const std::vector<InHand>& all) {
      *there = index < all.size() ? 1 : 0;
      if (index < all.size()) {
        *publisher = all[index].publisher;
        *sequence = all[index].sequence;
      }
    });
  });
}

std::int32_t take(weir_port* port, weir_sample* sample, std::int32_t* taken, weir_text* error) noexcept {
  return answer(error, [&]() -> Status {
    spi::SampleRecord record{};
    const Result<bool> there = port->subscriber->take(record);
    if (!there) return tl::unexpected(there.error());
    *taken = *there ? 1 : 0;
    if (!*there) return {};
    sample->payload = record.payload;
    sample->size = record.size;
    sample->header = record.header;
    sample->header_size = record.header_size;
    sample->publisher = record.publisher;
    sample->sequence = record.sequence;
    sample->lost_before = record.lost_before;
    sample->time = record.time;
    sample->token = record.token;
    return {};
  });
}

void release(weir_port* port, weir_sample* sample) noexcept {
  spi::SampleRecord record = record_of(*sample);
  port->subscriber->release(record);
}

std::int64_t publish_time(const weir_port* port, const weir_sample* sample) noexcept {
  return port->subscriber->publish_time(record_of(*sample)).time_since_epoch().count();
}

// ---- Stops ----

std::int32_t make_stop(weir_stop** stop, weir_text* error) noexcept {
  return answer(error, [&]() -> Status {
    *stop = std::make_unique<weir_stop>().release();
    return {};
  });
}
void trigger_stop(weir_stop* stop) noexcept { stop->source.request_stop(); }
void release_stop(weir_stop* stop) noexcept { delete stop; }

constexpr weir_plugin table{
    .struct_size = sizeof(weir_plugin),
    .major = WEIR_PLUGIN_MAJOR,
    .minor = WEIR_PLUGIN_MINOR,
    .name = "a backend of weir",
    .open = open,
    .release_backend = release_backend,
    .scheme = scheme,
    .option_key = option_key,
    .capability = capability,
    .open_publisher = open_publisher,
    .open_subscriber = open_subscriber,
    .topics = topics,
    .remove_topic = remove_topic,
    .next_listed = next_listed,
    .release_listing = release_listing,
    .close = close,
    .release_port = release_port,
    .id = id,
    .wait = wait,
    .descriptor = descriptor,
    .next_event = next_event,
    .peers = peers,
    .loan = loan,
    .publish = publish,
    .drop = drop,
    .next_sequence = next_sequence,
    .wait_for_subscribers = wait_for_subscribers,
    .take = take,
    .release = release,
    .publish_time = publish_time,
    .make_stop = make_stop,
    .trigger_stop = trigger_stop,
    .release_stop = release_stop,
    .wait_until_taken = wait_until_taken,
    .in_hand_at_death = in_hand_at_death,
};

}  // namespace
}  // namespace weir::plugin

const weir_plugin* weir_plugin_entry(std::uint32_t host_major, std::uint32_t /*host_minor*/) {
  return host_major == WEIR_PLUGIN_MAJOR ? &weir::plugin::table : nullptr;
}
