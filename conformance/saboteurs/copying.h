// A subscriber whose samples are copies, for saboteurs to scribble on, repeat or keep back.
#pragma once

#include <cstdlib>
#include <cstring>
#include <deque>
#include <memory>
#include <optional>

#include "conformance/saboteurs/wrapper.h"

namespace weir::conformance {

class CopyingSubscriber : public WrappedSubscriber {
 public:
  using WrappedSubscriber::WrappedSubscriber;
  CopyingSubscriber(const CopyingSubscriber&) = delete;
  CopyingSubscriber& operator=(const CopyingSubscriber&) = delete;
  ~CopyingSubscriber() override {
    for (spi::SampleRecord& record : waiting_) release(record);
  }

  Result<bool> take(spi::SampleRecord& record) override {
    if (!waiting_.empty()) {
      record = waiting_.front();
      waiting_.pop_front();
      return true;
    }
    Result<bool> there = take_copy(record);
    if (there && *there) spoil(record, payload_of(record));
    return there;
  }

  void release(spi::SampleRecord& record) noexcept override {
    Copy* copy = copy_of(record);
    if (copy->original) inner().release(*copy->original);
    delete copy;
  }

  [[nodiscard]] std::chrono::steady_clock::time_point publish_time(
      const spi::SampleRecord& record) const noexcept override {
    return inner().publish_time(copy_of(record)->original.value_or(record));
  }

 protected:
  // What is wrong with it.
  virtual void spoil(spi::SampleRecord& record, std::byte* payload) = 0;

  Result<bool> take_copy(spi::SampleRecord& record) {
    Result<bool> there = inner().take(record);
    if (there && *there) copy(record, record);
    return there;
  }
  // A sample that comes with the next take.
  void come_next(const spi::SampleRecord& record) { waiting_.push_back(record); }
  // Another copy, of a sample that may be released before it.
  [[nodiscard]] static spi::SampleRecord repeated(spi::SampleRecord record) {
    copy(record, std::nullopt);
    return record;
  }
  [[nodiscard]] static std::byte* payload_of(const spi::SampleRecord& record) { return copy_of(record)->payload.get(); }

 private:
  struct Free {
    void operator()(std::byte* memory) const noexcept { std::free(memory); }
  };
  struct Copy {
    std::optional<spi::SampleRecord> original;
    std::unique_ptr<std::byte, Free> payload;
  };
  static Copy* copy_of(const spi::SampleRecord& record) noexcept { return reinterpret_cast<Copy*>(record.token); }

  static void copy(spi::SampleRecord& record, std::optional<spi::SampleRecord> original) {
    auto made = std::make_unique<Copy>();
    made->original = original;
    const std::size_t pages = record.size / spi::max_alignment + 1;
    made->payload.reset(static_cast<std::byte*>(std::aligned_alloc(spi::max_alignment, pages * spi::max_alignment)));
    if (record.size > 0) std::memcpy(made->payload.get(), record.payload, record.size);
    record.payload = made->payload.get();
    record.token = reinterpret_cast<std::uintptr_t>(made.release());
  }

  std::deque<spi::SampleRecord> waiting_;
};

}  // namespace weir::conformance
