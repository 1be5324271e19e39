// weir top: a live table of the topics of a root, from what their members write for everybody to read.
#include <algorithm>
#include <chrono>
#include <cmath>
#include <ctime>
#include <string>
#include <utility>
#include <vector>

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "tools/weir/activity.h"
#include "tools/weir/commands.h"
#include "tools/weir/member.h"
#include "tools/weir/pace.h"
#include "tools/weir/table.h"
#include "tools/weir/target.h"

namespace weir::tool {
namespace {

using Topics = std::vector<TopicActivity>;

// What a row needs a person to know, in a few words; and how badly.
struct Note {
  std::string text = {};
  Colour colour = Colour::none;
};

std::string losing_text(double rate) { return fmt::format("losing {}/s", quantity_text(std::ceil(rate))); }
std::string blocked_text(double seconds) { return fmt::format("blocked {:.0f} s", std::ceil(seconds)); }

Note note_of(const TopicActivity& topic) {
  if (!topic.topic.problem.empty()) return {"unreadable", Colour::red};
  if (topic.losing > 0) return {losing_text(topic.losing), Colour::red};
  if (topic.blocked > 0) return {blocked_text(topic.blocked), Colour::red};
  if (topic.dead != 0) return {fmt::format("{} dead", topic.dead), Colour::yellow};
  if (topic.is_behind) return {"lagging", Colour::yellow};
  return topic.topic.in_use ? Note{} : Note{"unused", Colour::dim};
}

Note note_of(const PublisherActivity& publisher) {
  if (publisher.blocked > 0) return {blocked_text(publisher.blocked), Colour::red};
  const auto condition = publisher.member.condition;
  return condition == shm::Condition::alive ? Note{} : Note{std::string(to_string(condition)), Colour::yellow};
}

Note note_of(const SubscriberActivity& subscriber) {
  if (subscriber.losing > 0) {
    return {losing_text(subscriber.losing), Colour::red};
  }
  const auto condition = subscriber.member.condition;
  if (condition != shm::Condition::alive) return {std::string(to_string(condition)), Colour::yellow};
  return subscriber.is_behind ? Note{"lagging", Colour::yellow} : Note{};
}

// Those that are not dead; of these, the note tells.
template <class Members>
std::uint64_t living(const Members& members) {
  return static_cast<std::uint64_t>(std::count_if(members.begin(), members.end(), [](const auto& member) {
    return member.member.condition != shm::Condition::dead;
  }));
}

std::string count_text(std::uint64_t count) { return quantity_text(static_cast<double>(count)); }

struct Row {
  std::vector<std::string> cells;
  Note note;
};

std::vector<Row> rows_of(const Topics& topics, bool peers) {
  std::vector<Row> rows;
  for (const TopicActivity& topic : topics) {
    rows.push_back(
        {{printable(topic.topic.topic), count_text(living(topic.publishers)), count_text(living(topic.subscribers)),
          quantity_text(topic.rate), quantity_text(topic.bytes), count_text(topic.lost), count_text(topic.unread),
          count_text(topic.held), count_text(topic.topic.memory)},
         note_of(topic)});
    if (!peers) continue;
    for (const PublisherActivity& publisher : topic.publishers) {
      rows.push_back({{" > " + process_text(publisher.member), "", "", quantity_text(publisher.rate),
                       quantity_text(publisher.bytes), "", "", "", count_text(publisher.member.memory)},
                      note_of(publisher)});
    }
    for (const SubscriberActivity& subscriber : topic.subscribers) {
      rows.push_back(
          {{" < " + process_text(subscriber.member), "", "", "", "", count_text(subscriber.lost),
            count_text(subscriber.unread), count_text(subscriber.member.held), count_text(subscriber.member.memory)},
           note_of(subscriber)});
    }
  }
  return rows;
}

// All topics in a line.
std::string sum_of(const Topics& topics) {
  std::uint64_t publishers = 0;
  std::uint64_t subscribers = 0;
  std::uint64_t dead = 0;
  std::uint64_t memory = 0;
  double rate = 0;
  double bytes = 0;
  for (const TopicActivity& topic : topics) {
    publishers += living(topic.publishers);
    subscribers += living(topic.subscribers);
    dead += topic.dead;
    memory += topic.topic.memory;
    rate += topic.rate;
    bytes += topic.bytes;
  }
  return fmt::format("{} topics, {} pub, {} sub{}: {} msg/s, {} byte/s, {} of memory", topics.size(), publishers,
                     subscribers, dead == 0 ? "" : fmt::format(", {} dead", dead), quantity_text(rate),
                     quantity_text(bytes), count_text(memory));
}

void sort(Topics& topics, const std::string& by) {
  const auto value = [&by](const TopicActivity& topic) {
    if (by == "rate") return topic.rate;
    if (by == "bytes") return topic.bytes;
    if (by == "lost") return static_cast<double>(topic.lost);
    if (by == "lag") return static_cast<double>(topic.unread);
    if (by == "memory") return static_cast<double>(topic.topic.memory);
    return 0.0;  // by name, as they come
  };
  std::stable_sort(topics.begin(), topics.end(), [&value](const TopicActivity& left, const TopicActivity& right) {
    return value(left) > value(right);
  });
}

// On a terminal one picture over the other, else one below the other.
void draw(Console& console, const Topics& topics, const std::string& root, const TopOptions& options) {
  const std::size_t width = terminal_width();
  const std::size_t height = terminal_height();
  std::vector<Row> rows = rows_of(topics, options.peers);
  constexpr std::size_t others = 5;  // two lines above, the headings, one below, and where the cursor stands
  const std::size_t room = console.is_terminal() && height > others ? height - others : rows.size();
  const std::size_t hidden = rows.size() - std::min(rows.size(), room);
  rows.resize(rows.size() - hidden);
  Table table({"TOPIC", ">PUB", ">SUB", ">MSG/s", ">B/s", ">LOST", ">LAG", ">HELD", ">MEM", "NOTE"});
  for (Row& row : rows) {
    row.cells.push_back(row.note.text);
    table.row(std::move(row.cells));
  }
  const std::string line_end = console.is_terminal() ? "\x1b[K\n" : "\n";
  std::string text = console.is_terminal() ? "\x1b[H" : "";
  const auto add = [&](const std::string& line, Colour colour) {
    text += console.coloured(width == 0 ? line : cut(line, width), colour) + line_end;
  };
  add(fmt::format("{:%H:%M:%S}  {}", fmt::localtime(std::time(nullptr)), printable(root)), Colour::none);
  add(sum_of(topics), Colour::none);
  const std::vector<std::string> lines = table.lines(width);
  for (std::size_t line = 0; line < lines.size(); ++line) {
    add(lines[line], line == 0 ? Colour::bold : rows[line - 1].note.colour);
  }
  if (hidden != 0) add(fmt::format("… and {} lines more", hidden), Colour::dim);
  if (console.is_terminal()) text += "\x1b[J";
  console.raw(text);
}

Json document_of(const Topics& topics) {
  Json json{{"topics", Json::array()}};
  for (const TopicActivity& topic : topics) {
    Json entry{{"topic", topic.topic.topic}, {"rate", topic.rate},          {"bytes_per_second", topic.bytes},
               {"lost", topic.lost},         {"losing", topic.losing},      {"unread", topic.unread},
               {"held", topic.held},         {"blocked", topic.blocked},    {"dead", topic.dead},
               {"lagging", topic.is_behind}, {"memory", topic.topic.memory}};
    if (!topic.topic.problem.empty()) entry["problem"] = topic.topic.problem;
    entry["publishers"] = Json::array();
    for (const PublisherActivity& publisher : topic.publishers) {
      entry["publishers"].push_back({{"id", id_text(publisher.member.peer.id)},
                                     {"name", publisher.member.peer.name},
                                     {"pid", publisher.member.peer.pid},
                                     {"state", to_string(publisher.member.condition)},
                                     {"rate", publisher.rate},
                                     {"bytes_per_second", publisher.bytes},
                                     {"waits", publisher.member.waits},
                                     {"blocked", publisher.blocked},
                                     {"memory", publisher.member.memory}});
    }
    entry["subscribers"] = Json::array();
    for (const SubscriberActivity& subscriber : topic.subscribers) {
      entry["subscribers"].push_back({{"id", id_text(subscriber.member.peer.id)},
                                      {"name", subscriber.member.peer.name},
                                      {"pid", subscriber.member.peer.pid},
                                      {"state", to_string(subscriber.member.condition)},
                                      {"unread", subscriber.unread},
                                      {"lost", subscriber.lost},
                                      {"losing", subscriber.losing},
                                      {"lagging", subscriber.is_behind},
                                      {"held", subscriber.member.held},
                                      {"memory", subscriber.member.memory}});
    }
    json["topics"].push_back(std::move(entry));
  }
  return json;
}

}  // namespace

ExitCode run(Session& session, const TopOptions& options) {
  const Result<Endpoint> backend = backend_of(options.backend);
  if (!backend) return session.console.error(backend.error());
  if (backend->scheme != "shm") {
    return session.console.error(
        Error(ErrorCode::unsupported,
              fmt::format("weir top cannot show {}: only the members of shm:// write down where everybody may read how "
                          "far they are. weir hz and weir bw measure one topic of any backend",
                          backend->text())));
  }
  const Result<std::string> root = root_of(*backend);
  if (!root) return session.console.error(root.error());
  Activity activity;
  const auto period = std::chrono::nanoseconds(static_cast<std::int64_t>(options.interval * 1e9));
  const bool is_live = session.console.is_terminal() && !session.console.json();
  if (is_live) session.console.raw("\x1b[2J");
  // The first look only gives the second something to be compared with.
  for (std::uint64_t look = 0; session.console.is_heard(); ++look) {
    const auto observer = observe(*backend);
    if (!observer) return session.console.error(observer.error());
    Topics topics = activity.look(*observer ? (*observer)->topics() : std::vector<shm::ObservedTopic>());
    if (look != 0) {
      sort(topics, options.sort);
      if (session.console.json()) {
        session.console.document(document_of(topics));
      } else {
        draw(session.console, topics, *root, options);
      }
      if (look == options.count) break;
    }
    if (!sleep_until(after(period), session.interrupts)) break;
  }
  return ExitCode::done;
}

}  // namespace weir::tool
