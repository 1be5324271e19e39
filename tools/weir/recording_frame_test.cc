// Frames of a recording whose bytes change while they are written.
#include <atomic>
#include <cstdint>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "tools/weir/recording_reader.h"
#include "tools/weir/recording_writer.h"
#include "tools/weir/test_program.h"

namespace weir::tool::testing {
namespace {

class RecordingFrame : public ::testing::Test {
 protected:
  PrivateRoot root_;
  const std::string path_ = root_.path() + "/recording";
};

TEST_F(RecordingFrame, OfAMessageThatItsPublisherGoesOnWritingIsWholeAndSoAreTheOthers) {
  std::vector<std::uint64_t> payload(32'768);
  std::atomic<std::uint64_t> scribbled{0};
  const std::jthread scribbler([&](const std::stop_token& stop) {
    for (; !stop.stop_requested(); ++scribbled) {
      for (std::uint64_t& word : payload) std::atomic_ref(word).store(scribbled, std::memory_order_relaxed);
    }
  });
  auto writer = RecordingWriter::open(path_, Existing::refuse).value();
  const auto source = writer.source({.topic = "shm://camera"}).value();
  std::uint64_t written = 0;
  for (; scribbled < 100; ++written) {
    ASSERT_TRUE(writer.write({.source = source, .payload = std::as_bytes(std::span(payload))}));
  }
  EXPECT_EQ(RecordingReader::open(path_)->summary().messages(), written);
}

}  // namespace
}  // namespace weir::tool::testing
