#include "transport/shm/ring.h"

#include <atomic>
#include <cstdint>
#include <memory>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "transport/shm/recovery.h"

namespace weir::shm {
namespace {

constexpr std::uint64_t slot_count = 8;

class Ring : public ::testing::Test {
 protected:
  ChunkRef publish(std::uint64_t sequence) {
    return writer_.write(sequence, {.chunk = ChunkRef(0, sequence), .size = sequence, .ticks = sequence});
  }
  void publish_up_to(std::uint64_t end) {
    for (std::uint64_t sequence = 0; sequence < end; ++sequence) {
      publish(sequence);
    }
  }

  std::unique_ptr<Slot[]> slots_ = std::make_unique<Slot[]>(slot_count);
  RingWriter writer_{slots_.get(), slot_count};
  RingReader reader_{slots_.get(), slot_count};
};

TEST_F(Ring, NothingIsThereBeforeTheFirstSample) {
  std::uint64_t sequence = 0;
  EXPECT_FALSE(reader_.seek(sequence));
  EXPECT_EQ(sequence, 0U);
  EXPECT_EQ(reader_.end(), 0U);
  EXPECT_EQ(reader_.end_from(0), 0U);
}

TEST_F(Ring, ReaderAtTheEndWaitsForTheNextSample) {
  publish_up_to(3);
  std::uint64_t sequence = 3;
  EXPECT_FALSE(reader_.seek(sequence));
  EXPECT_EQ(sequence, 3U);
  publish(3);
  EXPECT_TRUE(reader_.seek(sequence));
  EXPECT_EQ(reader_.read(3).size, 3U);
}

TEST_F(Ring, SuccessorTakesNoChunkWithBitsThatReadersDoNotSee) {
  writer_.write(0, {.chunk = ChunkRef(1, 0), .size = carried_size + 1, .ticks = 0});
  ASSERT_TRUE(derive_succession(slots_.get(), slot_count, page, "test"));
  slots_[0].chunk.fetch_or(std::uint64_t{1} << 50U);
  const Result<Succession> succession = derive_succession(slots_.get(), slot_count, page, "test");
  ASSERT_FALSE(succession);
  EXPECT_EQ(succession.error().code(), ErrorCode::corrupt);
}

TEST_F(Ring, ReaderThatIsLedBeyondAllSamplesComesToAnEnd) {
  for (std::uint64_t index = 0; index < slot_count; ++index) slots_[index].word.store(~std::uint64_t{0});
  std::uint64_t sequence = 0;
  EXPECT_FALSE(reader_.seek(sequence));
  EXPECT_GE(sequence, RingReader::beyond_all);
}

TEST_F(Ring, LappedReaderJumpsToTheOldestThatIsThere) {
  for (std::uint64_t end = 1; end < 5 * slot_count; ++end) {
    SCOPED_TRACE(end);
    publish(end - 1);
    std::uint64_t sequence = 0;
    ASSERT_TRUE(reader_.seek(sequence));
    EXPECT_EQ(sequence, end > slot_count ? end - slot_count : 0);
  }
}

TEST_F(Ring, AReaderThatMeetsASampleBeingWrittenLosesExactlyItsPredecessor) {
  publish_up_to(slot_count);
  slots_[0].word.store(writing_mark(slot_count));  // as a publisher leaves it that dies there
  std::uint64_t sequence = 0;
  EXPECT_TRUE(reader_.seek(sequence));
  EXPECT_EQ(sequence, 1U);
  std::uint64_t newest = slot_count;
  EXPECT_FALSE(reader_.seek(newest));
  EXPECT_EQ(reader_.end(), slot_count);
}

TEST_F(Ring, RetiredSamplesArePassedOverOneByOne) {
  publish_up_to(5);
  EXPECT_EQ(writer_.retire(0), ChunkRef(0, 0));
  EXPECT_EQ(writer_.retire(1), ChunkRef(0, 1));
  std::uint64_t sequence = 0;
  EXPECT_TRUE(reader_.seek(sequence));
  EXPECT_EQ(sequence, 2U);
  EXPECT_FALSE(writer_.retire(1)) << "its chunk was given back already";
  EXPECT_EQ(reader_.end(), 5U);
}

TEST_F(Ring, AllRetiredIsEmptyNotLostForEver) {
  publish_up_to(3);
  for (std::uint64_t sequence = 0; sequence < 3; ++sequence) {
    writer_.retire(sequence);
  }
  std::uint64_t sequence = 0;
  EXPECT_FALSE(reader_.seek(sequence));
  EXPECT_EQ(sequence, 3U);
  EXPECT_EQ(reader_.end(), 3U);
}

TEST_F(Ring, AChunkFallsOutWhenItsSlotIsOverwrittenAndOnlyOnce) {
  publish_up_to(slot_count);
  EXPECT_EQ(publish(slot_count), ChunkRef(0, 0));
  writer_.retire(1);
  EXPECT_FALSE(publish(slot_count + 1)) << "a retired chunk has been given back before";
}

TEST_F(Ring, EndIsFoundFromEveryKnownStart) {
  for (std::uint64_t end = 0; end < 4 * slot_count; ++end) {
    const std::uint64_t oldest = end > slot_count ? end - slot_count : 0;
    for (std::uint64_t known = oldest; known <= end; ++known) {
      EXPECT_EQ(reader_.end_from(known), end) << known;
    }
    EXPECT_EQ(reader_.end(), end);
    publish(end);
  }
}

TEST_F(Ring, DescriptorsSurviveTheSlotUnchanged) {
  const Descriptor written{
      .chunk = ChunkRef(34, 77), .size = 1ULL << 40U, .header_size = 65536, .payload_offset = 69632, .ticks = ~0ULL};
  writer_.write(0, written);
  const Descriptor read = reader_.read(0);
  EXPECT_EQ(read.chunk, written.chunk);
  EXPECT_EQ(read.size, written.size);
  EXPECT_EQ(read.header_size, written.header_size);
  EXPECT_EQ(read.payload_offset, written.payload_offset);
  EXPECT_EQ(read.ticks, written.ticks);
}

TEST_F(Ring, ConcurrentReadersNeverTrustATornDescriptor) {
  const std::uint64_t samples = 200'000;
  constexpr int reader_count = 2;
  std::vector<std::uint64_t> seen(reader_count);
  {
    std::vector<std::jthread> readers;
    for (int index = 0; index < reader_count; ++index) {
      readers.emplace_back([this, &seen, samples, index] {
        std::uint64_t sequence = 0;
        std::uint64_t lost = 0;
        std::uint64_t taken = 0;
        while (sequence < samples) {
          std::uint64_t found = sequence;
          if (!reader_.seek(found)) {
            continue;
          }
          const Descriptor sample = reader_.read(found);
          if (!reader_.still_valid(found)) {
            continue;
          }
          ASSERT_EQ(sample.chunk, ChunkRef(0, found));
          ASSERT_EQ(sample.size, found);
          ASSERT_EQ(sample.ticks, found);
          lost += found - sequence;
          ++taken;
          sequence = found + 1;
        }
        EXPECT_EQ(lost + taken, samples);
        seen[static_cast<std::size_t>(index)] = taken;
      });
    }
    publish_up_to(samples);
  }
  for (const std::uint64_t taken : seen) {
    EXPECT_GE(taken, 1U) << "the last samples stay";
  }
}

TEST(ChunkRef, ClassesHoldWhatTheySay) {
  EXPECT_EQ(class_for(0), 0U);
  EXPECT_EQ(class_for(1), 0U);
  EXPECT_EQ(class_for(64), 0U);
  EXPECT_EQ(class_for(65), 1U);
  for (std::size_t bytes = 1; bytes < (1ULL << 40U); bytes = bytes * 3 + 1) {
    const unsigned size_class = class_for(bytes);
    EXPECT_GE(class_size(size_class), bytes);
    EXPECT_TRUE(size_class == 0 || class_size(size_class - 1) < bytes) << bytes;
  }
  EXPECT_GE(class_for(~std::size_t{0}), class_count);
}

TEST(ChunkRef, APinTellsChunkAndEntry) {
  const ChunkRef chunk(12, 345'678);
  const std::uint64_t pin = pin_of(chunk, cursor_count - 1);
  EXPECT_EQ(ChunkRef::from(pin), chunk);
  EXPECT_EQ(entry_of_pin(pin), cursor_count - 1);
  EXPECT_NE(pin_of(ChunkRef(0, 0), 0), 0U) << "a pin of the first chunk is not free";
  EXPECT_FALSE(ChunkRef());
}

TEST(ChunkRef, APinOfNoChunkBelongsToNoEntry) {
  EXPECT_NE(pin_of_no_chunk, 0U) << "its place would be free";
  EXPECT_GE(entry_of_pin(pin_of_no_chunk), cursor_count) << "it would keep what that entry's publisher left";
  EXPECT_GE(ChunkRef::from(pin_of_no_chunk).size_class(), class_count) << "it would name a chunk";
}

}  // namespace
}  // namespace weir::shm
