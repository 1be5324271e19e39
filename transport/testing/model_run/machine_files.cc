// Of the machine: what it keeps in directories and files, and the locks on them.
#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <iterator>

#include "transport/testing/model_run/execution_memory.h"
#include "transport/testing/model_run/machine.h"

namespace weir::testing {
namespace {

constexpr std::string_view own_descriptors = "/proc/self/fd/";
constexpr std::size_t fifo_capacity = 65536;

bool overlap(const FileLock& lock, long long begin, long long end) { return lock.begin < end && begin < lock.end; }

}  // namespace

int Machine::open_at(int directory, const std::string& path, int flags) {
  if (path == "/") return make_description(root_, flags);
  if (path.starts_with(own_descriptors)) {
    const Description* same = find(std::stoi(path.substr(own_descriptors.size())));
    return same == nullptr ? -ENOENT : make_description(same->inode, flags);
  }
  if ((flags & O_TMPFILE) == O_TMPFILE) {
    const Inode* where = look_up(directory, path);
    return where == nullptr || where->links == 0 ? -ENOENT : make_description(make_inode(Kind::file), flags);
  }
  Inode* inode = look_up(directory, path);
  if (inode == nullptr) {
    Inode* where = look_up(directory, ".");
    if (where == nullptr || (flags & O_CREAT) == 0 || where->links == 0) return -ENOENT;
    inode = make_inode(Kind::file);
    inode->name = path;
    inode->links = 1;
    where->entries.emplace(path, inode);
  }
  if ((flags & O_DIRECTORY) == O_DIRECTORY && inode->kind != Kind::directory) return -ENOTDIR;
  return make_description(inode, flags);
}

int Machine::link(int descriptor, int directory, const std::string& name) {
  Description* from = find(descriptor);
  Inode* where = look_up(directory, ".");
  if (from == nullptr || where == nullptr) return -EBADF;
  if (where->links == 0) return -ENOENT;
  if (where->entries.contains(name)) return -EEXIST;
  from->inode->name = name;
  ++from->inode->links;
  where->entries.emplace(name, from->inode);
  return 0;
}

int Machine::unlink_at(int directory, const std::string& name, bool is_directory) {
  Inode* where = look_up(directory, ".");
  Inode* inode = look_up(directory, name);
  if (where == nullptr || inode == nullptr) return -ENOENT;
  if (is_directory != (inode->kind == Kind::directory)) return is_directory ? -ENOTDIR : -EISDIR;
  if (!inode->entries.empty()) return -ENOTEMPTY;
  where->entries.erase(name);
  --inode->links;
  return 0;
}

int Machine::make_directory(int parent, const std::string& name) {
  Inode* where = look_up(parent, ".");
  if (where == nullptr || where->links == 0) return -ENOENT;
  if (where->entries.contains(name)) return -EEXIST;
  Inode* inode = make_inode(Kind::directory);
  inode->name = name;
  inode->links = 1;
  where->entries.emplace(name, inode);
  return 0;
}

int Machine::make_fifo(int directory, const std::string& name) {
  Inode* where = look_up(directory, ".");
  if (where == nullptr || where->links == 0) return -ENOENT;
  if (where->entries.contains(name)) return -EEXIST;
  Inode* inode = make_inode(Kind::fifo);
  inode->name = name;
  inode->links = 1;
  where->entries.emplace(name, inode);
  return 0;
}

namespace {
int fill(const Inode* inode, struct stat& status) {
  if (inode == nullptr) return -ENOENT;
  status = {};
  status.st_ino = inode->number;
  status.st_nlink = inode->links;
  status.st_uid = geteuid();
  status.st_size = static_cast<off_t>(inode->size);
  status.st_mode = 0700U | (inode->kind == Kind::directory ? S_IFDIR : inode->kind == Kind::fifo ? S_IFIFO : S_IFREG);
  return 0;
}
}  // namespace

int Machine::stat(int descriptor, struct stat& status) const {
  const Description* description = find(descriptor);
  return description == nullptr ? -EBADF : fill(description->inode, status);
}

bool Machine::is_directory(int descriptor) const {
  const Description* description = find(descriptor);
  return description != nullptr && description->inode != nullptr && description->inode->kind == Kind::directory;
}

int Machine::stat_at(int directory, const std::string& name, struct stat& status) const {
  return fill(look_up(directory, name), status);
}

void Machine::give_memory(Inode& inode, std::size_t capacity) {
  if (capacity <= inode.capacity) return;
  if (inode.memory != nullptr) violate("a file outgrows the mapping that was made of it first");
  inode.memory = allocate_pages(capacity);
  inode.capacity = (capacity + simulated_page - 1) / simulated_page * simulated_page;
  const std::size_t first = place_in_pages(inode.memory) / simulated_page;
  for (std::size_t index = 0; index < inode.capacity / simulated_page; ++index) {
    machine().page_owners_[first + index] = &inode;
  }
}

int Machine::truncate(int descriptor, std::size_t size) {
  Description* description = find(descriptor);
  if (description == nullptr) return -EBADF;
  description->inode->size = size;
  return 0;
}

int Machine::allocate(int descriptor, bool punches, bool keeps_size, std::size_t offset, std::size_t size) {
  Description* description = find(descriptor);
  if (description == nullptr) return -EBADF;
  Inode& inode = *description->inode;
  if (punches) {
    if (inode.memory != nullptr && offset < inode.capacity) {
      std::memset(inode.memory + offset, 0, std::min(size, inode.capacity - offset));
    }
    return 0;
  }
  if (!keeps_size) inode.size = std::max(inode.size, offset + size);
  return 0;
}

long Machine::read(int descriptor, void* data, std::size_t size, long long offset) {
  Description* description = find(descriptor);
  if (description == nullptr) return -EBADF;
  Inode& inode = *description->inode;
  if (inode.kind == Kind::fifo) {
    if (inode.tokens == 0) return inode.writers == 0 ? 0 : -EAGAIN;
    const std::size_t taken = std::min(size, inode.tokens);
    inode.tokens -= taken;
    return static_cast<long>(taken);
  }
  const auto begin = static_cast<std::size_t>(offset);
  if (offset < 0 || begin >= inode.size) return 0;
  const std::size_t taken = std::min(size, inode.size - begin);
  if (inode.memory == nullptr) {
    std::memset(data, 0, taken);
  } else {
    note_read(inode.memory + begin, taken);
    std::memcpy(data, inode.memory + begin, taken);
  }
  return static_cast<long>(taken);
}

long Machine::write(int descriptor, const void* data, std::size_t size, long long offset) {
  Description* description = find(descriptor);
  if (description == nullptr) return -EBADF;
  Inode& inode = *description->inode;
  if (inode.kind == Kind::fifo) {
    if (inode.tokens + size > fifo_capacity) return -EAGAIN;
    inode.tokens += size;
    tell_pollers();
    return static_cast<long>(size);
  }
  if (offset < 0) return -ESPIPE;
  const auto begin = static_cast<std::size_t>(offset);
  if (begin + size > inode.size) inode.size = begin + size;
  give_memory(inode, inode.size);
  std::memcpy(inode.memory + begin, data, size);
  return static_cast<long>(size);
}

long Machine::list(int directory, void* buffer, std::size_t size) {
  Description* description = find(directory);
  if (description == nullptr) return -EBADF;
  auto* const begin = static_cast<char*>(buffer);
  std::size_t used = 0;
  const auto& entries = description->inode->entries;
  for (auto entry = entries.begin(); entry != entries.end(); ++entry) {
    if (static_cast<std::size_t>(std::distance(entries.begin(), entry)) < description->at) continue;
    const std::size_t length = (offsetof(dirent64, d_name) + entry->first.size() + 1 + 7) / 8 * 8;
    if (used + length > size) break;
    dirent64 record{};
    record.d_ino = entry->second->number;
    record.d_reclen = static_cast<unsigned short>(length);
    std::memcpy(begin + used, &record, offsetof(dirent64, d_name));
    std::memcpy(begin + used + offsetof(dirent64, d_name), entry->first.c_str(), entry->first.size() + 1);
    used += length;
    ++description->at;
  }
  return static_cast<long>(used);
}

int Machine::rewind(int directory) {
  Description* description = find(directory);
  if (description == nullptr) return -EBADF;
  description->at = 0;
  return 0;
}

int Machine::lock(int descriptor, bool exclusive, long long begin, long long end) {
  bool conflicts = false;
  if (const int error = test_lock(descriptor, exclusive, begin, end, conflicts); error != 0) return error;
  if (conflicts) return -EAGAIN;
  Description* description = find(descriptor);
  std::vector<FileLock>& locks = description->inode->locks;
  std::erase_if(locks, [&](const FileLock& lock) { return lock.owner == description && overlap(lock, begin, end); });
  locks.push_back({.owner = description, .exclusive = exclusive, .begin = begin, .end = end});
  return 0;
}

int Machine::test_lock(int descriptor, bool exclusive, long long begin, long long end, bool& conflicts) const {
  const Description* description = find(descriptor);
  if (description == nullptr || description->inode == nullptr) return -EBADF;
  const std::vector<FileLock>& locks = description->inode->locks;
  conflicts = std::any_of(locks.begin(), locks.end(), [&](const FileLock& lock) {
    return lock.owner != description && overlap(lock, begin, end) && (exclusive || lock.exclusive);
  });
  return 0;
}

}  // namespace weir::testing
