// How many samples of each publisher were missed: by what the chunk header says, the publisher's id and its count.
//
// The first sample of a publisher needs more. One that was made after the subscriber has lost all that came before its
// first sample. Of one that was there already, the first sample of the history that was met at the join begins the
// stream; else, if it is weir's, its chunks tell where the stream stood when the newest subscriber joined. Of a native
// publisher that was there before, what is lost before the first sample that is taken cannot be told from what was
// published before the join, and counts as not lost.
//
// Half of a thousand publishers are forgotten when one more comes: those that have been silent for longest. Of one that
// may be among them nothing is known any more, and it begins anew, without a loss.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

namespace weir::iceoryx {

class Losses {
 public:
  // `subscriber`: its port id. iceoryx counts ids up, for all ports of a RouDi.
  explicit Losses(std::uint64_t subscriber) : subscriber_(subscriber) {}

  // The next sample that is expected from a publisher that was there at the join.
  void expect(std::uint64_t publisher, std::uint64_t sequence) { find_or_add(publisher, sequence).next = sequence; }
  [[nodiscard]] bool knows(std::uint64_t publisher) const noexcept {
    return std::any_of(streams_.begin(), streams_.end(), [&](const Stream& s) { return s.publisher == publisher; });
  }

  // Notes a sample and returns how many were missed before it. `joined_at()` is asked for the first of a publisher that
  // was there before: where its stream stood at the join, or nothing.
  template <class JoinedAt>
  std::uint64_t before(std::uint64_t publisher, std::uint64_t sequence, JoinedAt joined_at) {
    if (last_ >= streams_.size() || streams_[last_].publisher != publisher) [[unlikely]] {
      find_or_add(publisher, publisher <= forgotten_   ? sequence
                             : publisher > subscriber_ ? 0
                                                       : joined_at().value_or(sequence));
    }
    Stream& stream = streams_[last_];
    const std::uint64_t missed = sequence - stream.next;
    stream.next = sequence + 1;
    return missed;
  }

 private:
  struct Stream {
    std::uint64_t publisher;
    std::uint64_t next;
    std::uint64_t used;  // the larger, the later
  };

  // Makes `last_` its place, which stays until another publisher has a sample.
  Stream& find_or_add(std::uint64_t publisher, std::uint64_t next) {
    const auto found = std::find_if(streams_.begin(), streams_.end(),
                                    [&](const Stream& stream) { return stream.publisher == publisher; });
    last_ = static_cast<std::size_t>(found - streams_.begin());
    if (found != streams_.end()) {
      found->used = ++uses_;
      return *found;
    }
    if (streams_.size() == most) forget();
    last_ = streams_.size();
    return streams_.emplace_back(Stream{.publisher = publisher, .next = next, .used = ++uses_});
  }

  // Twice as many publishers as can be alive: half of them are gone, or silent.
  void forget() {
    const auto kept = streams_.begin() + most / 2;
    std::nth_element(streams_.begin(), kept, streams_.end(),
                     [](const Stream& left, const Stream& right) { return left.used < right.used; });
    std::for_each(streams_.begin(), kept,
                  [&](const Stream& stream) { forgotten_ = std::max(forgotten_, stream.publisher); });
    streams_.erase(streams_.begin(), kept);
  }

  static constexpr std::size_t most = 1024;

  const std::uint64_t subscriber_;
  std::vector<Stream> streams_;
  std::size_t last_ = 0;
  std::uint64_t uses_ = 0;
  std::uint64_t forgotten_ = 0;  // the largest id of those that were
};

}  // namespace weir::iceoryx
