#include "conformance/harness/feature.h"

namespace weir::conformance {
namespace {

Status as_publisher(Node& node, const std::string& uri) {
  return node.publisher(uri).map([](const Publisher&) {});
}
Status as_subscriber(Node& node, const std::string& uri) {
  return node.subscriber(uri).map([](const Subscriber&) {});
}

}  // namespace

namespace feature {

using Endpoints = Feature::Endpoints;

const Feature processes{"across_processes", [](const Capabilities& all) { return all.across_processes; }};
const Feature sequence{"sequence", [](const Capabilities& all) { return all.sequence; }};
const Feature exact_loss{"exact_loss", [](const Capabilities& all) { return all.exact_loss; }};
const Feature publish_time{"publish_time", [](const Capabilities& all) { return all.publish_time; }};
const Feature negotiates_policy{"negotiates_policy", [](const Capabilities& all) { return all.negotiates_policy; }};
const Feature exact_depth{"exact_depth", [](const Capabilities& all) { return all.exact_depth; }};
const Feature survives_publisher{"survives_publisher", [](const Capabilities& all) { return all.survives_publisher; }};
const Feature persistence{"persistence", [](const Capabilities& all) { return all.persistence; },
                          [](Node& node, const Endpoints& endpoint) -> Status {
                            return as_publisher(node, endpoint("durability=persistent&name=keeper"));
                          }};
const Feature death_events{"death_events", [](const Capabilities& all) { return all.death_events; }};

const Feature user_header{"user_header", [](const Capabilities& all) { return all.user_header; },
                          [](Node& node, const Endpoints& endpoint) -> Status {
                            Result<Publisher> publisher = node.publisher(endpoint(""));
                            if (!publisher) return tl::unexpected(publisher.error());
                            return publisher->loan(8, 8).map([](const Loan&) {});
                          }};

const Feature types{
    "types", [](const Capabilities& all) { return all.types; },
    [](Node& node, const Endpoints& endpoint) { return as_publisher(node, endpoint("type=conformance.Type")); }};

const Feature drop_oldest{
    "drop_oldest", [](const Capabilities& all) { return all.drop_oldest; },
    [](Node& node, const Endpoints& endpoint) { return as_subscriber(node, endpoint("policy=drop_oldest")); }};

const Feature drop_newest{
    "drop_newest", [](const Capabilities& all) { return all.drop_newest; },
    [](Node& node, const Endpoints& endpoint) { return as_subscriber(node, endpoint("policy=drop_newest")); }};

const Feature lossless{
    "lossless_block or lossless_reject",
    [](const Capabilities& all) { return all.lossless_block || all.lossless_reject; },
    [](Node& node, const Endpoints& endpoint) { return as_subscriber(node, endpoint("policy=lossless")); }};

const Feature lossless_block{
    "lossless_block", [](const Capabilities& all) { return all.lossless_block; },
    [](Node& node, const Endpoints& endpoint) { return as_publisher(node, endpoint("grant=block")); }};

const Feature lossless_reject{
    "lossless_reject", [](const Capabilities& all) { return all.lossless_reject; },
    [](Node& node, const Endpoints& endpoint) { return as_publisher(node, endpoint("grant=reject")); }};

const Feature lists_topics{"lists_topics", [](const Capabilities& all) { return all.lists_topics; },
                           [](Node& node, const Endpoints& endpoint) -> Status {
                             Result<Endpoint> backend = Endpoint::parse(endpoint(""));
                             if (!backend) return tl::unexpected(backend.error());
                             backend->topic.clear();
                             return node.topics(backend->text()).map([](const auto&) {});
                           }};

const Feature in_hand_list{"in_hand_list", [](const Capabilities& all) { return all.in_hand_list; },
                           [](Node& node, const Endpoints& endpoint) -> Status {
                             Result<Subscriber> subscriber = node.subscriber(endpoint(""));
                             if (!subscriber) return tl::unexpected(subscriber.error());
                             return subscriber->in_hand_at_death().map([](const std::vector<InHand>& /*list*/) {});
                           }};

const Feature acknowledgement{"acknowledgement", [](const Capabilities& all) { return all.acknowledgement; },
                              [](Node& node, const Endpoints& endpoint) -> Status {
                                Result<Publisher> publisher = node.publisher(endpoint(""));
                                if (!publisher) return tl::unexpected(publisher.error());
                                if (auto sent = publisher->send({}); !sent) return tl::unexpected(sent.error());
                                return publisher->wait_until_taken(0, at_once);
                              }};

const Feature counts_subscribers{"membership of subscriptions",
                                 [](const Capabilities& all) {
                                   return all.membership == MembershipView::subscriptions ||
                                          all.membership == MembershipView::full;
                                 },
                                 [](Node& node, const Endpoints& endpoint) -> Status {
                                   Result<Publisher> publisher = node.publisher(endpoint(""));
                                   if (!publisher) return tl::unexpected(publisher.error());
                                   return publisher->wait_for_subscribers(2, at_once);
                                 }};

const Feature full_membership{"full membership",
                              [](const Capabilities& all) { return all.membership == MembershipView::full; },
                              [](Node& node, const Endpoints& endpoint) -> Status {
                                Result<Publisher> publisher = node.publisher(endpoint(""));
                                if (!publisher) return tl::unexpected(publisher.error());
                                return publisher->peers().map([](const auto&) {});
                              }};

const Feature history{"history of 16", [](const Capabilities& all) { return all.max_history >= 16; },
                      [](Node& node, const Endpoints& endpoint) { return as_publisher(node, endpoint("history=16")); }};

}  // namespace feature
}  // namespace weir::conformance
