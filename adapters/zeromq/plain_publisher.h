// A publisher whose messages are one frame each, and whom nobody holds back: publishing in few instructions. What is
// otherwise now and then, its base class does.
#pragma once

#include "adapters/zeromq/publisher.h"

namespace weir::zeromq {

class PlainPublisher final : public Publisher {
 public:
  using Publisher::Publisher;

  // Whether these options ask for no more than this.
  [[nodiscard]] static bool serves(const Options& options, const PublisherQos& qos) noexcept {
    return options.frames == Frames::payload && !options.envelope && qos.grant == Grant::drop;
  }

  // The deadline does not matter: nothing is ever waited for.
  Result<std::uint64_t> publish(spi::LoanRecord& record, std::optional<Deadline> /*deadline*/) override {
    Outgoing& loan = loan_of(record);
    if (--until_listening_ == 0 || !loan.is_plain(record.size)) [[unlikely]] {
      return Publisher::publish(record, {});
    }
    if (!loan.send_plain(socket_)) [[unlikely]] {
      return publish_plain_again(loan);
    }
    return next_sequence_++;
  }
};

}  // namespace weir::zeromq
