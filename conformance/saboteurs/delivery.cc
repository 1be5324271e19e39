// Wrong with what arrives.
#include <algorithm>
#include <map>
#include <set>

#include "conformance/saboteurs/copying.h"
#include "conformance/saboteurs/saboteur.h"

namespace weir::conformance {
namespace {

class Reorders final : public CopyingSubscriber {
  using CopyingSubscriber::CopyingSubscriber;
  void spoil(spi::SampleRecord& record, std::byte* /*payload*/) override {
    spi::SampleRecord later;
    Result<bool> there = take_copy(later);
    if (!there || !*there) return;
    come_next(record);
    record = later;
  }
};
const Saboteur reorders{{.name = "swaps two samples that wait",
                         .requirement = "ORD-1",
                         .test = "Ordering.SamplesOfOnePublisherArriveInItsOrder",
                         .sign = "check_sound"},
                        made<Over<Reorders>>};

class Duplicates final : public CopyingSubscriber {
  using CopyingSubscriber::CopyingSubscriber;
  void spoil(spi::SampleRecord& record, std::byte* /*payload*/) override {
    if (++count_ % 5 == 0) come_next(repeated(record));
  }
  int count_ = 0;
};
const Saboteur duplicates{{.name = "delivers every fifth sample twice",
                           .requirement = "ORD-2",
                           .test = "Ordering.NothingComesTwice",
                           .sign = "take_all"},
                          made<Over<Duplicates>>};

class Tears final : public CopyingSubscriber {
  using CopyingSubscriber::CopyingSubscriber;
  void spoil(spi::SampleRecord& record, std::byte* payload) override {
    if (record.size < 64) return;
    std::memset(payload + record.size / 2, 0, 16);
  }
};
const Saboteur tears{{.name = "delivers halves of a message that are not its own",
                      .requirement = "DATA-1",
                      .test = "Data.PayloadsOfEverySizeArriveWhole",
                      .sign = "check_sound"},
                     made<Over<Tears>>};

class DropsSilently final : public CopyingSubscriber {
  using CopyingSubscriber::CopyingSubscriber;
  Result<bool> take(spi::SampleRecord& record) override {
    Result<bool> there = CopyingSubscriber::take(record);
    if (there && *there && ++count_ % 7 == 0) {
      release(record);
      there = CopyingSubscriber::take(record);
    }
    return there;
  }
  void spoil(spi::SampleRecord& /*record*/, std::byte* /*payload*/) override {}
  int count_ = 0;
};
const Saboteur drops{{.name = "drops every seventh sample and tells nobody",
                      .requirement = "ORD-6",
                      .test = "Ordering.EverySubscriberGetsTheWholeStream",
                      .sign = "check_range"},
                     made<Over<DropsSilently>>};
const Saboteur drops_among_threads{{.name = "drops every seventh sample while many threads work",
                                    .requirement = "DATA-14",
                                    .test = "Data.DistinctHandlesMayBeUsedByDistinctThreads",
                                    .sign = "received"},
                                   made<Over<DropsSilently>>};

class Miscounts final : public WrappedSubscriber {
  using WrappedSubscriber::WrappedSubscriber;
  Result<bool> take(spi::SampleRecord& record) override {
    Result<bool> there = WrappedSubscriber::take(record);
    if (there && *there && record.lost_before > 0) ++record.lost_before;
    return there;
  }
};
const Saboteur miscounts{{.name = "counts every loss one too high",
                          .requirement = "SLOW-4",
                          .test = "SlowSubscriber.EveryLossIsAnnouncedExactlyWhereItHappened",
                          .sign = "check_sound"},
                         made<Over<Miscounts>>};

const Saboteur miscounts_at_random{{.name = "counts every loss one too high, among many",
                                    .requirement = "MIX-1",
                                    .test = "Random.HistoriesOfManyPeersAreSound",
                                    .sign = "announced"},
                                   made<Over<Miscounts>>};

// Counts what of each publisher has come.
class CountingSubscriber : public CopyingSubscriber {
  using CopyingSubscriber::CopyingSubscriber;

 protected:
  std::uint64_t number_of(const spi::SampleRecord& record) { return counts_[record.publisher]++; }

 private:
  std::map<PeerId, std::uint64_t> counts_;
};

class RepeatsHistory final : public CountingSubscriber {
  using CountingSubscriber::CountingSubscriber;
  void spoil(spi::SampleRecord& record, std::byte* /*payload*/) override {
    const std::uint64_t number = number_of(record);
    if (number >= qos().history) return;
    come_next(repeated(record));
  }
};
const Saboteur repeats_history{{.name = "replays the history twice",
                                .requirement = "HIST-1",
                                .test = "LateJoiner.ReceivesTheNewestOfThePastInOrder",
                                .sign = "take_all"},
                               made<Over<RepeatsHistory>>};

class GapAtTheSeam final : public CountingSubscriber {
  using CountingSubscriber::CountingSubscriber;
  void spoil(spi::SampleRecord& record, std::byte* /*payload*/) override {
    if (qos().history == 0 || number_of(record) != qos().history) return;
    spi::SampleRecord next;
    Result<bool> there = take_copy(next);
    if (!there || !*there) return;
    release(record);  // the first live one, if it is not the last
    record = next;
    record.lost_before = 0;
  }
};
const Saboteur gap{{.name = "loses the first live sample behind the history",
                    .requirement = "HIST-4",
                    .test = "LateJoiner.SeesHistoryThenLiveWithoutGap",
                    .sign = "check_"},
                   made<Over<GapAtTheSeam>>};

class CorruptsAPage final : public CopyingSubscriber {
  using CopyingSubscriber::CopyingSubscriber;
  void spoil(spi::SampleRecord& record, std::byte* payload) override {
    if (record.size == 4096) payload[4095] ^= std::byte{1};
  }
};
const Saboteur corrupts_a_page{{.name = "corrupts messages of exactly 4,096 bytes",
                                .requirement = "DATA-1",
                                .test = "Data.PayloadsOfEverySizeArriveWhole",
                                .sign = "check_sound"},
                               made<Over<CorruptsAPage>>};

class CorruptsWithTwo final : public CopyingSubscriber {
  using CopyingSubscriber::CopyingSubscriber;
  void spoil(spi::SampleRecord& record, std::byte* payload) override {
    publishers_.insert(record.publisher);
    if (publishers_.size() > 1 && record.size > 30) payload[30] ^= std::byte{1};
  }
  std::set<PeerId> publishers_;
};
const Saboteur corrupts_with_two{{.name = "corrupts messages only where there are two publishers",
                                  .requirement = "ORD-3",
                                  .test = "Ordering.EachPublisherCountsForItself",
                                  .sign = "check_sound"},
                                 made<Over<CorruptsWithTwo>>};

class MisnamesPublishers final : public WrappedSubscriber {
  using WrappedSubscriber::WrappedSubscriber;
  Result<bool> take(spi::SampleRecord& record) override {
    Result<bool> there = WrappedSubscriber::take(record);
    if (!there || !*there) return there;
    if (first_ == 0) first_ = record.publisher;
    record.publisher = first_;
    return there;
  }
  PeerId first_ = 0;
};
const Saboteur misnames{{.name = "names the first publisher for all samples",
                         .requirement = "ORD-4",
                         .test = "Ordering.SamplesNameTheirPublisher",
                         .sign = "ids"},
                        made<Over<MisnamesPublishers>>};

class LiesAboutTheTime final : public WrappedSubscriber {
  using WrappedSubscriber::WrappedSubscriber;
  [[nodiscard]] std::chrono::steady_clock::time_point publish_time(
      const spi::SampleRecord& record) const noexcept override {
    return WrappedSubscriber::publish_time(record) - std::chrono::milliseconds(10);
  }
};
const Saboteur lies_about_the_time{{.name = "says that samples are older than they are",
                                    .requirement = "ORD-9",
                                    .test = "Ordering.ThePublishTimeIsThatOfThePublish",
                                    .sign = "publish_time"},
                                   made<Over<LiesAboutTheTime>>};

class LosesUnread final : public WrappedSubscriber {
  using WrappedSubscriber::WrappedSubscriber;
  Result<bool> take(spi::SampleRecord& record) override {
    while (true) {
      Result<bool> there = WrappedSubscriber::take(record);
      if (!there || !*there || is_there(record.publisher)) return there;
      release(record);
    }
  }
  bool is_there(PeerId publisher) {
    auto there = peers();
    return there && std::any_of(there->begin(), there->end(), [&](const Peer& peer) { return peer.id == publisher; });
  }
};
const Saboteur loses_unread{{.name = "loses unread samples when their publisher closes",
                             .requirement = "DATA-11",
                             .test = "Data.UnreadSamplesSurviveACleanCloseOfTheirPublisher",
                             .sign = "take_all"},
                            made<Over<LosesUnread>>};
const Saboteur loses_unread_of_the_dead{{.name = "loses unread samples when their publisher dies",
                                         .requirement = "CRASH-1",
                                         .test = "Crash.AThousandUnreadSamplesOutliveTheirPublisher",
                                         .sign = "take",
                                         .across_processes = true},
                                        made<Over<LosesUnread>>};

class LosesHeaders final : public WrappedSubscriber {
  using WrappedSubscriber::WrappedSubscriber;
  Result<bool> take(spi::SampleRecord& record) override {
    Result<bool> there = WrappedSubscriber::take(record);
    if (there && *there) record.header_size = 0;
    return there;
  }
};
const Saboteur loses_headers{{.name = "promises user headers and delivers none",
                              .requirement = "DATA-5",
                              .test = "Data.UserHeadersOfEverySizeArriveWhole",
                              .sign = "check_sound"},
                             made<Over<LosesHeaders>>};

class KeepsSamples final : public WrappedSubscriber {
  using WrappedSubscriber::WrappedSubscriber;
  void release(spi::SampleRecord& record) noexcept override {
    if (++count_ % 2 == 0) inner().release(record);
  }
  std::atomic<int> count_ = 0;
};
const Saboteur keeps_samples{{.name = "never gives back every second sample",
                              .requirement = "LIMIT-3",
                              .test = "Limits.OneSampleMoreThanTheLimitIsNotTakenAndNotLost",
                              .sign = "limit_exceeded"},
                             made<Over<KeepsSamples>>};

class HidesTheLimit final : public WrappedSubscriber {
  using WrappedSubscriber::WrappedSubscriber;
  Result<bool> take(spi::SampleRecord& record) override {
    Result<bool> there = WrappedSubscriber::take(record);
    if (there || there.error().code() != ErrorCode::limit_exceeded) return there;
    return false;  // instead of the error that names the limit
  }
};
const Saboteur hides_the_limit{{.name = "comes back empty where the limit of samples in hand is reached",
                                .requirement = "LIMIT-3",
                                .test = "Limits.OneSampleMoreThanTheLimitIsNotTakenAndNotLost",
                                .sign = "limit_exceeded"},
                               made<Over<HidesTheLimit>>};

}  // namespace
}  // namespace weir::conformance
