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
    EXPECT_TRUE(fails(hooked_.publisher("hooked://t"), code, {word}));
    EXPECT_TRUE(fails(hooked_.subscriber("hooked://t"), code, {word}));
    EXPECT_TRUE(fails(hooked_.topics("hooked://"), code, {word}));
    EXPECT_TRUE(fails(hooked_.remove("hooked://t"), code, {word}));
    EXPECT_TRUE(fails(publisher_.loan(1), code, {word}));
    EXPECT_TRUE(fails(publisher_.send({}), code, {word}));
    EXPECT_TRUE(fails(loan_.publish(), code, {word}));
    EXPECT_TRUE(loan_) << "a publish that throws is a publish that failed";
    EXPECT_TRUE(fails(publisher_.wait_for_subscribers(1, at_once), code, {word}));
    EXPECT_TRUE(fails(publisher_.wait(at_once), code, {word}));
    EXPECT_TRUE(fails(publisher_.fd(), code, {word}));
    EXPECT_TRUE(fails(publisher_.next_event(), code, {word}));
    EXPECT_TRUE(fails(publisher_.peers(), code, {word}));
    EXPECT_TRUE(fails(subscriber_.take(), code, {word}));
    EXPECT_TRUE(fails(subscriber_.wait(at_once), code, {word}));
    EXPECT_TRUE(fails(subscriber_.fd(), code, {word}));
    EXPECT_TRUE(fails(subscriber_.next_event(), code, {word}));
    EXPECT_TRUE(fails(subscriber_.peers(), code, {word}));
    EXPECT_TRUE(fails(set_.add(subscriber_, 1), code, {word}));
    EXPECT_TRUE(fails(set_.remove(publisher_), code, {word}));
  }

  std::shared_ptr<Hooks> hooks_ = std::make_shared<Hooks>();
  Node hooked_ = must(Node::open({std::make_shared<HookedBackend>(hooks_)}));
  Publisher publisher_ = must(hooked_.publisher("hooked://t"));
  Subscriber subscriber_ = must(hooked_.subscriber("hooked://t"));
  Loan loan_ = must(publisher_.loan(0));
  WaitSet set_ = must(WaitSet::create());
};

TEST_F(GuardTest, ExceptionBecomesAnInternalErrorWithItsText) {
  hooks_->call = [] { throw std::runtime_error("the framework's own words"); };
  expect_everywhere(ErrorCode::internal, "the framework's own words");
}

TEST_F(GuardTest, ExhaustedMemoryBecomesResourceExhausted) {
  hooks_->call = [] { throw std::bad_alloc(); };
  expect_everywhere(ErrorCode::resource_exhausted, "memory");
}

TEST_F(GuardTest, ThrownObjectThatIsNoExceptionBecomesAnInternalError) {
  hooks_->call = [] { throw 42; };
  expect_everywhere(ErrorCode::internal, "unknown type");
}

TEST_F(GuardTest, HandlesWorkAgainOnceTheBackendDoes) {
  must(publisher_.send(bytes("before")));
  hooks_->call = [] { throw 42; };
  EXPECT_FALSE(loan_.publish());
  EXPECT_FALSE(publisher_.send(bytes("lost")));
  EXPECT_FALSE(subscriber_.take());
  hooks_->call = [] {};
  EXPECT_EQ(must(loan_.publish()), 1U);
  EXPECT_THAT(take_all(subscriber_), ElementsAre("before", ""));
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
