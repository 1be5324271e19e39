#include "examples/quickstart/inspector.h"

#include <algorithm>
#include <cstring>

#include "examples/quickstart/crc32.h"
#include "examples/quickstart/message.h"

namespace quickstart {

weir::Status Inspector::inspect(const Received& sample) {
  const weir::Result<bool> intact = is_from_file(sample);
  if (!intact) {
    return tl::unexpected(intact.error());
  }
  if (account_.messages == 0) {
    account_.first = sample.sequence - sample.lost_before;
    account_.next = account_.first;
  }
  account_.disordered += sample.sequence == account_.next + sample.lost_before ? 0 : 1;
  account_.different += *intact ? 0 : 1;
  account_.messages += 1;
  account_.bytes += sample.payload.size();
  account_.lost += sample.lost_before;
  account_.next = sample.sequence + 1;
  account_.at_once += at_once_ ? 1 : 0;
  if (whole_file_) {
    account_.checksum = crc32(sample.payload, account_.checksum);
  }
  return {};
}

weir::Result<bool> Inspector::is_from_file(const Received& sample) {
  Place place{};
  if (sample.header.size() != sizeof(place)) {
    return false;
  }
  std::memcpy(&place, sample.header.data(), sizeof(place));
  const bool follows = account_.messages == 0 || sample.lost_before > 0 || place.offset == end_;
  if (place.number != sample.sequence || place.size != sample.payload.size() || place.offset > file_.size() ||
      place.size > file_.size() - place.offset || !follows) {
    return false;
  }
  end_ = place.offset + place.size;
  original_.resize(std::max(original_.size(), sample.payload.size()));
  const std::span<std::byte> original(original_.data(), sample.payload.size());
  return file_.read(place.offset, original).map([&] {
    return original.empty() || std::memcmp(original.data(), sample.payload.data(), original.size()) == 0;
  });
}

}  // namespace quickstart
