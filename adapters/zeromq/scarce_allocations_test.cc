// A process whose operator new finds no memory: what is taken or sent then is refused or lost whole, and nothing of it
// is left in the next message. This program has an operator new of its own, which refuses one thread what it shall be
// refused; libzmq's own memory is that of malloc.
#include <cstdint>
#include <cstdlib>
#include <limits>
#include <new>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <zmq.hpp>

#include "adapters/zeromq/frames.h"
#include "adapters/zeromq/test_support.h"

namespace {

constexpr std::size_t no_limit = std::numeric_limits<std::size_t>::max();
thread_local constinit std::size_t allocations_left = no_limit;

void* allocate(std::size_t size) {
  if (allocations_left == 0) throw std::bad_alloc();
  if (allocations_left != no_limit) --allocations_left;
  if (void* const memory = std::malloc(size); memory != nullptr) return memory;
  throw std::bad_alloc();
}

}  // namespace

void* operator new(std::size_t size) { return allocate(size); }
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t /*size*/) noexcept { std::free(memory); }

namespace weir::zeromq {
namespace {

using namespace testing_support;
using Words = std::vector<std::string>;

// This thread gets so much memory by operator new and no more while it lives.
class AllocationLimit {
 public:
  explicit AllocationLimit(std::size_t count) { allocations_left = count; }
  ~AllocationLimit() { allocations_left = no_limit; }
  AllocationLimit(const AllocationLimit&) = delete;
  AllocationLimit& operator=(const AllocationLimit&) = delete;
};

class ScarceAllocations : public ::testing::Test {
 protected:
  static Words frames_of_sample(const Sample& sample) {
    Words all;
    for (const auto frame : frames_of(sample.header(), sample.payload())) all.push_back(text(frame));
    return all;
  }

  const ShortDirectory directory_;
  const std::string endpoint_ = directory_.ipc("wire");
  zmq::context_t context_;
  Node node_ = must(Node::open());
};

constexpr std::size_t plenty = 100;

TEST_F(ScarceAllocations, AMessageThatCannotBeTakenIsLostWholeAndTheNextIsAsItWasSent) {
  zmq::socket_t native(context_, zmq::socket_type::xpub);
  native.bind(endpoint_);
  Subscriber subscriber = must(node_.subscriber("zmq+" + endpoint_));
  zmq::message_t subscription;
  ASSERT_TRUE(native.recv(subscription));
  const auto send = [&](const Words& frames) {
    for (std::size_t at = 0; at < frames.size(); ++at) {
      native.send(zmq::buffer(frames[at]), at + 1 < frames.size() ? zmq::send_flags::sndmore : zmq::send_flags::none);
    }
  };
  int lost = 0;
  bool was_taken = false;
  for (std::size_t left = 0; left < plenty && !was_taken; ++left) {
    // More frames each time than there was room for before.
    const Words frames(20 + 10 * left, std::string(100, 'x'));
    send(frames);
    ASSERT_EQ(must(subscriber.wait(soon())), Wake::ready);
    {
      const AllocationLimit limit(left);
      const Result<Sample> taken = subscriber.take();
      was_taken = static_cast<bool>(taken);
    }
    if (!was_taken) ++lost;
    send({"next"});
    EXPECT_EQ(frames_of_sample(next(subscriber)), Words{"next"}) << left;
  }
  EXPECT_TRUE(was_taken);
  EXPECT_GE(lost, 2);
}

TEST_F(ScarceAllocations, AMessageThatCannotBeSentIsRefusedAndTheNextIsAsItWasMade) {
  Publisher publisher = must(node_.publisher("zmq+" + endpoint_ + "?frames=table"));
  zmq::socket_t native(context_, zmq::socket_type::sub);
  native.set(zmq::sockopt::subscribe, "");
  native.connect(endpoint_);
  must(publisher.wait_for_subscribers(1, soon()));
  const auto receive = [&] {
    Words frames;
    zmq::message_t frame;
    do {
      EXPECT_TRUE(native.recv(frame));
      frames.push_back(frame.to_string());
    } while (frame.more());
    return frames;
  };
  int refused = 0;
  bool was_sent = false;
  for (std::size_t left = 0; left < plenty && !was_sent; ++left) {
    const std::vector<std::uint64_t> sizes(20 + 10 * left, 100);
    const std::vector<std::byte> table = make_frame_table(sizes);
    const std::vector<std::byte> payload(100 * sizes.size());
    {
      const AllocationLimit limit(left);
      was_sent = static_cast<bool>(publisher.send(payload, table));
    }
    if (was_sent) {
      EXPECT_EQ(receive().size(), sizes.size());
    } else {
      ++refused;
    }
    must(publisher.send(bytes("next")));
    EXPECT_EQ(receive(), Words{"next"}) << left;
  }
  EXPECT_TRUE(was_sent);
  EXPECT_GE(refused, 2);
}

}  // namespace
}  // namespace weir::zeromq
