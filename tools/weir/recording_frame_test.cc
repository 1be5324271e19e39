// Frames of a recording whose bytes change while they are written, or that claim what is not there.
#include "tools/weir/recording_frame.h"

#include <fcntl.h>

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tools/weir/recording_reader.h"
#include "tools/weir/recording_writer.h"
#include "tools/weir/test_program.h"

namespace weir::tool::testing {
namespace {

using ::testing::HasSubstr;

class RecordingFrame : public ::testing::Test {
 protected:
  // Behind a beginning in order: heads of frames, each of which claims all that follows, and then a hole, which takes
  // no memory. Returns where they begin.
  [[nodiscard]] std::uint64_t make_claims(std::size_t count, std::uint64_t hole) const {
    EXPECT_TRUE(RecordingWriter::open(path_, Existing::refuse)->source({.topic = "shm://camera"}));
    const auto begin = std::filesystem::file_size(path_);
    std::ofstream file(path_, std::ios::binary | std::ios::app);
    for (std::uint64_t left = count; left > 0; --left) {
      const FrameHead head{.kind = FrameKind::message, .check = 1, .size = (left - 1) * sizeof(head) + hole};
      file.write(reinterpret_cast<const char*>(&head), sizeof(head));
    }
    file.close();
    std::filesystem::resize_file(path_, begin + count * sizeof(FrameHead) + hole);
    return begin;
  }

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

TEST_F(RecordingFrame, ThatClaimsTheRestOfALargeFileIsDamagedAndTakesNoMemoryForIt) {
  const std::uint64_t begin = make_claims(1, 256U << 20U);
  const shm::File file(::open(path_.c_str(), O_RDONLY | O_CLOEXEC));
  std::vector<std::byte> content;
  EXPECT_EQ(read_frame(file, begin, content).state, Frame::State::damaged);
  EXPECT_LE(content.capacity(), 1U << 20U);
  const Outcome replay = run({"replay", path_, "--fast"});
  EXPECT_EQ(replay.status, 8);
  EXPECT_THAT(replay.errors, HasSubstr(fmt::format("damaged at byte {}", begin)));
}

TEST_F(RecordingFrame, MayLieAmongMoreClaimsThanAreCheckedSoTheRecordingIsNotContinued) {
  const std::uint64_t begin = make_claims(100, 64U << 20U);
  std::fstream file(path_, std::ios::in | std::ios::out | std::ios::binary);
  file.seekp(static_cast<std::streamoff>(begin + offsetof(FrameHead, size)) + 7);
  file.put('!');  // so the first of them is longer than the file
  file.close();
  const auto writer = RecordingWriter::open(path_, Existing::append);
  ASSERT_FALSE(writer);
  EXPECT_EQ(writer.error().code(), ErrorCode::corrupt);
}

TEST_F(RecordingFrame, OfAnySizeIsReadWholeAgainAndAgain) {
  std::vector<std::string> payloads;
  for (const std::size_t size : {0, 3 << 20, 1, 1 << 20, 5 << 20, (1 << 20) - 32, (1 << 20) - 31, 3 << 20}) {
    payloads.emplace_back(size, static_cast<char>('a' + payloads.size()));
  }
  {
    auto writer = RecordingWriter::open(path_, Existing::refuse).value();
    const auto source = writer.source({.topic = "shm://camera"}).value();
    for (const std::string& payload : payloads) {
      ASSERT_TRUE(writer.write({.source = source, .payload = std::as_bytes(std::span(payload))}));
    }
  }
  auto reader = RecordingReader::open(path_).value();
  for (const std::string& payload : payloads) {
    const auto read = reader.next().value();
    ASSERT_TRUE(read) << payload.size();
    EXPECT_TRUE(std::ranges::equal(read->payload, std::as_bytes(std::span(payload)))) << payload.size();
  }
}

}  // namespace
}  // namespace weir::tool::testing
