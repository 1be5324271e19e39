#include "conformance/performance/loads/crew_for.h"
#include "conformance/performance/peers/directory.h"
#include "conformance/performance/peers/free_ports.h"
#include "conformance/performance/peers/weir_options.h"
#include "conformance/performance/peers/weir_topic.h"

namespace weir::performance {
namespace {

// An endpoint has one binder, so senders cannot share one: no fan-in.
constexpr Abilities over_ipc{.blocks = true,
                             .streams = true,
                             .fans_out = true,
                             .broadcasts = true,
                             .deepens = true,
                             .drops = true,
                             .recovers = true,
                             .listens = true,
                             .has_threads = true};
// Each topic is a port, of which there are not enough for many topics.
constexpr Abilities over_tcp{.blocks = true,
                             .streams = true,
                             .fans_out = true,
                             .broadcasts = true,
                             .deepens = true,
                             .drops = true,
                             .recovers = true,
                             .has_threads = true};
constexpr Abilities within_process{.blocks = true,
                                   .streams = true,
                                   .fans_out = true,
                                   .broadcasts = true,
                                   .deepens = true,
                                   .drops = true,
                                   .listens = true,
                                   .threads = true};

std::shared_ptr<const WeirTopic> ipc_topic(const Task& task) {
  static int feeds = 0;
  return std::make_shared<const WeirTopic>(fmt::format("zmq+ipc://{}/weir-{}-", socket_directory(), ++feeds),
                                           weir_options(task, true));
}

std::shared_ptr<const WeirTopic> tcp_topic(const Task& task) {
  return std::make_shared<const WeirTopic>(
      [ports = free_ports<2>()](Lane lane) {
        return fmt::format("zmq+tcp://127.0.0.1:{}", ports.at(lane.direction == Direction::there ? 0 : 1));
      },
      weir_options(task, true));
}

std::shared_ptr<const WeirTopic> inproc_topic(const Task& task) {
  return std::make_shared<const WeirTopic>("zmq+inproc://benchmark-", weir_options(task, true));
}

const bool ipc = add_peer({.name = "zmq+ipc",
                           .kind = Kind::weir,
                           .rank = 13,
                           .what = "weir, zmq+ipc://, XPUB and SUB of libzmq",
                           .abilities = over_ipc,
                           .crew = crews_by(ipc_topic, over_ipc)});
const bool tcp = add_peer({.name = "zmq+tcp",
                           .kind = Kind::weir,
                           .rank = 14,
                           .what = "weir, zmq+tcp:// through the loopback interface",
                           .abilities = over_tcp,
                           .crew = crews_by(tcp_topic, over_tcp)});
const bool inproc = add_peer({.name = "zmq+inproc",
                              .kind = Kind::weir,
                              .rank = 15,
                              .what = "weir, zmq+inproc:// between threads",
                              .abilities = within_process,
                              .crew = crews_by(inproc_topic, within_process)});

}  // namespace
}  // namespace weir::performance
