#include "conformance/performance/loads/crew_for.h"
#include "conformance/performance/peers/directory.h"
#include "conformance/performance/peers/weir_options.h"
#include "conformance/performance/peers/weir_topic.h"

namespace weir::performance {
namespace {

// An endpoint has one binder, so senders cannot share one: no fan-in.
constexpr Abilities abilities{.blocks = true,
                              .streams = true,
                              .fans_out = true,
                              .broadcasts = true,
                              .drops = true,
                              .recovers = true,
                              .listens = true,
                              .has_threads = true};

std::shared_ptr<const WeirTopic> make(const Task& task) {
  static int feeds = 0;
  return std::make_shared<const WeirTopic>(fmt::format("zmq+ipc://{}/weir-{}-", socket_directory(), ++feeds),
                                           weir_options(task, true));
}

const bool added = add_peer({.name = "zmq+ipc",
                             .kind = Kind::weir,
                             .rank = 13,
                             .what = "weir, zmq+ipc://, XPUB and SUB of libzmq",
                             .abilities = abilities,
                             .crew = crews_by(make, abilities)});

}  // namespace
}  // namespace weir::performance
