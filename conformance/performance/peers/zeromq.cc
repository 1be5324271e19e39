#include "conformance/performance/peers/zeromq.h"

#include <fmt/format.h>

#include "conformance/performance/loads/crew_for.h"
#include "conformance/performance/peers/directory.h"

namespace weir::performance {
namespace {

// Not to be spun on: libzmq's threads bring the messages, and need the
// processors for it.
constexpr Abilities processes{.blocks = true,
                              .streams = true,
                              .fans_out = true,
                              .broadcasts = true,
                              .fans_in = true,
                              .deepens = true,
                              .drops = true,
                              .recovers = true,
                              .listens = true,
                              .has_threads = true};
constexpr Abilities threads{.spins = true,
                            .blocks = true,
                            .streams = true,
                            .fans_out = true,
                            .broadcasts = true,
                            .fans_in = true,
                            .deepens = true,
                            .drops = true,
                            .listens = true,
                            .threads = true};

std::shared_ptr<const ZeroMq> over_ipc(const Task& task) {
  static int feeds = 0;
  return std::make_shared<const ZeroMq>(task, fmt::format("ipc://{}/zmq-{}-", socket_directory(), ++feeds));
}

std::shared_ptr<const ZeroMq> over_inproc(const Task& task) {
  return std::make_shared<const ZeroMq>(task, "inproc://benchmark-");
}

const bool ipc = add_peer({.name = "libzmq ipc",
                           .rank = 20,
                           .what = "libzmq 4.3 over Unix sockets: PAIR, XPUB and SUB, PUSH and PULL",
                           .abilities = processes,
                           .crew = crews_by(over_ipc, processes)});
const bool inproc = add_peer({.name = "libzmq inproc",
                              .rank = 21,
                              .what = "libzmq 4.3 between threads",
                              .abilities = threads,
                              .crew = crews_by(over_inproc, threads)});

}  // namespace
}  // namespace weir::performance
