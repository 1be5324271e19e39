// Wrong with what does not arrive: a test that was about to read a sample says that nothing came, instead of reading
// memory that is nobody's.
#include <string>

#include "conformance/saboteurs/saboteur.h"

namespace weir::conformance {
namespace {

class Withholds final : public WrappedSubscriber {
  using WrappedSubscriber::WrappedSubscriber;
  Result<bool> take(spi::SampleRecord& /*record*/) override { return false; }
};

Saboteur withheld(const std::string& requirement, const std::string& test, const std::string& sign) {
  return {{.name = "delivers nothing to " + test, .requirement = requirement, .test = test, .sign = sign},
          made<Over<Withholds>>};
}

// Tests that read what they took.
const Saboteur from_threads = withheld("DATA-12", "Data.SamplesMayBeReleasedOnAnyThread", "nothing came");
const Saboteur from_another =
    withheld("DATA-12", "Data.TheLastSampleMayOutliveItsSubscriberOnAnotherThread", "nothing came");
const Saboteur headless = withheld("DATA-9", "Data.AMessageWithoutAHeaderHasNone", "nothing came");
const Saboteur from_children =
    withheld("MISUSE-11", "Misuse.InheritedSamplesStayReadableInAForkedChild", "nothing came");
const Saboteur shrunk = withheld("MISUSE-4", "Misuse.ALoanDoesNotGrow", "nothing came");
const Saboteur largest = withheld("LIMIT-1", "Limits.APayloadAboveMaxPayloadIsRefused", "nothing came");
const Saboteur estate = withheld("CLEAN-6", "Cleanup.DestructionInAnyOrderLeavesNothing", "nothing came");

// Tests that read what their peers have told of it.
const Saboteur payload = withheld("DATA-1", "Data.PayloadsOfEverySizeArriveWhole", "has no event");
const Saboteur header = withheld("DATA-5", "Data.UserHeadersOfEverySizeArriveWhole", "has no event");
const Saboteur newest = withheld("SLOW-2", "SlowSubscriber.DropOldestDeliversAtLeastDepth", "has no event");
const Saboteur among_many = withheld("MIX-2", "Random.HistoriesOfManyPeersAreSound", "received nothing");

}  // namespace
}  // namespace weir::conformance
