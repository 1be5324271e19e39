// What a URI says, and what none may say.
#include "transport/endpoint.h"

#include <cstddef>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace weir {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Pair;

Endpoint parsed(std::string_view uri) {
  const Result<Endpoint> endpoint = Endpoint::parse(uri);
  EXPECT_TRUE(endpoint) << endpoint.error().message();
  return endpoint.value_or(Endpoint());
}

// The message of the error that parse gives.
std::string refusal(std::string_view uri) {
  const Result<Endpoint> endpoint = Endpoint::parse(uri);
  if (endpoint) {
    ADD_FAILURE() << uri << " was taken for " << endpoint->text();
    return {};
  }
  EXPECT_EQ(endpoint.error().code(), ErrorCode::invalid_argument) << endpoint.error().message();
  return endpoint.error().message();
}

TEST(EndpointTest, UriIsSchemeTopicAndOptions) {
  const Endpoint endpoint = parsed("shm://camera/front?depth=8&policy=lossless");
  EXPECT_EQ(endpoint.scheme, "shm");
  EXPECT_EQ(endpoint.topic, "camera/front");
  EXPECT_THAT(endpoint.options, ElementsAre(Pair("depth", "8"), Pair("policy", "lossless")));
}

TEST(EndpointTest, TopicIsAllBetweenSchemeAndOptions) {
  EXPECT_EQ(parsed("shm:///var/lib/app/feed").topic, "/var/lib/app/feed");
  EXPECT_EQ(parsed("zmq+tcp://host:5555").topic, "host:5555");
  EXPECT_EQ(parsed("zmq+tcp://host:5555").scheme, "zmq+tcp");
  EXPECT_EQ(parsed("zmq+tcp://[::1]:5555").topic, "[::1]:5555");
  EXPECT_EQ(parsed("a1.b-c://x").scheme, "a1.b-c");
  EXPECT_EQ(parsed("shm://a://b").topic, "a://b");
  EXPECT_EQ(parsed("shm://a&b=c").topic, "a&b=c");
  EXPECT_EQ(parsed("shm://a//b/").topic, "a//b/");
}

TEST(EndpointTest, QuestionMarkAloneIsNoOption) {
  EXPECT_THAT(parsed("shm://t?").options, IsEmpty());
  EXPECT_THAT(parsed("shm://t?a=").options, ElementsAre(Pair("a", "")));
  EXPECT_THAT(parsed("shm://t?a=b=c?d").options, ElementsAre(Pair("a", "b=c?d")));
}

TEST(EndpointTest, PercentEscapesAreDecodedInTopicKeysAndValues) {
  EXPECT_EQ(parsed("shm://a%20b%2fc%2Fd").topic, "a b/c/d");
  EXPECT_EQ(parsed("shm://%e2%82%AC%25").topic, "\u20ac%");
  EXPECT_EQ(parsed("shm://a%3Fb%23c").topic, "a?b#c");
  EXPECT_THAT(parsed("shm://t?n%61me=a%26b%3Dc%20").options, ElementsAre(Pair("name", "a&b=c ")));
  // A plus sign is one, as RFC 3986 has it; it is a space only in HTML forms.
  EXPECT_EQ(parsed("shm://a+b").topic, "a+b");
}

TEST(EndpointTest, MalformedEscapeIsRefused) {
  for (const char* uri :
       {"shm://%", "shm://a%2", "shm://%g0", "shm://%0g", "shm://%%41", "shm://t?a=%", "shm://t?%4=a"}) {
    EXPECT_THAT(refusal(uri), HasSubstr("escape")) << uri;
  }
}

TEST(EndpointTest, TextWithoutASchemeIsRefused) {
  for (const char* uri : {"", "camera", "://t", ":/t", "shm:/t", "shm:t", "shm//t", "SHM://t", "1shm://t", "+shm://t",
                          "s_m://t", " shm://t", "sh m://t", "?a=b://t"}) {
    EXPECT_THAT(refusal(uri), HasSubstr("scheme")) << uri;
  }
}

TEST(EndpointTest, EmptyTopicIsRefusedWhereOneIsWanted) {
  EXPECT_THAT(refusal("shm://"), HasSubstr("topic is empty"));
  EXPECT_THAT(refusal("shm://?depth=8"), HasSubstr("topic is empty"));
}

TEST(EndpointTest, TopicMayHave1024BytesAfterDecodingAndNoMore) {
  const std::string longest(max_topic_size, 'x');
  EXPECT_EQ(parsed("shm://" + longest).topic, longest);
  EXPECT_EQ(parsed("shm://%78" + longest.substr(1)).topic, longest);
  EXPECT_THAT(refusal("shm://" + longest + "x"), HasSubstr("1025 bytes"));
  EXPECT_THAT(refusal("shm://" + longest + "%78"), HasSubstr("at most 1024"));
}

TEST(EndpointTest, DotSegmentIsRefusedHoweverItIsWritten) {
  for (const char* uri : {"shm://..", "shm://.", "shm://../t", "shm://a/../b", "shm://a/..", "shm:///..", "shm://a/./b",
                          "shm://%2e%2E/t", "shm://a%2f..%2Fb", "shm://a/.?depth=8"}) {
    EXPECT_THAT(refusal(uri), HasSubstr("\"..\"")) << uri;
  }
  EXPECT_EQ(parsed("shm://...").topic, "...");
  EXPECT_EQ(parsed("shm://a..b/.c/d.").topic, "a..b/.c/d.");
}

TEST(EndpointTest, NulByteIsRefused) {
  EXPECT_THAT(refusal("shm://a%00b"), HasSubstr("NUL"));
  EXPECT_THAT(refusal(std::string_view("shm://a\0b", 9)), HasSubstr("NUL"));
}

TEST(EndpointTest, FragmentIsRefused) {
  EXPECT_THAT(refusal("shm://t#part"), HasSubstr("%23"));
  EXPECT_THAT(refusal("shm://t?a=b#part"), HasSubstr("%23"));
}

TEST(EndpointTest, KeyGivenTwiceIsRefusedEvenWithOneValue) {
  EXPECT_THAT(refusal("shm://t?depth=8&depth=9"), HasSubstr("\"depth\" is given twice: give it once"));
  EXPECT_THAT(refusal("shm://t?depth=8&depth=8"), HasSubstr("\"depth\" is given twice"));
  EXPECT_THAT(refusal("shm://t?depth=8&d%65pth=8"), HasSubstr("\"depth\" is given twice"));
}

TEST(EndpointTest, OptionThatIsNoPairIsRefused) {
  for (const char* uri : {"shm://t?depth", "shm://t?=8", "shm://t?a=b&&c=d", "shm://t?&"}) {
    EXPECT_THAT(refusal(uri), HasSubstr("key=value")) << uri;
  }
}

TEST(EndpointTest, RefusalNamesTheUriButNoMoreOfItThanCanBeRead) {
  EXPECT_THAT(refusal("shm://camera?depth"), HasSubstr("\"shm://camera?depth\""));
  EXPECT_LT(refusal("shm://" + std::string(100'000, 'x')).size(), 500U);
}

TEST(EndpointTest, NormalFormHasSortedOptionsAndOnlyNeededEscapes) {
  EXPECT_EQ(parsed("shm://a%2Fb?z=1&a=%32").text(), "shm://a/b?a=2&z=1");
  EXPECT_EQ(parsed("shm://a%3f%20%25%23?k%3d=v%26").text(), "shm://a%3F%20%25%23?k%3D=v%26");
  EXPECT_EQ(parsed("zmq+tcp://host:5555").text(), "zmq+tcp://host:5555");
}

TEST(EndpointTest, NormalFormGivesTheSameEndpointForAnyBytes) {
  std::mt19937 random(20240229);  // the same bytes in every run
  const auto any_bytes = [&random](std::size_t size) {
    std::string bytes(size, ' ');
    for (char& byte : bytes) {
      byte = static_cast<char>(random() % 256);
    }
    return bytes;
  };
  int accepted = 0;
  for (int round = 0; round < 2000; ++round) {
    Endpoint endpoint{.scheme = "shm", .topic = any_bytes(1 + random() % 40), .options = {}};
    for (auto count = random() % 4; count > 0; --count) {
      endpoint.options.emplace(any_bytes(1 + random() % 8), any_bytes(random() % 8));
    }
    if (const Result<Endpoint> again = Endpoint::parse(endpoint.text())) {
      EXPECT_EQ(*again, endpoint) << endpoint.text();
      EXPECT_EQ(again->text(), endpoint.text());
      ++accepted;
    } else {
      EXPECT_THAT(again.error().message(), ::testing::AnyOf(HasSubstr("NUL"), HasSubstr("\"..\"")));
    }
  }
  EXPECT_GT(accepted, 1000);
}

TEST(EndpointTest, AnyTextIsParsedOrRefusedAndNothingElse) {
  std::mt19937 random(19700101);
  constexpr std::string_view alphabet = "shm:/?&=%#.0aF\x01\xff";
  for (int round = 0; round < 20000; ++round) {
    std::string uri = "shm://";
    for (auto count = random() % 12; count > 0; --count) {
      uri.push_back(alphabet[random() % alphabet.size()]);
    }
    if (const Result<Endpoint> endpoint = Endpoint::parse(uri)) {
      const Result<Endpoint> again = Endpoint::parse(endpoint->text());
      ASSERT_TRUE(again) << uri << " became " << endpoint->text();
      ASSERT_EQ(*again, *endpoint) << uri;
    } else {
      ASSERT_EQ(endpoint.error().code(), ErrorCode::invalid_argument) << uri;
    }
  }
}

TEST(EndpointTest, BackendUriHasOptionsButNoTopic) {
  const Result<Endpoint> backend = Endpoint::parse_backend("shm://?root=/run/robot");
  ASSERT_TRUE(backend) << backend.error().message();
  EXPECT_EQ(backend->topic, "");
  EXPECT_THAT(backend->options, ElementsAre(Pair("root", "/run/robot")));
  EXPECT_TRUE(Endpoint::parse_backend("shm://"));
  const Result<Endpoint> topic = Endpoint::parse_backend("shm://camera");
  ASSERT_FALSE(topic);
  EXPECT_EQ(topic.error().code(), ErrorCode::invalid_argument);
  EXPECT_THAT(topic.error().message(), HasSubstr("shm://camera"));
  EXPECT_FALSE(Endpoint::parse_backend("shm"));
}

}  // namespace
}  // namespace weir
