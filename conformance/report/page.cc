#include "conformance/report/page.h"

#include <algorithm>
#include <cctype>
#include <map>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "conformance/report/html.h"
#include "conformance/report/page_parts.h"
#include "conformance/report/requirements.h"

namespace weir::conformance {
namespace {

struct Look {
  std::string_view style;
  std::string_view mark;  // so that nobody has to tell colours apart
};

Look look_of(std::string_view verdict) {
  if (verdict == "pass") return {"pass", "✓"};
  if (verdict == "fail") return {"fail", "✗"};
  if (verdict == "known deviation") return {"deviation", "≈"};
  if (verdict == "inconclusive") return {"inconclusive", "?"};
  return {"unsupported", "–"};
}

// What the page's script shows when a cell is opened.
nlohmann::json details(const BackendReport& report, const RequirementVerdict& requirement) {
  nlohmann::json tests = nlohmann::json::array();
  for (const std::size_t at : requirement.tests) {
    const TestVerdict& test = report.tests[at];
    tests.push_back({{"test", test.test},
                     {"expected", in_words(test.test)},
                     {"verdict", test.verdict},
                     {"style", look_of(test.verdict).style},
                     {"reason", test.reason},
                     {"replay", test.replay},
                     {"milliseconds", test.milliseconds}});
  }
  return {{"backend", report.backend},
          {"id", requirement.id},
          {"level", requirement.level},
          {"sentence", requirement.sentence},
          {"verdict", requirement.verdict},
          {"style", look_of(requirement.verdict).style},
          {"tests", tests}};
}

// In a script element no text may look like its end, or like the beginning of a comment. In JSON '<' stands in strings
// alone, where it may be written so.
std::string for_script(const nlohmann::json& json) {
  std::string text = json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  for (std::size_t at = text.find('<'); at != std::string::npos; at = text.find('<', at)) {
    text.replace(at, 1, "\\u003c");
  }
  return text;
}

// The code spans of a sentence of REQUIREMENTS.md.
std::string with_code(const std::string& sentence) {
  std::string html;
  bool open = false;
  for (const char each : escaped(sentence)) {
    if (each != '`') {
      html += each;
    } else {
      html += open ? "</code>" : "<code>";
      open = !open;
    }
  }
  return html;
}

struct Matrix {
  // By id, for each backend that judged it.
  std::map<std::string, std::map<std::size_t, RequirementVerdict>> cells;
  nlohmann::json details = nlohmann::json::array();
};

// A backend's name, which may be broken behind an underscore where a column is narrow.
std::string in_pieces(const std::string& name) {
  std::string pieces = escaped(name);
  for (std::size_t at = pieces.find('_'); at != std::string::npos; at = pieces.find('_', at + 1)) {
    pieces.insert(at + 1, "&#8203;");
  }
  return pieces;
}

std::string row(const Requirement& requirement, const std::vector<BackendReport>& reports, Matrix& matrix) {
  const auto& cells = matrix.cells.at(requirement.id);
  const bool all_pass =
      std::all_of(cells.begin(), cells.end(), [](const auto& cell) { return cell.second.verdict == "pass"; });
  std::string html = fmt::format("<tr class=\"{}\" id=\"{}\"><th scope=\"row\"><b>{}</b>{}<span>{}</span></th>",
                                 all_pass ? "same" : "differs", requirement.id, requirement.id,
                                 requirement.level == "MUST" ? "" : " <i>should</i>", with_code(requirement.sentence));
  for (std::size_t at = 0; at < reports.size(); ++at) {
    const auto cell = cells.find(at);
    if (cell == cells.end()) {
      html += fmt::format("<td data-backend=\"{}\"></td>", in_pieces(reports[at].backend));
      continue;
    }
    const auto [style, mark] = look_of(cell->second.verdict);
    html += fmt::format(
        "<td data-backend=\"{6}\"><button class=\"{1}\" data-cell=\"{2}\" aria-label=\"{3} over {0}: "
        "{4}\">{5}</button></td>",
        escaped(reports[at].backend), style, matrix.details.size(), requirement.id, escaped(cell->second.verdict), mark,
        in_pieces(reports[at].backend));
    matrix.details.push_back(details(reports[at], cell->second));
  }
  return html + "</tr>\n";
}

}  // namespace

std::string in_words(const std::string& test) {
  std::string words;
  for (const char each : test.substr(test.find('.') + 1)) {
    const bool upper = std::isupper(static_cast<unsigned char>(each)) != 0;
    if (upper && !words.empty()) words += ' ';
    words += static_cast<char>(std::tolower(static_cast<unsigned char>(each)));
  }
  return words;
}

std::string to_page(const std::vector<BackendReport>& reports) {
  Matrix matrix;
  std::string summaries;
  std::string heads;
  for (std::size_t at = 0; at < reports.size(); ++at) {
    const auto judged = requirements_of(reports[at]);
    for (const RequirementVerdict& each : judged) matrix.cells[each.id].emplace(at, each);
    summaries += fmt::format("<li><b>{}</b> {}<br><code>{}</code>, seed {}</li>\n", escaped(reports[at].backend),
                             summary_of(judged), escaped(reports[at].endpoint), reports[at].seed);
    heads += fmt::format("<th scope=\"col\"><span>{}</span></th>", in_pieces(reports[at].backend));
  }
  std::string rows;
  std::string family;
  for (const Requirement& requirement : requirements()) {
    if (!matrix.cells.contains(requirement.id)) continue;
    if (requirement.family != family) {
      family = requirement.family;
      rows +=
          fmt::format("<tr class=\"family\"><th colspan=\"{}\">{}</th></tr>\n", reports.size() + 1, escaped(family));
    }
    rows += row(requirement, reports, matrix);
  }
  std::string legend;
  for (const char* verdict : {"pass", "fail", "known deviation", "inconclusive", "unsupported"}) {
    const auto [style, mark] = look_of(verdict);
    legend += fmt::format("<li><span class=\"{}\">{}</span> {}</li>", style, mark, verdict);
  }
  std::string page =
      "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
      "<title>weir: conformance</title>\n<style>\n";
  page += page_style;
  page += "</style>\n</head>\n<body>\n<main>\n<h1>Conformance of transports</h1>\n";
  page += "<ul class=\"summaries\">\n" + summaries + "</ul>\n<ul class=\"legend\">" + legend + "</ul>\n";
  page += "<label class=\"filter\"><input type=\"checkbox\" id=\"filter\"> hide what all of them pass</label>\n";
  page += "<table>\n<thead><tr><th scope=\"col\">requirement</th>" + heads + "</tr></thead>\n<tbody>\n" + rows;
  page +=
      "</tbody>\n</table>\n</main>\n<dialog id=\"cell\"></dialog>\n<script type=\"application/json\" id=\"details\">";
  page += for_script(matrix.details);
  page += "</script>\n<script>\n";
  page += page_script;
  page += "</script>\n</body>\n</html>\n";
  return page;
}

}  // namespace weir::conformance
