// What a backend throws, its caller gets as an error; whatever it throws, wherever.
#include "transport/guard.h"

#include <memory>
#include <new>
#include <stdexcept>
#include <string_view>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "transport/inproc/hooked_backend.h"
#include "transport/inproc/test_support.h"
#include "transport/node.h"
#include "transport/wait_set.h"

namespace weir {
namespace {

using ::testing::ElementsAre;
using testing_support::bytes;
using testing_support::fails;
using testing_support::HookedBackend;
using testing_support::Hooks;
using testing_support::must;
using testing_support::take_all;

class GuardTest : public testing_support::InprocTest {
 protected:
  // Makes every call that reaches the backend, and expects this error of each.
  void expect_everywhere(ErrorCode code, std::string_view word) {
    EXPECT_TRUE(fails(hooked.publisher("hooked://t"), code, {word}));
    EXPECT_TRUE(fails(hooked.subscriber("hooked://t"), code, {word}));
    EXPECT_TRUE(fails(hooked.topics("hooked://"), code, {word}));
    EXPECT_TRUE(fails(hooked.remove("hooked://t"), code, {word}));
    EXPECT_TRUE(fails(publisher.loan(1), code, {word}));
    EXPECT_TRUE(fails(publisher.send({}), code, {word}));
    EXPECT_TRUE(fails(loan.publish(), code, {word}));
    EXPECT_TRUE(loan) << "a publish that throws is a publish that failed";
    EXPECT_TRUE(fails(publisher.wait_for_subscribers(1, at_once), code, {word}));
    EXPECT_TRUE(fails(publisher.wait(at_once), code, {word}));
    EXPECT_TRUE(fails(publisher.fd(), code, {word}));
    EXPECT_TRUE(fails(publisher.next_event(), code, {word}));
    EXPECT_TRUE(fails(publisher.peers(), code, {word}));
    EXPECT_TRUE(fails(subscriber.take(), code, {word}));
    EXPECT_TRUE(fails(subscriber.wait(at_once), code, {word}));
    EXPECT_TRUE(fails(subscriber.fd(), code, {word}));
    EXPECT_TRUE(fails(subscriber.next_event(), code, {word}));
    EXPECT_TRUE(fails(subscriber.peers(), code, {word}));
    EXPECT_TRUE(fails(set.add(subscriber, 1), code, {word}));
    EXPECT_TRUE(fails(set.remove(publisher), code, {word}));
  }

  std::shared_ptr<Hooks> hooks = std::make_shared<Hooks>();
  Node hooked = must(Node::open({std::make_shared<HookedBackend>(hooks)}));
  Publisher publisher = must(hooked.publisher("hooked://t"));
  Subscriber subscriber = must(hooked.subscriber("hooked://t"));
  Loan loan = must(publisher.loan(0));
  WaitSet set = must(WaitSet::create());
};

TEST_F(GuardTest, ExceptionBecomesAnInternalErrorWithItsText) {
  hooks->call = [] { throw std::runtime_error("the framework's own words"); };
  expect_everywhere(ErrorCode::internal, "the framework's own words");
}

TEST_F(GuardTest, ExhaustedMemoryBecomesResourceExhausted) {
  hooks->call = [] { throw std::bad_alloc(); };
  expect_everywhere(ErrorCode::resource_exhausted, "memory");
}

TEST_F(GuardTest, ThrownObjectThatIsNoExceptionBecomesAnInternalError) {
  hooks->call = [] { throw 42; };
  expect_everywhere(ErrorCode::internal, "unknown type");
}

TEST_F(GuardTest, HandlesWorkAgainOnceTheBackendDoes) {
  must(publisher.send(bytes("before")));
  hooks->call = [] { throw 42; };
  EXPECT_FALSE(loan.publish());
  EXPECT_FALSE(publisher.send(bytes("lost")));
  EXPECT_FALSE(subscriber.take());
  hooks->call = [] {};
  EXPECT_EQ(must(loan.publish()), 1U);
  EXPECT_THAT(take_all(subscriber), ElementsAre("before", ""));
}

TEST(GuardedOpenTest, BackendThatThrowsWhenItIsMadeFailsTheOpen) {
  static bool licensed = true;
  static const spi::Registration registration([]() -> std::shared_ptr<spi::Backend> {
    if (!licensed) {
      throw std::runtime_error("no licence");
    }
    return std::make_shared<HookedBackend>(std::make_shared<Hooks>());
  });
  licensed = false;
  EXPECT_TRUE(fails(Node::open(), ErrorCode::internal, {"no licence"}));
  licensed = true;
  EXPECT_TRUE(Node::open());
}

}  // namespace
}  // namespace weir
