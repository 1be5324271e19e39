#include "transport/testing/model_run/machine.h"

#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <iterator>

#include <fmt/format.h>

#include "transport/testing/model_run/execution_memory.h"

namespace weir::testing {
namespace {

Machine* the_machine = nullptr;
bool simulating = false;

constexpr std::string_view own_descriptors = "/proc/self/fd/";
constexpr std::size_t fifo_capacity = 65536;

bool can_write(const Description& description) {
  return (description.flags & O_ACCMODE) == O_WRONLY || (description.flags & O_ACCMODE) == O_RDWR;
}
bool can_read(const Description& description) { return (description.flags & O_ACCMODE) != O_WRONLY; }

bool overlap(const FileLock& lock, long long begin, long long end) { return lock.begin < end && begin < lock.end; }

}  // namespace

Machine& machine() noexcept { return *the_machine; }
bool is_simulating() noexcept { return simulating; }
void make_machine() {
  simulating = true;
  the_machine = new Machine();  // goes with the execution's memory
}
void leave_machine() noexcept { simulating = false; }
void resume_machine() noexcept { simulating = true; }

Machine::Machine()
    : root_(make_inode(Kind::directory)),
      page_owners_(shared_bytes / simulated_page),
      next_address_(reinterpret_cast<std::byte*>(std::uintptr_t{1} << 46U)) {
  root_->links = 1;
}

Inode* Machine::make_inode(Kind kind) {
  auto* inode = new Inode();
  inode->kind = kind;
  inode->number = ++inodes_;
  return inode;
}

Description* Machine::find(int descriptor) const {
  const auto found = descriptors_.find(descriptor);
  return found == descriptors_.end() ? nullptr : found->second;
}

Inode* Machine::look_up(int directory, const std::string& name) const {
  const Description* from = find(directory);
  if (from == nullptr || from->inode == nullptr) return nullptr;
  if (name == ".") return from->inode;
  const auto found = from->inode->entries.find(name);
  return found == from->inode->entries.end() ? nullptr : found->second;
}

int Machine::make_descriptor(Description* description) {
  ++description->references;
  descriptors_.emplace(next_descriptor_, description);
  return next_descriptor_++;
}

int Machine::make_description(Inode* inode, int flags) {
  auto* description = new Description();
  description->inode = inode;
  description->process = current_process();
  description->flags = flags;
  if (inode->kind == Kind::fifo) {
    description->writers_before = inode->writers == 0 ? inode->writers_ever : 0;
    if (can_write(*description)) {
      ++inode->writers;
      ++inode->writers_ever;
    }
  }
  return make_descriptor(description);
}

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

void Machine::release(Description* description) {
  if (--description->references > 0) return;
  Inode* inode = description->inode;
  if (inode == nullptr) return;
  std::erase_if(inode->locks, [description](const FileLock& lock) { return lock.owner == description; });
  if (inode->kind == Kind::fifo && can_write(*description)) {
    --inode->writers;
    tell_pollers();
  }
}

int Machine::close(int descriptor) {
  const auto found = descriptors_.find(descriptor);
  if (found == descriptors_.end()) return -EBADF;
  Description* description = found->second;
  descriptors_.erase(found);
  // An epoll set forgets a description with its last descriptor.
  const bool last = std::none_of(descriptors_.begin(), descriptors_.end(),
                                 [description](const auto& entry) { return entry.second == description; });
  if (last) {
    for (const auto& [number, other] : descriptors_) {
      std::erase_if(other->watched, [description](const Watched& one) { return one.description == description; });
    }
  }
  release(description);
  return 0;
}

int Machine::duplicate(int descriptor) {
  Description* description = find(descriptor);
  return description == nullptr ? -EBADF : make_descriptor(description);
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

void* Machine::map(int descriptor, std::size_t size, bool readable, bool writable) {
  Description* description = find(descriptor);
  if (description == nullptr || description->inode == nullptr) return nullptr;
  Inode& inode = *description->inode;
  std::byte* address = next_address_;
  if (readable) {
    give_memory(inode, size);
    address = inode.memory;
    ++inode.mapped[current_process()];
    inode.mapped_writable[current_process()] += writable ? 1 : 0;
  } else {
    next_address_ += simulated_page;
  }
  ++description->references;
  mappings_.push_back({address, description, current_process(), readable, writable});
  return address;
}

std::list<Machine::MappingEntry>::const_iterator Machine::find_mapping(const void* address) const {
  return std::find_if(mappings_.begin(), mappings_.end(), [address](const MappingEntry& entry) {
    return entry.address == address && entry.process == current_process();
  });
}

bool Machine::is_mapping(const void* address) const { return find_mapping(address) != mappings_.end(); }

bool Machine::ends_description(const void* mapping) const {
  const auto found = find_mapping(mapping);
  return found != mappings_.end() && found->description->references == 1 && !found->description->inode->locks.empty();
}

bool Machine::ends_description(int descriptor) const {
  const Description* description = find(descriptor);
  if (description == nullptr || description->references != 1 || description->inode == nullptr) return false;
  return description->inode->kind == Kind::fifo || !description->inode->locks.empty();
}

int Machine::unmap(void* address) {
  const auto found = find_mapping(address);
  if (found == mappings_.end()) return -EINVAL;
  const MappingEntry entry = *found;
  mappings_.erase(found);
  if (entry.readable) --entry.description->inode->mapped[entry.process];
  if (entry.writable) --entry.description->inode->mapped_writable[entry.process];
  release(entry.description);
  return 0;
}

int Machine::make_epoll() {
  auto* description = new Description();
  description->process = current_process();
  return make_descriptor(description);
}

int Machine::epoll_add(int epoll, int descriptor, const epoll_event& event) {
  Description* set = find(epoll);
  Description* description = find(descriptor);
  if (set == nullptr || description == nullptr) return -EBADF;
  set->watched.push_back({description, event});
  return 0;
}

bool Machine::is_readable(const Description& description) {
  return can_read(description) && description.inode->tokens > 0;
}

bool Machine::has_hung_up(const Description& description) {
  const Inode& inode = *description.inode;
  return inode.writers == 0 && inode.writers_ever != description.writers_before;
}

int Machine::epoll_look(int epoll, epoll_event* events, int most) const {
  const Description* set = find(epoll);
  if (set == nullptr) return -EBADF;
  int found = 0;
  for (const Watched& one : set->watched) {
    std::uint32_t shown = 0;
    if ((one.event.events & EPOLLIN) != 0 && is_readable(*one.description)) shown |= EPOLLIN;
    if (has_hung_up(*one.description)) shown |= EPOLLHUP;
    if (shown != 0 && found < most) {
      events[found] = one.event;
      events[found].events = shown;
      ++found;
    }
  }
  return found;
}

bool Machine::sleep_on_epoll(int epoll) {
  epoll_event event{};
  while (epoll_look(epoll, &event, 1) == 0) {
    if (sleep_on_address(find(epoll))) return true;
  }
  return false;
}

void Machine::tell_pollers() {
  for (const auto& [number, description] : descriptors_) {
    if (description->inode == nullptr) wake_sleepers_on(description);
  }
}

void Machine::begin_exit(std::size_t process) {
  for (auto entry = descriptors_.begin(); entry != descriptors_.end();) {
    const auto next = std::next(entry);
    if (entry->second->process == process && entry->second->inode != nullptr &&
        entry->second->inode->kind == Kind::fifo) {
      close(entry->first);
    }
    entry = next;
  }
}

void Machine::finish_exit(std::size_t process) {
  for (auto entry = descriptors_.begin(); entry != descriptors_.end();) {
    const auto next = std::next(entry);
    if (entry->second->process == process) close(entry->first);
    entry = next;
  }
  for (auto entry = mappings_.begin(); entry != mappings_.end();) {
    const auto next = std::next(entry);
    if (entry->process == process) {
      const MappingEntry gone = *entry;
      mappings_.erase(entry);
      if (gone.readable) --gone.description->inode->mapped[process];
      if (gone.writable) --gone.description->inode->mapped_writable[process];
      release(gone.description);
    }
    entry = next;
  }
}

const Inode* Machine::owner_of(const void* address) const {
  const std::size_t place = place_in_pages(address);
  return place < shared_bytes ? page_owners_[place / simulated_page] : nullptr;
}

bool Machine::holds_owner_lock(const Inode& inode, std::size_t process) const {
  return std::any_of(inode.locks.begin(), inode.locks.end(), [process](const FileLock& lock) {
    return lock.owner->process == process && lock.exclusive && lock.begin == 0;
  });
}

void Machine::check_access(const void* address, std::size_t size, Use use) {
  const Inode* inode = owner_of(address);
  const std::size_t process = current_process();
  if (inode == nullptr || inode->mapped[process] == 0) {
    violate(fmt::format("a process touches {}, which it has not mapped", describe(address)));
  }
  if (static_cast<std::size_t>(static_cast<const std::byte*>(address) - inode->memory) + size > inode->size) {
    violate(fmt::format("a process touches {}, beyond the end of the file", describe(address)));
  }
  if (use == Use::reads) return;
  if (inode->mapped_writable[process] == 0) {
    violate(fmt::format("a process writes to {}, which it has mapped read-only", describe(address)));
  }
  // A member's segment, once it has its name: "p." or "s.", and an id.
  const bool is_segment = inode->links > 0 && inode->name.size() == 18 && inode->name[1] == '.';
  if (is_segment && !holds_owner_lock(*inode, process)) {
    violate(fmt::format("a process writes to {}, whose owner it is not", describe(address)));
  }
}

std::string Machine::describe(const void* address) const {
  const Inode* inode = owner_of(address);
  if (inode == nullptr) return fmt::format("{}", address);
  return fmt::format("{}+{}", inode->name, static_cast<const std::byte*>(address) - inode->memory);
}

std::string Machine::name_of(int descriptor) const {
  const Description* description = find(descriptor);
  return description == nullptr || description->inode == nullptr ? "" : description->inode->name;
}

std::vector<std::string> Machine::everything() const {
  std::vector<std::string> names;
  std::vector<std::pair<std::string, const Inode*>> left{{"", root_}};
  while (!left.empty()) {
    const auto [path, inode] = left.back();
    left.pop_back();
    for (const auto& [name, entry] : inode->entries) {
      names.push_back(path + "/" + name);
      if (entry->kind == Kind::directory) left.emplace_back(names.back(), entry);
    }
  }
  return names;
}

}  // namespace weir::testing
