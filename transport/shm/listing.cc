#include "transport/shm/listing.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <optional>
#include <string>

#include "transport/shm/file.h"
#include "transport/shm/layout.h"
#include "transport/shm/lock.h"
#include "transport/shm/names.h"
#include "transport/shm/root.h"

namespace weir::shm {
namespace {

constexpr std::string_view listing = "listing";

template <class Header>
std::optional<Header> header_of(int directory, const std::string& name, std::uint64_t magic) {
  const Result<File> file = open_file(directory, name, O_RDONLY, listing);
  Header header{};
  if (!file || pread(file->get(), &header, sizeof(header), 0) != sizeof(header) || header.magic != magic ||
      header.version != layout_version) {
    return std::nullopt;
  }
  return header;
}

std::optional<Peer> peer_of(int directory, SegmentName segment) {
  const std::string name = segment_name(segment.role, segment.id);
  const std::uint64_t magic = segment.role == Role::publisher ? publisher_magic : subscriber_magic;
  const auto header = header_of<SegmentHeader>(directory, name, magic);
  const Result<File> file = open_file(directory, name, O_RDONLY, listing);
  if (!header || !file) {
    return std::nullopt;
  }
  const std::size_t name_size = std::min<std::size_t>(header->name_size, sizeof(header->name));
  return Peer{.role = segment.role,
              .id = segment.id,
              .name = std::string(header->name, name_size),
              .pid = header->pid,
              .alive = is_locked(*file, owner_byte)};
}

}  // namespace

std::vector<TopicDescription> list_topics(int root) {
  std::vector<TopicDescription> topics;
  for (const std::string& entry : entries_of(root)) {
    const Result<File> directory = open_file(root, entry, O_RDONLY | O_DIRECTORY, listing);
    if (!directory) {
      continue;
    }
    const auto header = header_of<TopicHeader>(directory->get(), topic_file, topic_magic);
    if (!header || header->topic_size > max_topic_size) {
      continue;
    }
    TopicDescription description{.topic = std::string(header->topic, header->topic_size), .peers = {}};
    for (const std::string& name : entries_of(directory->get())) {
      if (const auto segment = parse_segment_name(name)) {
        if (auto peer = peer_of(directory->get(), *segment)) {
          description.peers.push_back(std::move(*peer));
        }
      }
    }
    topics.push_back(std::move(description));
  }
  std::sort(topics.begin(), topics.end(),
            [](const TopicDescription& left, const TopicDescription& right) { return left.topic < right.topic; });
  return topics;
}

}  // namespace weir::shm
