#include "transport/shm/events.h"

#include <fcntl.h>
#include <unistd.h>

#include <cstddef>
#include <exception>

#include <fmt/format.h>

#include "transport/log.h"
#include "transport/shm/file.h"
#include "transport/shm/layout.h"

namespace weir::shm {

void tell_death(std::string_view topic, const Peer& peer) noexcept {
  spi::log(Severity::info, topic, [&] {
    return fmt::format("{} {:016x}{}{}{} of process {} was found dead", to_string(peer.role), peer.id,
                       peer.name.empty() ? "" : " \"", peer.name, peer.name.empty() ? "" : "\"", peer.pid);
  });
}

void tell_left_out(std::string_view topic, const Error& error) noexcept {
  spi::log(Severity::warning, topic, [&] { return fmt::format("a peer is left out: {}", error.message()); });
}

void tell_untrusted(std::string_view topic, std::string_view publisher) noexcept {
  spi::log(Severity::warning, topic, [&] {
    return fmt::format(
        "publisher \"{}\" did not leave before the machine went down: what it had kept is lost, and "
        "counted as lost",
        publisher);
  });
}

void tell_removed(int topic_directory, SegmentName segment) noexcept {
  const std::string topic = topic_in(topic_directory);
  spi::log(Severity::info, topic, [&] {
    return fmt::format("removed what {} {:016x} had left, whose process died", to_string(segment.role), segment.id);
  });
}

void tell_swept(std::string_view topic) noexcept {
  spi::log(Severity::info, topic, "removed the topic, which dead processes had left");
}

std::string topic_in(int topic_directory) noexcept {
  if (!spi::is_logged(Severity::info)) return {};
  try {
    const Result<File> file = open_file(topic_directory, topic_file, O_RDONLY, "cannot look");
    std::uint64_t size = 0;
    if (!file || pread(file->get(), &size, sizeof(size), offsetof(TopicHeader, topic_size)) != sizeof(size) ||
        size > max_topic_size) {
      return {};
    }
    std::string topic(size, '\0');
    const ssize_t read = pread(file->get(), topic.data(), size, offsetof(TopicHeader, topic));
    return read == static_cast<ssize_t>(size) ? topic : std::string();
  } catch (const std::exception&) {
    return {};
  }
}

}  // namespace weir::shm
