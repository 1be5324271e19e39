// Wrong with loans, limits and back-pressure.
#include <atomic>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <utility>
#include <vector>

#include "conformance/saboteurs/saboteur.h"

namespace weir::conformance {
namespace {

class SpendsNumbers final : public WrappedPublisher {
  using WrappedPublisher::WrappedPublisher;
  Result<std::uint64_t> publish(spi::LoanRecord& record, std::optional<Deadline> deadline) override {
    auto sequence = WrappedPublisher::publish(record, deadline);
    if (!sequence) {
      ++spent_;
      return sequence;
    }
    return *sequence + spent_;
  }
  std::uint64_t spent_ = 0;
};
const Saboteur spends_numbers{{.name = "spends a number on a publish that it refuses",
                               .requirement = "SLOW-12",
                               .test = "SlowSubscriber.ARefusedPublishKeepsItsLoanAndSpendsNoNumber",
                               .sign = "check_numbers"},
                              made<Over<SpendsNumbers>>};

class CountsLoans final : public WrappedPublisher {
  using WrappedPublisher::WrappedPublisher;
  void drop(spi::LoanRecord& record) noexcept override {
    ++dropped_;
    WrappedPublisher::drop(record);
  }
  Result<std::uint64_t> publish(spi::LoanRecord& record, std::optional<Deadline> deadline) override {
    return WrappedPublisher::publish(record, deadline).map([this](std::uint64_t sequence) {
      return sequence + dropped_;
    });
  }
  std::uint64_t dropped_ = 0;
};
const Saboteur counts_loans{{.name = "numbers loans rather than publishes",
                             .requirement = "ORD-5",
                             .test = "Ordering.ADroppedLoanSpendsNoNumber",
                             .sign = "send"},
                            made<Over<CountsLoans>>};

class SendsTheRefused final : public WrappedPublisher {
  using WrappedPublisher::WrappedPublisher;
  Result<std::uint64_t> publish(spi::LoanRecord& record, std::optional<Deadline> deadline) override {
    auto sequence = WrappedPublisher::publish(record, deadline);
    if (!sequence) {
      refused_.emplace(record.payload, record.payload + record.size);
    } else if (refused_) {
      const std::vector<std::byte> late = *std::exchange(refused_, std::nullopt);
      spi::LoanRecord again;
      if (inner().loan({late.size(), 0, 8}, again)) {
        std::memcpy(again.payload, late.data(), late.size());
        if (!inner().publish(again, at_once)) inner().drop(again);
      }
    }
    return sequence;
  }
  std::optional<std::vector<std::byte>> refused_;
};
const Saboteur sends_the_refused{{.name = "delivers later what it refused",
                                  .requirement = "SLOW-13",
                                  .test = "SlowSubscriber.NobodyReceivesARefusedSample",
                                  .sign = "check_"},
                                 made<Over<SendsTheRefused>>};

class HasNoPatience final : public WrappedPublisher {
  using WrappedPublisher::WrappedPublisher;
  Result<std::uint64_t> publish(spi::LoanRecord& record, std::optional<Deadline> /*deadline*/) override {
    return WrappedPublisher::publish(record, at_once);
  }
};
const Saboteur has_no_patience{{.name = "returns back-pressure before the deadline",
                                .requirement = "SLOW-15",
                                .test = "SlowSubscriber.ABlockedPublishReturnsBackPressureAtItsDeadline",
                                .sign = "last_wait"},
                               made<Over<HasNoPatience>>};

class LeaksLoans final : public WrappedPublisher {
  using WrappedPublisher::WrappedPublisher;
  void drop(spi::LoanRecord& /*record*/) noexcept override {}
};
const Saboteur leaks_loans{{.name = "leaks the loans that are dropped",
                            .requirement = "LIMIT-5",
                            .test = "Limits.MemoryThatRunsOutIsAnErrorAndSmallerMessagesStillWork",
                            .sign = "loans.size()"},
                           made<Over<LeaksLoans>>};

class IsMisaligned final : public WrappedPublisher {
  using WrappedPublisher::WrappedPublisher;
  Status loan(const spi::LoanRequest& request, spi::LoanRecord& record) override {
    spi::LoanRequest less = request;
    less.size += 8;
    less.alignment = 8;
    if (Status lent = WrappedPublisher::loan(less, record); !lent) return lent;
    record.size = request.size;
    return {};
  }
};
const Saboteur is_misaligned{{.name = "aligns to 8 whatever is asked for",
                              .requirement = "DATA-6",
                              .test = "Data.PayloadsAreAlignedAsAskedForOnBothSides",
                              .sign = "alignment"},
                             made<Over<IsMisaligned>>};

class Aborts final : public WrappedPublisher {
  using WrappedPublisher::WrappedPublisher;
  Status loan(const spi::LoanRequest& request, spi::LoanRecord& record) override {
    if (request.size == 0) std::abort();
    return WrappedPublisher::loan(request, record);
  }
};
const Saboteur aborts{{.name = "aborts on a message of 0 bytes",
                       .requirement = "DATA-2",
                       .test = "Data.ZeroBytesAreAMessage",
                       .sign = "signal 6"},
                      made<Over<Aborts>>};

class EatsMemory final : public WrappedPublisher {
  using WrappedPublisher::WrappedPublisher;
  Result<std::uint64_t> publish(spi::LoanRecord& record, std::optional<Deadline> deadline) override {
    eaten_.emplace_back(64U << 20U, '\1');
    return WrappedPublisher::publish(record, deadline);
  }
  std::vector<std::vector<char>> eaten_;
};
const Saboteur eats_memory{{.name = "eats memory with every message",
                            .requirement = "ORD-1",
                            .test = "Ordering.SamplesOfOnePublisherArriveInItsOrder",
                            .sign = "memory"},
                           made<Over<EatsMemory>>};

class HangsAtClose final : public WrappedPublisher {
  using WrappedPublisher::WrappedPublisher;
  void close() noexcept override {
    WrappedPublisher::close();
    if (qos().name == "source") [[unlikely]] {
      for (std::atomic<int> forever = 0;;) forever.wait(0);
    }
  }
};
const Saboteur hangs_at_close{{.name = "hangs when a publisher closes",
                               .requirement = "ORD-8",
                               .test = "Ordering.APublisherThatComesBackIsAnotherOneAndCountsFromZero",
                               .sign = "ended while it was at",
                               .across_processes = true,
                               .hangs = true},
                              made<Over<HangsAtClose>>};

}  // namespace
}  // namespace weir::conformance
