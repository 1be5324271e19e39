#include "adapters/zeromq_plugin/topics.h"

#include <fcntl.h>

#include <cerrno>
#include <string>
#include <utility>

#include <fmt/format.h>
#include <zmq.h>

#include "transport/process.h"
#include "transport/shm/backend.h"
#include "transport/shm/names.h"
#include "transport/shm/root.h"

namespace weir::zmq_plugin {
namespace {

spi::Backend& backend() {
  static const std::shared_ptr<spi::Backend> shm = shm::make_backend();
  spi::adopt_process();
  return *shm;
}

// Of the topic's page of counters, whose first byte is its users'.
constexpr shm::LockRange binders_byte{1LL << 40, 1};

// libzmq tells apart what has run out, as the system does; weir names the system's number in its message.
int exhausted(const Error& error) noexcept {
  for (const auto& [name, number] : {std::pair("(EMFILE)", EMFILE), {"(ENFILE)", ENFILE}, {"(ENOSPC)", ENOSPC}}) {
    if (error.message().find(name) != std::string::npos) return number;
  }
  return ENOMEM;
}

}  // namespace

Result<std::unique_ptr<spi::PublisherPort>> join_as_publisher(const Endpoint& topic, const PublisherQos& qos) {
  return backend().publisher(topic, qos);
}

Result<std::unique_ptr<spi::SubscriberPort>> join_as_subscriber(const Endpoint& topic, const SubscriberQos& qos) {
  return backend().subscriber(topic, qos);
}

Result<Binding> Binding::make(const Endpoint& topic) {
  spi::adopt_process();
  const Result<shm::Place> place = shm::place_of(topic);
  if (!place) return tl::unexpected(place.error());
  Result<std::unique_ptr<shm::TopicDirectory>> joined = shm::TopicDirectory::join(*place);
  if (!joined) return tl::unexpected(joined.error());
  const std::string what = fmt::format("topic \"{}\": binding it", topic.topic);
  Result<shm::File> file = shm::open_file((*joined)->descriptor(), shm::epoch_file, O_RDWR, what);
  if (!file) return tl::unexpected(file.error());
  Result<std::optional<shm::Lock>> lock =
      shm::Lock::try_take(std::move(*file), binders_byte, shm::LockKind::exclusive, what);
  if (!lock) return tl::unexpected(lock.error());
  if (!*lock) {
    return failure(ErrorCode::name_taken,
                   fmt::format("topic \"{}\": somebody has bound it: connect to it", topic.topic));
  }
  Binding binding;
  binding.topic_ = std::move(*joined);
  binding.lock_ = std::move(**lock);
  return binding;
}

int error_number(const Error& error) noexcept {
  switch (error.code()) {
    case ErrorCode::name_taken:
      return EADDRINUSE;
    case ErrorCode::permission_denied:
      return EACCES;
    case ErrorCode::resource_exhausted:
      return exhausted(error);
    case ErrorCode::limit_exceeded:
      return ENOMEM;
    case ErrorCode::incompatible:
      return ENOCOMPATPROTO;
    case ErrorCode::unsupported:
      return EPROTONOSUPPORT;
    case ErrorCode::not_found:
    case ErrorCode::unavailable:
      return EADDRNOTAVAIL;
    default:
      return EINVAL;
  }
}

}  // namespace weir::zmq_plugin
