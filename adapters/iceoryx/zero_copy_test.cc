// A sample is the publisher's own memory.
#include <algorithm>
#include <cstdint>
#include <cstring>
#include <fstream>
#include <sstream>
#include <string>

#include "adapters/iceoryx/testing/roudi_test.h"

namespace weir::iceoryx {
namespace {

// The file that is mapped at an address of this process.
std::string file_mapped_at(const void* address) {
  const auto wanted = reinterpret_cast<std::uintptr_t>(address);
  std::ifstream maps("/proc/self/maps");
  for (std::string line; std::getline(maps, line);) {
    std::istringstream words(line);
    std::uintptr_t first = 0;
    std::uintptr_t last = 0;
    char dash = 0;
    std::string permissions, offset, device, inode, path;
    words >> std::hex >> first >> dash >> last >> permissions >> offset >> device >> inode >> path;
    if (wanted >= first && wanted < last) return path;
  }
  return "none";
}

class ZeroCopy : public RoudiTest {};

TEST_F(ZeroCopy, ASampleLiesInThePayloadSegmentAndShowsWhatIsWrittenToTheLoan) {
  Publisher publisher = this->publisher("iceoryx://Zero/Copy/Topic");
  Subscriber subscriber = this->subscriber("iceoryx://Zero/Copy/Topic");
  must(publisher.wait_for_subscribers(1, after(patience)), "subscriber");
  Loan loan = must(publisher.loan(40'000, 16, 64), "loan");
  std::byte* const lent = loan.payload().data();
  std::byte* const lent_header = loan.header().data();
  std::fill(loan.payload().begin(), loan.payload().end(), std::byte{1});
  must(loan.publish(), "publish");
  const Sample sample = next(subscriber);
  EXPECT_EQ(sample.payload().data(), lent);
  EXPECT_EQ(sample.header().data(), lent_header);
  // Not of the management segment, and no private memory.
  const std::string file = file_mapped_at(sample.payload().data());
  EXPECT_TRUE(file.starts_with("/dev/shm/")) << file;
  EXPECT_EQ(file.find("iceoryx_mgmt"), std::string::npos) << file;
  // No publisher should; but only one memory can show it.
  lent[39'999] = std::byte{77};
  EXPECT_EQ(sample.payload()[39'999], std::byte{77});
}

}  // namespace
}  // namespace weir::iceoryx
