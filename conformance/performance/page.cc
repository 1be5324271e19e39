#include "conformance/performance/page.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <map>
#include <optional>
#include <vector>

#include <fmt/format.h>

#include "conformance/performance/page_style.h"
#include "conformance/performance/plot.h"
#include "conformance/performance/targets.h"
#include "conformance/report/html.h"

namespace weir::performance {
namespace {

using conformance::escaped;

// The look of a peer's line.
std::string style_of(const std::string& peer) {
  static const std::map<std::string, std::string> styles = {{"shm concrete", "blue strong dashed"},
                                                            {"shm", "blue strong"},
                                                            {"inproc", "sky"},
                                                            {"zmq+ipc", "red dashed"},
                                                            {"zmq+tcp", "red short"},
                                                            {"zmq+inproc", "red long"},
                                                            {"iceoryx://", "orange dashed"},
                                                            {"libzmq ipc", "red"},
                                                            {"libzmq inproc", "red dotted"},
                                                            {"iceoryx", "orange"},
                                                            {"nng ipc", "violet"},
                                                            {"Boost queue", "green"},
                                                            {"pipe", "teal"},
                                                            {"Unix socket", "brown"},
                                                            {"POSIX mq", "pink"},
                                                            {"memcpy", "grey dashed"},
                                                            {"raw ring", "grey long"},
                                                            {"slot", "grey short"},
                                                            {"bare memory", "grey strong"},
                                                            {"one cache line", "grey dotted"}};
  const auto found = styles.find(peer);
  return found == styles.end() ? "grey" : found->second;
}

// The rows of a title, as a line for each peer. `x`: where a row is, if it belongs on the plot.
std::vector<Series> series_of(const Report& report, const std::string& title,
                              const std::function<std::optional<double>(const Row&)>& x) {
  std::vector<Series> all;
  for (std::size_t at = 0; at < report.rows.size(); ++at) {
    const Row& row = report.rows[at];
    const std::optional<double> place = row.title == title ? x(row) : std::nullopt;
    const std::optional<double> figure = median_of(report, at);
    if (!place || !figure) {
      continue;
    }
    auto series = std::find_if(all.begin(), all.end(), [&](const Series& one) { return one.name == row.peer; });
    if (series == all.end()) {
      all.push_back({.name = row.peer, .style = style_of(row.peer), .points = {}});
      series = all.end() - 1;
    }
    series->points.emplace_back(*place, *figure);
  }
  return all;
}

std::vector<Tick> size_ticks(const std::vector<Series>& series) {
  std::map<double, std::string> sizes;
  for (const Series& one : series) {
    for (const auto& point : one.points) {
      sizes[point.first] = size_text(static_cast<std::size_t>(point.first));
    }
  }
  std::vector<Tick> ticks;
  for (const auto& [size, text] : sizes) {
    // 1 KiB stands too near to 4 KiB, and 1 MiB to 4 MiB, for both to be labelled.
    const bool crowded = sizes.contains(4 * size) && sizes.size() > 4;
    ticks.push_back({size, crowded ? std::string() : text});
  }
  return ticks;
}

std::string plot_by_size(const Report& report, const std::string& title) {
  Plot plot{.title = title, .x = {.label = "message"}, .y = {}, .series = {}};
  plot.series = series_of(report, title, [](const Row& row) { return std::optional(static_cast<double>(row.size)); });
  plot.x.ticks = size_ticks(plot.series);
  plot.y.ticks = time_ticks(plot.series);
  return figure(plot);
}

// By how many others there are, each number as far from the next as any.
std::string plot_by_count(const Report& report, const std::string& title, const std::string& label) {
  std::vector<std::uint64_t> counts;
  for (const Row& row : report.rows) {
    if (row.title == title && std::find(counts.begin(), counts.end(), row.others) == counts.end()) {
      counts.push_back(row.others);
    }
  }
  Plot plot{.title = title, .x = {.label = label, .logarithmic = false, .ticks = {}}, .y = {}, .series = {}};
  plot.series = series_of(report, title, [&](const Row& row) {
    const auto place = std::find(counts.begin(), counts.end(), row.others) - counts.begin();
    return std::optional(static_cast<double>(place));
  });
  for (std::size_t place = 0; place < counts.size() && !plot.series.empty(); ++place) {
    plot.x.ticks.push_back({static_cast<double>(place), fmt::format("{}", counts[place])});
  }
  plot.y.ticks = time_ticks(plot.series);
  return figure(plot);
}

// How many nines: 0 for all, 1 for the slowest tenth, 2 for the slowest hundredth.
double nines(double part) { return -std::log10(std::max(1 - part, 1e-5)); }

// Of the smallest message: which part of the events took how long.
std::string plot_spread(const Report& report, const std::string& title) {
  Plot plot{.title = title + ": how the times are spread, 64 B",
            .x = {.label = "part of the messages that took no longer",
                  .logarithmic = false,
                  .ticks = {{0, "0"}, {nines(0.5), "50"}, {1, "90"}, {2, "99"}, {3, "99.9"}, {4, "99.99 %"}}},
            .y = {},
            .series = {}};
  for (std::size_t at = 0; at < report.rows.size(); ++at) {
    const Row& row = report.rows[at];
    const std::vector<double> spread =
        row.title == title && row.size == 64 ? spread_of(report, at) : std::vector<double>();
    if (spread.empty()) {
      continue;
    }
    Series series{.name = row.peer, .style = style_of(row.peer), .points = {}};
    for (std::size_t part = 0; part + 1 < parts.size(); ++part) {  // without the longest, which is one event
      if (spread[part] != too_few) {
        series.points.emplace_back(nines(parts[part]), spread[part]);
      }
    }
    plot.series.push_back(std::move(series));
  }
  plot.y.ticks = time_ticks(plot.series);
  return figure(plot);
}

std::string targets_part(const Report& report) {
  std::string text =
      "<h2>Targets</h2><table class=\"targets\"><thead><tr><th>what</th><th class=\"number\">target</th><th "
      "class=\"number\">here</th><th></th><th>others, measured before</th></tr></thead><tbody>\n";
  bool any = false;
  for (const Target& target : targets()) {
    const auto value = value_of(report, target);
    any = any || value;
    text += fmt::format(
        "<tr><td>{}</td><td class=\"number\">{}</td><td class=\"number\">{}</td><td>{}</td><td "
        "class=\"faint\">{}</td></tr>\n",
        escaped(target.what), escaped(limit_text(target)), escaped(value_text(report, target)),
        !value                   ? "not measured"
        : is_met(target, *value) ? "<span class=\"met\">met</span>"
                                 : "<span class=\"missed\">missed</span>",
        escaped(target.others));
  }
  return any ? text + "</tbody></table>\n" : std::string();
}

std::string row_part(const Report& report, std::size_t at) {
  const Row& row = report.rows[at];
  const std::optional<double> middle = median_of(report, at);
  std::string text = fmt::format("<tr class=\"{}\"><td>{}</td><td>{}</td>",
                                 row.kind == Kind::floor  ? "floor"
                                 : row.kind == Kind::weir ? "weir"
                                                          : "native",
                                 escaped(row.peer), escaped(row.detail));
  if (!middle) {
    return text + fmt::format("<td colspan=\"7\">{}</td></tr>\n", escaped(report.outcomes[at].failure));
  }
  text += fmt::format("<td class=\"number\">{}</td>", figure_text(*middle, row.unit));
  const std::vector<double> spread = spread_of(report, at);
  for (const double part : {0.5, 0.9, 0.99, 0.999, 1.0}) {
    const bool known = !spread.empty() && spread[place_of(part)] != too_few;
    text += fmt::format("<td class=\"number\">{}</td>", known ? figure_text(spread[place_of(part)], row.unit) : "");
  }
  // Rows of one table may have different floors.
  const auto ratio = row.floor && *row.floor != at ? ratio_of(report, at, *row.floor) : std::nullopt;
  text += fmt::format("<td class=\"number\">{}</td></tr>\n",
                      ratio ? fmt::format("{:.2f} to {}", *ratio, escaped(report.rows[*row.floor].peer)) : "");
  if (const Outcome& outcome = report.outcomes[at]; !outcome.failure.empty()) {
    text += fmt::format("<tr><td></td><td colspan=\"8\">{} rounds only: {}</td></tr>\n", outcome.rounds.size(),
                        escaped(outcome.failure));
  }
  return text;
}

// All figures, a table for each title.
std::string tables_part(const Report& report) {
  std::string text = "<h2>All figures</h2>\n";
  std::string title;
  for (std::size_t at = 0; at < report.rows.size(); ++at) {
    const Row& row = report.rows[at];
    if (report.outcomes[at].rounds.empty() && report.outcomes[at].failure.empty()) {
      continue;
    }
    if (row.title != title) {
      text += title.empty() ? "" : "</tbody></table></div></details>\n";
      title = row.title;
      text += fmt::format(
          "<details><summary>{} ({})</summary><div class=\"wide\"><table><thead><tr><th>peer</th><th></th><th "
          "class=\"number\">median</th><th class=\"number\">p50</th><th class=\"number\">p90</th><th "
          "class=\"number\">p99</th><th class=\"number\">p99.9</th><th class=\"number\">max</th><th "
          "class=\"number\">compared</th></tr></thead><tbody>\n",
          escaped(title), escaped(row.unit));
    }
    text += row_part(report, at);
  }
  return text + (title.empty() ? "" : "</tbody></table></div></details>\n");
}

std::string plots_part(const Report& report) {
  std::vector<std::string> titles;
  std::map<std::string, std::string> loads;
  for (const Row& row : report.rows) {
    if (loads.emplace(row.title, row.load).second) {
      titles.push_back(row.title);
    }
  }
  std::string by_size;
  std::string by_count;
  std::string spread;
  for (const std::string& title : titles) {
    const std::string& load = loads[title];
    if (load == "latency" || load == "blocking") {
      by_size += title.find("after the last") == std::string::npos ? plot_by_size(report, title) : "";
      spread += plot_spread(report, title);
    } else if (load == "stream") {
      by_size += plot_by_size(report, title);
    } else if (load == "publish-cost" || load == "fan-out" || load == "fan-in") {
      by_count += plot_by_count(report, title, load == "fan-in" ? "senders" : "receivers");
    }
  }
  const auto section = [](const char* heading, const std::string& plots) {
    return plots.empty() ? std::string() : fmt::format("<h2>{}</h2><div class=\"plots\">{}</div>\n", heading, plots);
  };
  return section("Time by size", by_size) + section("Time by number", by_count) +
         section("How the times are spread", spread);
}

}  // namespace

std::string page(const Report& report) {
  std::string missing;
  for (const std::string& reason : report.missing) {
    missing += fmt::format("<p class=\"faint\">not measured: {}</p>\n", escaped(reason));
  }
  return fmt::format(
      "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" "
      "content=\"width=device-width, initial-scale=1\"><title>weir: performance</title><style>{}</style></head><body>"
      "<main>\n<h1>weir: performance</h1>\n<p>{}; {}.</p>\n<p class=\"faint\">All in one run, in interleaved rounds; a "
      "figure is the median of its rounds, a ratio the median of the ratios within the rounds. Grey lines are floors: "
      "what bare memory, a bare futex or a bare ring takes. Less is better.</p>\n{}{}{}{}</main></body></html>",
      page_style, escaped(report.machine), escaped(report.placement), missing, targets_part(report), plots_part(report),
      tables_part(report));
}

}  // namespace weir::performance
