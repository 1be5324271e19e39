#include "transport/inproc/domain.h"

#include <atomic>
#include <memory>

#include "transport/inproc/publisher.h"
#include "transport/inproc/subscriber.h"
#include "transport/process.h"

namespace weir::inproc {

void Topic::ring() noexcept {
  for (Publisher* publisher : publishers) {
    publisher->ring();
  }
  for (Subscriber* subscriber : subscribers) {
    subscriber->ring();
  }
}

Domain& Domain::of_this_process() {
  static constinit std::atomic<Domain*> current{nullptr};
  spi::adopt_process();
  Domain* known = current.load(std::memory_order_acquire);
  while (known == nullptr || known->process_ != spi::process_generation()) {
    std::unique_ptr<Domain> fresh(new Domain(spi::process_generation(), known));
    if (current.compare_exchange_strong(known, fresh.get(), std::memory_order_acq_rel)) {
      return *fresh.release();
    }
  }
  return *known;
}

}  // namespace weir::inproc
