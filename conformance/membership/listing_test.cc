// MEMBER: who is there now can be asked: the peers of a handle, and all topics of a backend.
#include <algorithm>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "conformance/crash/ending.h"
#include "conformance/harness/fixture.h"

namespace weir::conformance {

using Membership = ConformanceTest;
using Texts = std::vector<std::string>;

namespace {

std::string text_of(Role role, PeerId id, const std::string& name) {
  return fmt::format("{} {:x} \"{}\"", weir::to_string(role), id, name);
}

// The living, sorted.
Texts living(const std::vector<Peer>& peers) {
  Texts texts;
  for (const Peer& peer : peers) {
    if (peer.alive) texts.push_back(text_of(peer.role, peer.id, peer.name));
  }
  std::sort(texts.begin(), texts.end());
  return texts;
}

Texts sorted(Texts texts) {
  std::sort(texts.begin(), texts.end());
  return texts;
}

// The topic of a URI as it is listed.
std::string topic_of(const std::string& uri) { return must(Endpoint::parse(uri), uri).topic; }

const TopicDescription* find(const std::vector<TopicDescription>& topics, const std::string& uri) {
  const std::string topic = topic_of(uri);
  const auto found =
      std::find_if(topics.begin(), topics.end(), [&](const TopicDescription& listed) { return listed.topic == topic; });
  return found == topics.end() ? nullptr : &*found;
}

}  // namespace

CONFORMANCE_TEST(Membership, PeersAreTheLivingOfTheOtherRoleWithTheirNames, "MEMBER-5") {
  NEEDS(full_membership);
  const std::string topic = uri("topic");
  Publisher publisher = this->publisher(uri("topic", "name=source"));
  Subscriber subscriber = this->subscriber(uri("topic", "name=sink"));
  const std::string source = text_of(Role::publisher, publisher.id(), "source");
  const std::string sink = text_of(Role::subscriber, subscriber.id(), "sink");
  EXPECT_EQ(living(must(publisher.peers(), "peers")), Texts{sink});
  EXPECT_EQ(living(must(subscriber.peers(), "peers")), Texts{source});
  for (const End end : ends) {
    if (end != End::closes && !has(feature::processes)) continue;
    ScriptedPeer& other = peer(fmt::format("other that {}", to_string(end)));
    auto other_in = other.subscriber(uri("topic", "name=other%20in"));
    auto other_out = other.publisher(uri("topic", "name=other%20out"));
    EXPECT_EQ(living(must(publisher.peers(), "peers")),
              sorted({sink, text_of(Role::subscriber, other_in.id(), "other in")}));
    EXPECT_EQ(living(must(subscriber.peers(), "peers")),
              sorted({source, text_of(Role::publisher, other_out.id(), "other out")}));
    bring_to_end(other, end);
    EXPECT_EQ(living(must(publisher.peers(), "peers")), Texts{sink}) << "after one that " << to_string(end);
    EXPECT_EQ(living(must(subscriber.peers(), "peers")), Texts{source}) << "after one that " << to_string(end);
  }
}

CONFORMANCE_TEST(Membership, AskingForPeersTakesNoEventAway, "MEMBER-5") {
  NEEDS(full_membership);
  const std::string topic = uri("topic");
  ScriptedPeer& watcher = peer("watcher");
  ScriptedPeer& other = peer("other");
  auto publisher = watcher.publisher(topic);
  publisher.next_events();
  for (int round = 0; round < 3; ++round) {
    auto subscriber = other.subscriber(topic);
    EXPECT_EQ(publisher.try_list_peers().value, 1U);
    EXPECT_EQ(publisher.next_events(), 1U);
    subscriber.close();
    EXPECT_EQ(publisher.try_list_peers().value, 0U);
    EXPECT_EQ(publisher.next_events(), 1U);
  }
}

CONFORMANCE_TEST(Membership, TopicsListTheTopicsAndPeersOfAllProcesses, "MEMBER-10") {
  NEEDS(lists_topics);
  const std::vector<std::string> uris{uri("plain"), uri("a/b/c"), uri("with%20space%3F%26%23%25"), uri("%C3%A9t%C3%A9"),
                                      uri(std::string(500, 'x'))};
  ScriptedPeer& other = peer("other");
  std::vector<Texts> expected;
  for (const std::string& topic : uris) {
    const std::string joint = topic.find('?') == std::string::npos ? "?" : "&";
    auto publisher = other.publisher(topic + joint + "name=source");
    auto subscriber = other.subscriber(topic + joint + "name=sink");
    expected.push_back(sorted(
        {text_of(Role::publisher, publisher.id(), "source"), text_of(Role::subscriber, subscriber.id(), "sink")}));
  }
  const Publisher own = this->publisher(uris.front());
  expected.front() = sorted({expected.front()[0], expected.front()[1], text_of(Role::publisher, own.id(), "")});
  const auto topics = must(node().topics(backend_uri()), "topics");
  for (std::size_t at = 0; at < uris.size(); ++at) {
    const TopicDescription* const listed = find(topics, uris[at]);
    ASSERT_NE(listed, nullptr) << uris[at] << " is not listed";
    EXPECT_EQ(living(listed->peers), expected[at]) << listed->topic;
  }
  EXPECT_EQ(find(topics, uri("nobody")), nullptr);
}

CONFORMANCE_TEST(Membership, TopicsOfThoseWhoAreGoneAreNotListed, "MEMBER-10") {
  NEEDS(lists_topics);
  for (const End end : ends) {
    if (end != End::closes && !has(feature::processes)) continue;
    const std::string lone = fresh_uri();
    const std::string shared = fresh_uri();
    ScriptedPeer& user = peer(fmt::format("user that {}", to_string(end)));
    const Subscriber staying = this->subscriber(shared);
    user.subscriber(lone);
    user.publisher(lone);
    user.publisher(shared);
    const auto before = must(node().topics(backend_uri()), "topics");
    ASSERT_NE(find(before, lone), nullptr);
    ASSERT_NE(find(before, shared), nullptr);
    EXPECT_EQ(living(find(before, shared)->peers).size(), 2U);
    bring_to_end(user, end);
    const auto after = must(node().topics(backend_uri()), "topics");
    EXPECT_EQ(find(after, lone), nullptr) << "the topic of a user that " << to_string(end);
    ASSERT_NE(find(after, shared), nullptr);
    EXPECT_EQ(living(find(after, shared)->peers), Texts{text_of(Role::subscriber, staying.id(), "")})
        << "of a topic whose other user " << to_string(end);
  }
}

}  // namespace weir::conformance
