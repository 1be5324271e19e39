// Of the machine: epoll sets, which show what FIFOs hold and whose writers have hung up.
#include <fcntl.h>

#include <cerrno>

#include "transport/testing/model_run/machine.h"

namespace weir::testing {
namespace {

bool can_read(const Description& description) { return (description.flags & O_ACCMODE) != O_WRONLY; }

}  // namespace

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

}  // namespace weir::testing
