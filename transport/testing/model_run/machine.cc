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

bool can_write(const Description& description) {
  return (description.flags & O_ACCMODE) == O_WRONLY || (description.flags & O_ACCMODE) == O_RDWR;
}

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
      names.push_back(fmt::format("{}/{}", path, name));
      if (entry->kind == Kind::directory) left.emplace_back(names.back(), entry);
    }
  }
  return names;
}

}  // namespace weir::testing
