// Wrong with topics, options and promises.
#include "conformance/saboteurs/saboteur.h"

namespace weir::conformance {
namespace {

// A backend that joins with other options or another topic than it was asked for.
template <class Change>
class Joins : public WrappedBackend {
 public:
  using WrappedBackend::WrappedBackend;
  Result<std::unique_ptr<spi::PublisherPort>> publisher(const Endpoint& endpoint, const PublisherQos& qos) override {
    Endpoint where = endpoint;
    PublisherQos how = qos;
    Change::change(where, how);
    return WrappedBackend::publisher(where, how);
  }
  Result<std::unique_ptr<spi::SubscriberPort>> subscriber(const Endpoint& endpoint, const SubscriberQos& qos) override {
    Endpoint where = endpoint;
    SubscriberQos how = qos;
    Change::change(where, how);
    return WrappedBackend::subscriber(where, how);
  }
};

struct MixesTopics {
  template <class Qos>
  static void change(Endpoint& endpoint, Qos& /*qos*/) {
    // sandbox/left/right is sandbox/left
    const std::size_t second = endpoint.topic.find('/', endpoint.topic.find('/') + 1);
    endpoint.topic = endpoint.topic.substr(0, second);
  }
};
const Saboteur mixes_topics{{.name = "looks at the first segment of a topic alone",
                             .requirement = "ORD-10",
                             .test = "Ordering.TopicsDoNotMix",
                             .sign = "take_all"},
                            made<Joins<MixesTopics>>};

struct CutsTopics {
  template <class Qos>
  static void change(Endpoint& endpoint, Qos& /*qos*/) {
    endpoint.topic = endpoint.topic.substr(0, 200);
  }
};
const Saboteur cuts_topics{{.name = "cuts topics after 200 bytes",
                            .requirement = "OPEN-1",
                            .test = "Opening.LongTopicsThatDifferInTheLastByteAreDifferent",
                            .sign = "take_all"},
                           made<Joins<CutsTopics>>};

struct IgnoresDepth {
  static void change(Endpoint& /*endpoint*/, PublisherQos& /*qos*/) {}
  static void change(Endpoint& /*endpoint*/, SubscriberQos& qos) { qos.depth += 1; }
};
const Saboteur ignores_depth{{.name = "keeps one sample more than the depth",
                              .requirement = "SLOW-1",
                              .test = "SlowSubscriber.DropOldestIsExactWithALargerPublisherDepth",
                              .sign = "depth"},
                             made<Joins<IgnoresDepth>>};

struct IgnoresTypes {
  template <class Qos>
  static void change(Endpoint& /*endpoint*/, Qos& qos) {
    if (qos.type) qos.type->fingerprint = 0;
  }
};
const Saboteur ignores_types{{.name = "does not compare the fingerprints of types",
                              .requirement = "TYPE-2",
                              .test = "Types.ADifferenceInAnyFieldIsRefusedAtJoin",
                              .sign = "refused"},
                             made<Joins<IgnoresTypes>>};

struct ForgetsTheName {
  template <class Qos>
  static void change(Endpoint& /*endpoint*/, Qos& qos) {
    qos.name = qos.name.substr(0, 32);
  }
};
const Saboteur forgets_names{{.name = "cuts names after 32 bytes",
                              .requirement = "OPEN-14",
                              .test = "Opening.NamesOfUpTo128BytesAreKept",
                              .sign = "longest"},
                             made<Joins<ForgetsTheName>>};

struct ForgetsDurability {
  template <class Qos>
  static void change(Endpoint& /*endpoint*/, Qos& qos) {
    qos.durability = Durability::transient;
  }
};
const Saboteur forgets_durability{{.name = "promises persistence and has none",
                                   .requirement = "PERSIST-1",
                                   .test = "Persistence.HistoryOutlivesEverybody",
                                   .sign = "take_all",
                                   .across_processes = true},
                                  made<Joins<ForgetsDurability>>};

// One that promises otherwise.
template <class Promise>
class Promises : public WrappedBackend {
 public:
  using WrappedBackend::WrappedBackend;
  [[nodiscard]] Capabilities capabilities(const Endpoint& endpoint) const noexcept override {
    Capabilities promised = WrappedBackend::capabilities(endpoint);
    Promise::change(promised);
    return promised;
  }
};

struct NoTypes {
  static void change(Capabilities& promised) { promised.types = false; }
};
const Saboteur grants_types{{.name = "grants typed topics that it does not promise",
                             .requirement = "TYPE-1",
                             .test = "Types.TypedMessagesArriveAsTheyWere",
                             .sign = "was not refused"},
                            made<Promises<NoTypes>>};

class RefusesLossless : public WrappedBackend {
 public:
  using WrappedBackend::WrappedBackend;
  Result<std::unique_ptr<spi::PublisherPort>> publisher(const Endpoint& endpoint, const PublisherQos& qos) override {
    if (qos.grant == Grant::reject) return failure(ErrorCode::unsupported, "grant=reject is not supported: take block");
    return WrappedBackend::publisher(endpoint, qos);
  }
};
const Saboteur refuses_lossless{{.name = "refuses the lossless subscribers that it promised",
                                 .requirement = "SLOW-10",
                                 .test = "SlowSubscriber.RejectGrantsExactlyDepth",
                                 .sign = "unsupported"},
                                made<RefusesLossless>};

// Errors without a remedy.
class MumblesErrors : public WrappedBackend {
 public:
  using WrappedBackend::WrappedBackend;
  Result<std::unique_ptr<spi::SubscriberPort>> subscriber(const Endpoint& endpoint, const SubscriberQos& qos) override {
    auto port = WrappedBackend::subscriber(endpoint, qos);
    if (!port) return failure(port.error().code(), "no");
    return port;
  }
};
const Saboteur mumbles{{.name = "refuses a policy without a word on the two that do not fit",
                        .requirement = "SLOW-20",
                        .test = "SlowSubscriber.PoliciesThatDoNotFitAreRefusedAtJoinNamingBoth",
                        .sign = "refused.text"},
                       made<MumblesErrors>};

}  // namespace
}  // namespace weir::conformance
