// How options from a URI, options in code and defaults become one quality of service.
#include "transport/qos.h"

#include <array>
#include <chrono>
#include <limits>
#include <string>
#include <string_view>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace weir {
namespace {

using namespace std::chrono_literals;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Pair;

constexpr std::array<std::string_view, 2> backend_keys{"root", "mlock"};

Endpoint endpoint(std::string_view options) {
  const Result<Endpoint> parsed = Endpoint::parse("shm://camera?" + std::string(options));
  EXPECT_TRUE(parsed) << parsed.error().message();
  return parsed.value_or(Endpoint());
}

PublisherQos publisher(std::string_view uri_options, const PublisherOptions& in_code = {}) {
  const Result<PublisherQos> qos = resolve(endpoint(uri_options), in_code, backend_keys);
  EXPECT_TRUE(qos) << qos.error().message();
  return qos.value_or(PublisherQos());
}

SubscriberQos subscriber(std::string_view uri_options, const SubscriberOptions& in_code = {}) {
  const Result<SubscriberQos> qos = resolve(endpoint(uri_options), in_code, backend_keys);
  EXPECT_TRUE(qos) << qos.error().message();
  return qos.value_or(SubscriberQos());
}

// The message of the error that resolve gives; every one names the endpoint.
template <class Options>
std::string refusal(std::string_view uri_options, const Options& in_code) {
  const auto qos = resolve(endpoint(uri_options), in_code, backend_keys);
  if (qos) {
    ADD_FAILURE() << uri_options << " was accepted";
    return {};
  }
  EXPECT_EQ(qos.error().code(), ErrorCode::invalid_argument);
  EXPECT_THAT(qos.error().message(), HasSubstr("shm://camera"));
  return qos.error().message();
}
std::string publisher_refusal(std::string_view uri_options, const PublisherOptions& in_code = {}) {
  return refusal(uri_options, in_code);
}
std::string subscriber_refusal(std::string_view uri_options, const SubscriberOptions& in_code = {}) {
  return refusal(uri_options, in_code);
}

TEST(QosTest, DefaultsAreThoseOfTheHeader) {
  const PublisherQos granted = publisher("");
  EXPECT_EQ(granted.grant, Grant::drop);
  EXPECT_EQ(granted.deadline, 1s);
  EXPECT_EQ(granted.depth, 255U);
  EXPECT_EQ(granted.history, 0U);
  EXPECT_EQ(granted.durability, Durability::transient);
  EXPECT_EQ(granted.loans, 64U);
  EXPECT_EQ(granted.max_payload, 1ULL << 30U);
  EXPECT_EQ(granted.memory, 4ULL << 30U);
  EXPECT_FALSE(granted.type);
  const SubscriberQos asked = subscriber("");
  EXPECT_EQ(asked.policy, SlowPolicy::drop_oldest);
  EXPECT_EQ(asked.depth, 16U);
  EXPECT_EQ(asked.history, 0U);
  EXPECT_EQ(asked.held, 64U);
}

TEST(QosTest, EveryOptionOfAPublisherCanBeGivenInTheUri) {
  const PublisherQos qos = publisher(
      "name=front&grant=reject&deadline=20ms&depth=8&history=4&durability=persistent&loans=2&max_payload=1MiB&"
      "memory=1GiB&type=Image&root=/run&mlock=yes");
  EXPECT_EQ(qos.name, "front");
  EXPECT_EQ(qos.grant, Grant::reject);
  EXPECT_EQ(qos.deadline, 20ms);
  EXPECT_EQ(qos.depth, 8U);
  EXPECT_EQ(qos.history, 4U);
  EXPECT_EQ(qos.durability, Durability::persistent);
  EXPECT_EQ(qos.loans, 2U);
  EXPECT_EQ(qos.max_payload, 1ULL << 20U);
  EXPECT_EQ(qos.memory, 1ULL << 30U);
  EXPECT_EQ(qos.type, TypeInfo{.name = "Image"});
  EXPECT_THAT(qos.extra, ElementsAre(Pair("mlock", "yes"), Pair("root", "/run")));
}

TEST(QosTest, EveryOptionOfAPublisherCanBeGivenInCode) {
  const TypeInfo image{.name = "Image", .size = 64, .alignment = 8, .fingerprint = 7};
  const PublisherQos qos = publisher("", {.name = "front",
                                          .grant = Grant::block,
                                          .deadline = 20ms,
                                          .depth = 8,
                                          .history = 4,
                                          .durability = Durability::persistent,
                                          .loans = 2,
                                          .max_payload = 3,
                                          .memory = 4,
                                          .type = image,
                                          .extra = {{"root", "/run"}}});
  EXPECT_EQ(qos.name, "front");
  EXPECT_EQ(qos.grant, Grant::block);
  EXPECT_EQ(qos.deadline, 20ms);
  EXPECT_EQ(qos.depth, 8U);
  EXPECT_EQ(qos.history, 4U);
  EXPECT_EQ(qos.durability, Durability::persistent);
  EXPECT_EQ(qos.loans, 2U);
  EXPECT_EQ(qos.max_payload, 3U);
  EXPECT_EQ(qos.memory, 4U);
  EXPECT_EQ(qos.type, image);
  EXPECT_THAT(qos.extra, ElementsAre(Pair("root", "/run")));
}

TEST(QosTest, EveryOptionOfASubscriberCanBeGivenInTheUriOrInCode) {
  const SubscriberQos in_uri =
      subscriber("name=view&policy=lossless&depth=8&history=4&durability=persistent&held=2&type=Image&root=/run");
  const SubscriberQos in_code = subscriber("", {.name = "view",
                                                .policy = SlowPolicy::lossless,
                                                .depth = 8,
                                                .history = 4,
                                                .durability = Durability::persistent,
                                                .held = 2,
                                                .type = TypeInfo{.name = "Image"},
                                                .extra = {{"root", "/run"}}});
  for (const SubscriberQos& qos : {in_uri, in_code}) {
    EXPECT_EQ(qos.name, "view");
    EXPECT_EQ(qos.policy, SlowPolicy::lossless);
    EXPECT_EQ(qos.depth, 8U);
    EXPECT_EQ(qos.history, 4U);
    EXPECT_EQ(qos.durability, Durability::persistent);
    EXPECT_EQ(qos.held, 2U);
    EXPECT_EQ(qos.type, TypeInfo{.name = "Image"});
    EXPECT_THAT(qos.extra, ElementsAre(Pair("root", "/run")));
  }
}

TEST(QosTest, WordsOfAUriAreThoseThatToStringGives) {
  for (const SlowPolicy policy : {SlowPolicy::drop_oldest, SlowPolicy::drop_newest, SlowPolicy::lossless}) {
    EXPECT_EQ(subscriber("policy=" + std::string(to_string(policy))).policy, policy);
  }
  for (const Grant grant : {Grant::drop, Grant::block, Grant::reject}) {
    EXPECT_EQ(publisher("grant=" + std::string(to_string(grant))).grant, grant);
  }
  for (const Durability durability : {Durability::transient, Durability::persistent}) {
    EXPECT_EQ(publisher("durability=" + std::string(to_string(durability))).durability, durability);
  }
  EXPECT_EQ(to_string(Durability::transient), "volatile");
}

TEST(QosTest, WordThatIsNoneOfTheWordsIsRefusedWithAllThatAre) {
  EXPECT_THAT(subscriber_refusal("policy=fast"),
              AllOf(HasSubstr("policy"), HasSubstr("fast"), HasSubstr("drop_oldest, drop_newest, lossless")));
  EXPECT_THAT(publisher_refusal("grant=Block"), AllOf(HasSubstr("Block"), HasSubstr("drop, block, reject")));
  EXPECT_THAT(publisher_refusal("durability=transient"), HasSubstr("volatile, persistent"));
  EXPECT_THAT(publisher_refusal("grant="), HasSubstr("grant"));
}

TEST(QosTest, ValueInCodeThatIsNoneIsRefusedAsInTheUri) {
  EXPECT_THAT(publisher_refusal("", {.grant = Grant(9)}),
              AllOf(HasSubstr("grant=\"9\""), HasSubstr("drop, block, reject")));
  EXPECT_THAT(subscriber_refusal("", {.policy = SlowPolicy(3)}),
              AllOf(HasSubstr("policy=\"3\""), HasSubstr("drop_oldest, drop_newest, lossless")));
  for (const std::string& refused : {publisher_refusal("", {.durability = Durability(2)}),
                                     subscriber_refusal("durability=persistent", {.durability = Durability(2)})}) {
    EXPECT_THAT(refused, AllOf(HasSubstr("durability=\"2\""), HasSubstr("volatile, persistent")));
  }
  EXPECT_THAT(publisher_refusal("", {.deadline = -5ns}), AllOf(HasSubstr("deadline=\"-5ns\""), HasSubstr("20ms")));
}

TEST(QosTest, AlignmentOfATypeIsAPowerOfTwo) {
  for (const std::uint64_t alignment : {0, 1, 64}) {
    EXPECT_EQ(publisher("", {.type = TypeInfo{.name = "T", .alignment = alignment}}).type->alignment, alignment);
  }
  const TypeInfo odd{.name = "T", .alignment = 3};
  for (const std::string& refused : {publisher_refusal("", {.type = odd}), subscriber_refusal("", {.type = odd})}) {
    EXPECT_THAT(refused, AllOf(HasSubstr("type"), HasSubstr("alignment of 3"), HasSubstr("power of two")));
  }
}

TEST(QosTest, SameOptionInUriAndCodeMustHaveTheSameValue) {
  EXPECT_EQ(subscriber("depth=8", {.depth = 8}).depth, 8U);
  EXPECT_EQ(publisher("deadline=1000us", {.deadline = 1ms}).deadline, 1ms);
  EXPECT_EQ(publisher("max_payload=1KiB", {.max_payload = 1024}).max_payload, 1024U);
  EXPECT_THAT(subscriber_refusal("depth=8", {.depth = 9}), AllOf(HasSubstr("depth"), HasSubstr("8"), HasSubstr("9")));
  // Also where the value in code is the default.
  EXPECT_THAT(publisher_refusal("grant=block", {.grant = Grant::drop}), AllOf(HasSubstr("block"), HasSubstr("drop")));
  EXPECT_THAT(publisher_refusal("name=a", {.name = "b"}), HasSubstr("\"name\""));
  EXPECT_THAT(publisher_refusal("deadline=1ms", {.deadline = 2ms}), HasSubstr("2000000ns"));
  EXPECT_THAT(publisher_refusal("root=/a", {.extra = {{"root", "/b"}}}), AllOf(HasSubstr("/a"), HasSubstr("/b")));
  EXPECT_THAT(publisher("root=/a", {.extra = {{"root", "/a"}}}).extra, ElementsAre(Pair("root", "/a")));
}

TEST(QosTest, TypeNameInTheUriMustBeThatOfTheTypeInCode) {
  const TypeInfo image{.name = "Image", .size = 64};
  EXPECT_EQ(publisher("type=Image", {.type = image}).type, image);
  EXPECT_THAT(publisher_refusal("type=Pose", {.type = image}), AllOf(HasSubstr("Pose"), HasSubstr("Image")));
  EXPECT_THAT(subscriber_refusal("type=Pose", {.type = image}), AllOf(HasSubstr("Pose"), HasSubstr("Image")));
}

TEST(QosTest, UnknownKeyIsRefusedWithAllThatAreKnown) {
  EXPECT_THAT(subscriber_refusal("dept=8"), AllOf(HasSubstr("\"dept\""), HasSubstr("depth"), HasSubstr("mlock")));
  EXPECT_THAT(publisher_refusal("Depth=8"), HasSubstr("\"Depth\""));
  EXPECT_THAT(publisher_refusal("", {.extra = {{"color", "red"}}}), HasSubstr("\"color\""));
}

TEST(QosTest, NameOfACommonOptionIsNoExtraOption) {
  EXPECT_THAT(subscriber_refusal("", {.extra = {{"depth", "8"}}}), HasSubstr("\"depth\""));
}

TEST(QosTest, KeysOfTheOtherRoleAreCheckedAndThenIgnored) {
  constexpr std::string_view both = "policy=lossless&held=3&grant=block&deadline=5ms&loans=2&max_payload=1&memory=2";
  EXPECT_EQ(publisher(both).grant, Grant::block);
  EXPECT_THAT(publisher(both).extra, IsEmpty());
  EXPECT_EQ(subscriber(both).policy, SlowPolicy::lossless);
  EXPECT_THAT(subscriber(both).extra, IsEmpty());
  EXPECT_THAT(publisher_refusal("policy=fast"), HasSubstr("policy"));
  EXPECT_THAT(publisher_refusal("held=x"), HasSubstr("held"));
  EXPECT_THAT(subscriber_refusal("grant=yes"), HasSubstr("grant"));
  EXPECT_THAT(subscriber_refusal("deadline=5"), HasSubstr("deadline"));
  EXPECT_THAT(subscriber_refusal("loans=-1"), HasSubstr("loans"));
  EXPECT_THAT(subscriber_refusal("max_payload=1kb"), HasSubstr("max_payload"));
  EXPECT_THAT(subscriber_refusal("memory="), HasSubstr("memory"));
}

TEST(QosTest, SizesHaveBinaryUnits) {
  EXPECT_EQ(publisher("memory=0").memory, 0U);
  EXPECT_EQ(publisher("memory=3KiB").memory, 3U * 1024);
  EXPECT_EQ(publisher("memory=3MiB").memory, 3U * 1024 * 1024);
  EXPECT_EQ(publisher("memory=3GiB").memory, 3ULL * 1024 * 1024 * 1024);
  for (const char* wrong :
       {"", "-1", "+1", "1.5", "0x10", " 1", "1 ", "1K", "1kib", "1KB", "KiB", "1 KiB", "1KiBKiB", "1ms"}) {
    Endpoint with_value = endpoint("");
    with_value.options["memory"] = wrong;
    const auto refused = resolve(with_value, PublisherOptions(), backend_keys);
    ASSERT_FALSE(refused) << wrong;
    EXPECT_THAT(refused.error().message(), HasSubstr("memory=\"" + std::string(wrong) + "\""));
  }
}

TEST(QosTest, DurationsNeedAUnit) {
  EXPECT_EQ(publisher("deadline=7ns").deadline, 7ns);
  EXPECT_EQ(publisher("deadline=7us").deadline, 7us);
  EXPECT_EQ(publisher("deadline=7ms").deadline, 7ms);
  EXPECT_EQ(publisher("deadline=7s").deadline, 7s);
  EXPECT_EQ(publisher("deadline=0s").deadline, 0s);
  for (const char* wrong : {"", "7", "-7ms", "7m", "7h", "7 ms", "7.5ms", "7KiB", "ms"}) {
    Endpoint with_value = endpoint("");
    with_value.options["deadline"] = wrong;
    const auto refused = resolve(with_value, PublisherOptions(), backend_keys);
    ASSERT_FALSE(refused) << wrong;
    EXPECT_THAT(refused.error().message(), HasSubstr("such as 20ms"));
  }
}

TEST(QosTest, NumberThatDoesNotFitIsRefusedAndNotCutOff) {
  EXPECT_EQ(publisher("memory=18446744073709551615").memory, std::numeric_limits<std::uint64_t>::max());
  EXPECT_THAT(publisher_refusal("memory=18446744073709551616"), HasSubstr("memory"));
  EXPECT_EQ(publisher("memory=17179869183GiB").memory, 17179869183ULL << 30U);
  EXPECT_THAT(publisher_refusal("memory=17179869184GiB"), HasSubstr("memory"));
  EXPECT_EQ(publisher("deadline=9223372036854775807ns").deadline, std::chrono::nanoseconds::max());
  EXPECT_THAT(publisher_refusal("deadline=9223372036854775808ns"), HasSubstr("deadline"));
  EXPECT_EQ(publisher("deadline=9223372036s").deadline, 9223372036s);
  EXPECT_THAT(publisher_refusal("deadline=9223372037s"), HasSubstr("deadline"));
}

TEST(QosTest, SubscribersDepthMustHoldItsHistory) {
  EXPECT_EQ(subscriber("depth=4&history=4").history, 4U);
  EXPECT_THAT(subscriber_refusal("depth=4&history=5"), AllOf(HasSubstr("history=5"), HasSubstr("depth=4")));
  EXPECT_THAT(subscriber_refusal("history=17"), AllOf(HasSubstr("history=17"), HasSubstr("depth=16")));
  EXPECT_THAT(subscriber_refusal("depth=4", {.history = 5}), HasSubstr("raise depth"));
}

TEST(QosTest, DepthOfZeroIsRefused) {
  EXPECT_THAT(subscriber_refusal("depth=0"), HasSubstr("depth=0"));
  EXPECT_THAT(subscriber_refusal("", {.depth = 0}), HasSubstr("depth=0"));
  EXPECT_THAT(publisher_refusal("depth=0"), HasSubstr("depth=0"));
}

TEST(QosTest, HeldOfZeroIsRefused) {
  EXPECT_THAT(subscriber_refusal("held=0"), AllOf(HasSubstr("held=0"), HasSubstr("1 or more")));
  EXPECT_THAT(subscriber_refusal("", {.held = 0}), HasSubstr("held=0"));
  EXPECT_THAT(publisher_refusal("held=0"), HasSubstr("held=0"));
}

TEST(QosTest, NamesAreBounded) {
  const std::string name(128, 'n');
  EXPECT_EQ(publisher("", {.name = name}).name, name);
  EXPECT_THAT(publisher_refusal("", {.name = name + "n"}),
              AllOf(HasSubstr("name"), HasSubstr("129"), HasSubstr("128"), HasSubstr("shorten it")));
  EXPECT_THAT(subscriber_refusal("name=" + name + "n"), HasSubstr("128"));
  const std::string type(255, 't');
  EXPECT_EQ(subscriber("type=" + type).type, TypeInfo{.name = type});
  EXPECT_THAT(subscriber_refusal("type=" + type + "t"),
              AllOf(HasSubstr("type"), HasSubstr("256"), HasSubstr("255"), HasSubstr("shorten it")));
  EXPECT_THAT(publisher_refusal("", {.type = TypeInfo{.name = type + "t"}}), HasSubstr("255"));
}

TEST(QosTest, EmptyTypeNameInTheUriStatesNoType) { EXPECT_FALSE(publisher("type=").type); }

TEST(QosTest, FirstOfSeveralFaultsIsNamed) {
  EXPECT_THAT(subscriber_refusal("policy=fast&depth=0"), HasSubstr("policy"));
}

}  // namespace
}  // namespace weir
