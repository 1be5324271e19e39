#include "examples/quickstart/subscriber_role.h"

#include <chrono>
#include <thread>

#include "examples/quickstart/inspector.h"
#include "transport/node.h"

namespace quickstart {

weir::Status run_subscriber(const Task& task, const Source& file, Reporter& reports) {
  weir::Result<weir::Node> node = weir::Node::open();
  if (!node) {
    return tl::unexpected(node.error());
  }
  weir::Result<weir::Subscriber> subscriber = node->subscriber(
      task.uri, {.name = task.name, .policy = task.policy, .depth = task.depth, .history = task.history});
  if (!subscriber) {
    return tl::unexpected(subscriber.error());
  }
  reports.joined();

  Inspector inspector(file, task.whole_file);
  while (!inspector.at_end()) {
    const weir::Result<weir::Sample> sample = subscriber->take();
    if (!sample) {
      return tl::unexpected(sample.error());
    }
    if (!*sample) {  // nothing there: not an error
      inspector.found_nothing();
      if (const auto wake = subscriber->wait(weir::after(std::chrono::seconds(1))); !wake) {
        return tl::unexpected(wake.error());
      }
      continue;
    }
    // The payload is the memory that the publisher filled: nothing was copied on the way.
    const Received received{.sequence = sample->sequence(),
                            .lost_before = sample->lost_before(),
                            .header = sample->header(),
                            .payload = sample->payload()};
    if (weir::Status inspected = inspector.inspect(received); !inspected) {
      return inspected;
    }
    reports.progress(inspector.account());
    // A slow one dwells on its message. It holds the sample meanwhile, and nobody has to wait for it.
    if (task.pause.count() > 0) {
      std::this_thread::sleep_for(task.pause);
    }
  }  // the sample is released here, at the end of each turn
  reports.done(inspector.account());
  return {};
}

}  // namespace quickstart
