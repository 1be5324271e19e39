// weir record TOPIC…: what comes on these topics, into a file. Each message is in the file before the next is taken, so
// a recorder that is killed loses none that it had.
#include <array>
#include <chrono>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "tools/weir/commands.h"
#include "tools/weir/recording_writer.h"
#include "tools/weir/target.h"
#include "transport/wait_set.h"

namespace weir::tool {
namespace {

// The endpoint without the options that were meant for the recorder.
Endpoint recorded_as(Endpoint endpoint) {
  std::erase_if(endpoint.options, [](const auto& option) { return option.first != "root"; });
  return endpoint;
}

class Recorder {
 public:
  Recorder(Session& session, const RecordOptions& options, RecordingWriter& writer)
      : session_(session), options_(options), writer_(writer) {}
  Recorder(const Recorder&) = delete;
  Recorder& operator=(const Recorder&) = delete;
  ~Recorder() {
    for (Input& input : inputs_) (void)set_->remove(input.subscriber);
  }

  Status join() {
    Result<WaitSet> set = WaitSet::create();
    if (!set) return tl::unexpected(set.error());
    set_.emplace(std::move(*set));
    for (const std::string& word : options_.topics) {
      const Result<Endpoint> endpoint = topic_of(word);
      if (!endpoint) return tl::unexpected(endpoint.error());
      Result<Subscriber> subscriber = listen_to(session_.node, word, options_.listening.wait);
      if (!subscriber) return tl::unexpected(subscriber.error());
      inputs_.push_back({.endpoint = recorded_as(*endpoint), .subscriber = std::move(*subscriber)});
      Input& input = inputs_.back();
      input.topic = input.endpoint.text();
      if (Status added = set_->add(input.subscriber, inputs_.size() - 1); !added) {
        inputs_.pop_back();
        return added;
      }
    }
    return {};
  }

  Result<Ending> run() {
    const Deadline deadline = options_.listening.deadline();
    while (!passed(deadline)) {
      const auto ready = set_->wait(deadline, session_.interrupts.token());
      if (!ready) return tl::unexpected(ready.error());
      if (ready->wake == Wake::interrupted) return Ending::interrupted;
      const Result<bool> more = drain(ready->tags);
      if (!more) return tl::unexpected(more.error());
      if (!*more) return recorded_ == options_.listening.count ? Ending::enough : Ending::interrupted;
    }
    return Ending::time;
  }

  [[nodiscard]] std::uint64_t recorded() const noexcept { return recorded_; }
  // Why the first publisher that is missing from the file was left out; empty when none was.
  [[nodiscard]] const std::optional<Error>& left_out() const noexcept { return left_out_; }

 private:
  struct Input {
    Endpoint endpoint;
    Subscriber subscriber;
    std::string topic = {};
    std::map<PeerId, std::uint32_t> sources = {};
  };

  // One message of each in turn, so that they lie in the file nearly in the order of their times. False: enough were
  // recorded, or somebody interrupts. It comes back after some rounds even if a topic never runs empty, so that time is
  // kept and other topics have their turn: whoever was not emptied is ready still.
  Result<bool> drain(std::vector<std::uint64_t> ready) {
    for (const std::uint64_t tag : ready) {
      while (true) {
        const auto event = inputs_[tag].subscriber.next_event();
        if (!event || !*event) break;  // read, as the descriptor stays readable otherwise
      }
    }
    constexpr int most_rounds = 64;
    for (int round = 0; round < most_rounds && !ready.empty(); ++round) {
      for (auto tag = ready.begin(); tag != ready.end();) {
        if (session_.interrupts.token().stop_requested()) return false;
        const Result<bool> found = record_one(inputs_[*tag]);
        if (!found) return tl::unexpected(found.error());
        tag = *found ? tag + 1 : ready.erase(tag);
        if (recorded_ != 0 && recorded_ == options_.listening.count) return false;
      }
    }
    return true;
  }

  // False: there is none.
  Result<bool> record_one(Input& input) {
    const Result<Sample> sample = input.subscriber.take();
    if (!sample && sample.error().code() == ErrorCode::corrupt) {  // of one publisher; the others go on
      session_.console.note(fmt::format("a publisher is left out from now on: {}", sample.error().message()));
      if (!left_out_) left_out_ = sample.error();
      return true;
    }
    if (!sample) return tl::unexpected(sample.error());
    if (!*sample) return false;
    const Result<std::uint32_t> source = source_of(input, sample->publisher());
    if (!source) return tl::unexpected(source.error());
    const Capabilities& capabilities = input.subscriber.capabilities();
    const auto published = moment_of(*sample, capabilities);
    const RecordedMessage message{
        .source = *source,
        .sequence = capabilities.sequence ? sample->sequence() : unknown_sequence,
        .lost_before = sample->lost_before(),
        .time =
            std::chrono::duration_cast<std::chrono::nanoseconds>(published.time_since_epoch() + since_1970_).count(),
        .header = sample->header(),
        .payload = sample->payload()};
    if (Status written = writer_.write(message); !written) return tl::unexpected(written.error());
    ++recorded_;
    return true;
  }

  // Of a publisher that is new to the file, what its segment says is written first.
  Result<std::uint32_t> source_of(Input& input, PeerId publisher) {
    if (const auto known = input.sources.find(publisher); known != input.sources.end()) return known->second;
    RecordedSource source{.topic = input.topic, .publisher = publisher};
    if (input.endpoint.scheme == "shm" && !writer_.knows(input.topic, publisher)) {
      if (const auto topic = observe_topic(input.endpoint)) {
        for (const shm::ObservedPublisher& observed : topic->publishers) {
          if (observed.peer.id != publisher) continue;
          source.name = observed.peer.name;
          source.type = observed.type;
        }
      }
    }
    Result<std::uint32_t> number = writer_.source(source);
    if (number) input.sources.emplace(publisher, *number);
    return number;
  }

  Session& session_;
  const RecordOptions& options_;
  RecordingWriter& writer_;
  // From CLOCK_MONOTONIC to the time of day, so that recordings of several boots fit together. Taken once: a clock
  // that is set meanwhile moves no message.
  const std::chrono::nanoseconds since_1970_ =
      std::chrono::system_clock::now().time_since_epoch() - std::chrono::steady_clock::now().time_since_epoch();
  std::optional<WaitSet> set_;
  std::deque<Input> inputs_;  // the set knows subscribers by their addresses
  std::uint64_t recorded_ = 0;
  std::optional<Error> left_out_;
};

// Before the file is made: whether all topics can be recorded, as far as that is known without joining.
Status check(const RecordOptions& options) {
  for (const std::string& word : options.topics) {
    const Result<Endpoint> endpoint = topic_of(word);
    if (!endpoint) return tl::unexpected(endpoint.error());
    if (endpoint->scheme != "shm" || options.listening.wait) continue;
    if (const auto topic = observe_topic(*endpoint); !topic) {
      return failure(topic.error().code(), topic.error().message() + " (--wait waits for it)");
    }
  }
  return {};
}

void say_what_was_recorded(Console& console, const RecordOptions& options, const Summary& summary,
                           std::uint64_t recorded) {
  if (console.json()) {
    console.document({{"file", options.file},
                      {"recorded", recorded},
                      {"messages", summary.messages()},
                      {"lost", summary.lost()},
                      {"missing", summary.missing()},
                      {"complete", summary.is_complete}});
    return;
  }
  std::string text = fmt::format("recorded {} messages; {} has {}", recorded, options.file, summary.messages());
  if (summary.lost() != 0) text += fmt::format("; {} were lost before they came", summary.lost());
  if (summary.missing() != 0) text += fmt::format("; {} were published while no recorder ran", summary.missing());
  console.note(text);
}

}  // namespace

ExitCode run(Session& session, const RecordOptions& options) {
  if (const Status possible = check(options); !possible) return session.console.error(possible.error());
  Result<RecordingWriter> writer =
      RecordingWriter::open(options.file, options.append ? Existing::append : Existing::refuse);
  if (!writer) return session.console.error(writer.error());
  Status done;
  Ending ending = Ending::enough;
  std::uint64_t recorded = 0;
  std::optional<Error> left_out;
  {
    Recorder recorder(session, options, *writer);
    done = recorder.join();
    if (done) {
      session.console.note(fmt::format("recording to {}", options.file));
      const Result<Ending> ran = recorder.run();
      if (ran) ending = *ran;
      if (!ran) done = tl::unexpected(ran.error());
    }
    recorded = recorder.recorded();
    left_out = recorder.left_out();
  }
  // Also after an error: an index saves a reader from going through the whole file, where there is room for it.
  const Status finished = writer->finish();
  if (done) done = finished;
  say_what_was_recorded(session.console, options, writer->summary(), recorded);
  if (!done) return session.console.error(done.error());
  if (left_out) return session.console.error(*left_out);
  Listening listening = options.listening;
  listening.topic = fmt::format("{}", fmt::join(options.topics, " "));
  return judge(session, ending, listening, recorded);
}

}  // namespace weir::tool
