// Ports of the loopback interface for peers that must be told which to use.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <system_error>

#include "conformance/performance/failure.h"

namespace weir::performance {

// Ports that were free a moment ago, each another. Nothing keeps them: a program that takes one first fails the row.
template <std::size_t count>
[[nodiscard]] std::array<std::uint16_t, count> free_ports() {
  std::array<std::uint16_t, count> ports{};
  std::array<int, count> sockets{};
  for (std::size_t index = 0; index < count; ++index) {
    sockets[index] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof(address);
    if (sockets[index] < 0 || bind(sockets[index], reinterpret_cast<sockaddr*>(&address), size) != 0 ||
        getsockname(sockets[index], reinterpret_cast<sockaddr*>(&address), &size) != 0) {
      fail("no free port of the loopback interface: " + std::generic_category().message(errno));
    }
    ports[index] = ntohs(address.sin_port);
  }
  for (const int one : sockets) close(one);
  return ports;
}

}  // namespace weir::performance
