#include "adapters/zeromq_plugin/subscriptions.h"

#include <cstring>
#include <iterator>
#include <utility>

#include "adapters/zeromq_plugin/topics.h"

namespace weir::zmq_plugin {
namespace {

// Changes that an XPUB socket can be behind and still hear one by one; of messages of the application, half as many.
constexpr std::uint64_t changes_kept = 126;
constexpr std::size_t most_memory = std::size_t{256} << 20U;
// Repeated subscriptions that are heard one by one. More of them at once are no subscriber's: its memory was
// overwritten.
constexpr std::uint32_t most_repeated = 10'000;

void append_number(std::string& text, std::uint64_t number) {
  text.append(reinterpret_cast<const char*>(&number), sizeof(number));
}

// Number of prefixes; count and size of each, and its bytes; then the frames of a message, size and bytes of each.
std::string write(const Prefixes& prefixes, std::span<const Frame> frames) {
  std::string text;
  append_number(text, prefixes.counts().size());
  for (const auto& [prefix, count] : prefixes.counts()) {
    append_number(text, count);
    append_number(text, prefix.size());
    text += prefix;
  }
  for (const Frame frame : frames) {
    append_number(text, frame.size());
    text.append(reinterpret_cast<const char*>(frame.data()), frame.size());
  }
  return text;
}

// Reads it back, and stops at whatever does not fit.
class Reader {
 public:
  explicit Reader(std::string_view text) : text_(text) {}

  [[nodiscard]] bool done() const noexcept { return text_.empty(); }
  std::uint64_t number() noexcept {
    std::uint64_t number = 0;
    const std::string bytes(take(sizeof(number)));
    if (bytes.size() == sizeof(number)) std::memcpy(&number, bytes.data(), sizeof(number));
    return number;
  }
  std::string_view take(std::uint64_t size) noexcept {
    if (size > text_.size()) text_ = {};
    const std::string_view taken = text_.substr(0, size);
    text_.remove_prefix(taken.size());
    return taken;
  }

 private:
  std::string_view text_;
};

std::string event(char kind, std::string_view prefix) { return std::string(1, kind).append(prefix); }

}  // namespace

Result<Announcer> Announcer::open(const Endpoint& topic, const Prefixes& prefixes) {
  PublisherQos qos;
  qos.depth = changes_kept;
  qos.history = 1;
  qos.loans = 2;
  qos.memory = most_memory;
  Result<std::unique_ptr<spi::PublisherPort>> port = join_as_publisher(topic, qos);
  if (!port) return tl::unexpected(port.error());
  Announcer announcer(std::move(*port));
  if (prefixes.empty()) return announcer;
  if (const Status said = announcer.announce(prefixes); !said) {
    announcer.close();
    return tl::unexpected(said.error());
  }
  return announcer;
}

Announcer::Announcer(std::unique_ptr<spi::PublisherPort> port) noexcept
    : port_(static_cast<shm::PublisherPort*>(port.release())) {}

Status Announcer::announce(const Prefixes& prefixes) { return say(prefixes, {}); }

void Announcer::send(const Prefixes& prefixes, std::span<const Frame> frames) {
  if (say(prefixes, frames)) static_cast<void>(announce(prefixes));
}

Status Announcer::say(const Prefixes& prefixes, std::span<const Frame> frames) {
  const std::string text = write(prefixes, frames);
  spi::LoanRecord record;
  if (Status lent = port_->loan({.size = text.size(), .header_size = 0, .alignment = 8}, record); !lent) return lent;
  std::memcpy(record.payload, text.data(), text.size());
  const Result<std::uint64_t> said = port_->publish(record, std::nullopt);
  if (said) return {};
  port_->drop(record);
  return tl::unexpected(said.error());
}

void Announcer::close() noexcept {
  if (port_->inherited()) {
    static_cast<void>(port_.release());  // our parent's: nothing shared is touched
  } else {
    port_->close();
  }
}

Result<Listener> Listener::open(const Endpoint& topic) {
  Result<Ref<Receiver>> receiver = Receiver::open(topic, {.depth = changes_kept, .copies = true, .history = 1});
  if (!receiver) return tl::unexpected(receiver.error());
  static_cast<void>((*receiver)->next_event());  // records them from now on
  return Listener(std::move(*receiver));
}

void Listener::close() noexcept {
  if (sample_) receiver_->release(*sample_);
  sample_.reset();
  receiver_->close();
}

bool Listener::listen(const Verbosity& verbosity, Heard& heard) {
  while (true) {
    // What a subscriber said comes before its end, also what it said after the last look and before it was gone.
    if (!hear_all(verbosity, heard)) return false;
    if (gone_) forget(*gone_, verbosity, heard);
    gone_.reset();
    const Result<std::optional<MembershipEvent>> event = receiver_->next_event();
    if (!event) return false;
    if (!*event) return true;
    if ((*event)->change != Change::joined) gone_ = (*event)->peer.id;
  }
}

bool Listener::hear_all(const Verbosity& verbosity, Heard& heard) {
  while (true) {
    if (!sample_) {
      spi::SampleRecord sample;
      if (!receiver_->take(sample)) return !receiver_->was_blind();
      sample_ = sample;
    }
    hear(sample_->publisher, *sample_, verbosity, heard);
    receiver_->release(*sample_);
    sample_.reset();
  }
}

void Listener::hear(PeerId peer, const spi::SampleRecord& sample, const Verbosity& verbosity, Heard& heard) {
  Reader reader({reinterpret_cast<const char*>(sample.payload), sample.size});
  Prefixes::Counts now;
  for (std::uint64_t left = reader.number(); left != 0 && !reader.done(); --left) {
    const std::uint64_t count = reader.number();
    const std::string_view prefix = reader.take(reader.number());
    now.emplace(prefix, static_cast<std::uint32_t>(count));
  }
  std::vector<std::string> upstream;
  while (!reader.done()) upstream.emplace_back(reader.take(reader.number()));
  update(peers_[peer], std::move(now), std::move(upstream), verbosity, heard);
}

void Listener::forget(PeerId peer, const Verbosity& verbosity, Heard& heard) {
  const auto known = peers_.find(peer);
  if (known == peers_.end()) return;
  update(known->second, {}, {}, verbosity, heard);
  peers_.erase(known);
}

// First all that needs memory, then what is remembered.
void Listener::update(Prefixes::Counts& known, Prefixes::Counts now, std::vector<std::string> upstream,
                      const Verbosity& verbosity, Heard& heard) {
  Heard news;
  std::uint32_t may_repeat = most_repeated;
  for (const auto& [prefix, count] : known) {
    if (now.contains(prefix)) continue;
    const bool is_last = subscribers_.find(prefix)->second == 1;
    if (is_last || verbosity.every_unsubscription) news.push_back({event('\0', prefix)});
  }
  for (const auto& [prefix, count] : now) {
    const auto before = known.find(prefix);
    const std::uint32_t had = before == known.end() ? 0 : before->second;
    const bool is_first = before == known.end() && subscribers_.try_emplace(prefix, 0).first->second == 0;
    const std::uint32_t more = count - std::min(had, count);
    std::uint32_t told = std::min(more, is_first || verbosity.every_subscription ? 1U : 0U);
    if (verbosity.every_subscription) {
      const std::uint32_t repeated = std::min(more - told, may_repeat);
      may_repeat -= repeated;
      told += repeated;
    }
    for (std::uint32_t number = 0; number < told; ++number) news.push_back({event('\1', prefix)});
  }
  if (!upstream.empty()) news.push_back(std::move(upstream));
  heard.insert(heard.end(), std::make_move_iterator(news.begin()), std::make_move_iterator(news.end()));
  for (const auto& [prefix, count] : known) {
    if (now.contains(prefix)) continue;
    const auto entry = subscribers_.find(prefix);
    if (--entry->second == 0) subscribers_.erase(entry);
  }
  for (const auto& [prefix, count] : now) {
    if (!known.contains(prefix)) ++subscribers_.find(prefix)->second;
  }
  known.swap(now);
}

}  // namespace weir::zmq_plugin
