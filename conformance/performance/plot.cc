#include "conformance/performance/plot.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include <fmt/format.h>

#include "conformance/performance/report.h"
#include "conformance/report/html.h"

namespace weir::performance {
namespace {

using conformance::escaped;

// The drawing's own units; the page scales it to its width.
constexpr double width = 600;
constexpr double height = 430;
constexpr double left = 88;
constexpr double right = 562;
constexpr double top = 14;
constexpr double bottom = 362;

struct Range {
  double least = std::numeric_limits<double>::infinity();
  double most = -std::numeric_limits<double>::infinity();
  void include(double value) {
    least = std::min(least, value);
    most = std::max(most, value);
  }
};

// Places values of an axis between two ends.
class Scale {
 public:
  Scale(const Axis& axis, Range range, double from, double to) : logarithmic_(axis.logarithmic), from_(from), to_(to) {
    for (const Tick& tick : axis.ticks) {
      range.include(tick.at);
    }
    // NOLINTNEXTLINE(cppcoreguidelines-prefer-member-initializer): of what the loop includes
    least_ = position(range.least);
    most_ = std::max(position(range.most), least_ + 1e-9);
  }
  [[nodiscard]] double operator()(double value) const {
    return from_ + (position(value) - least_) / (most_ - least_) * (to_ - from_);
  }

 private:
  [[nodiscard]] double position(double value) const { return logarithmic_ ? std::log10(value) : value; }
  bool logarithmic_;
  double from_;
  double to_;
  double least_ = 0;
  double most_ = 1;
};

std::string axes(const Plot& plot, const Scale& x, const Scale& y) {
  std::string text;
  for (const Tick& tick : plot.y.ticks) {
    text += fmt::format(R"(<line class="grid" x1="{:.0f}" x2="{:.0f}" y1="{:.1f}" y2="{:.1f}"/>)", left, right,
                        y(tick.at), y(tick.at));
    text += fmt::format(R"(<text x="{:.0f}" y="{:.1f}" text-anchor="end">{}</text>)", left - 8, y(tick.at) + 5,
                        escaped(tick.text));
  }
  for (const Tick& tick : plot.x.ticks) {
    text += fmt::format(R"(<line class="grid" x1="{:.1f}" x2="{:.1f}" y1="{:.0f}" y2="{:.0f}"/>)", x(tick.at),
                        x(tick.at), top, bottom);
    text += fmt::format(R"(<text x="{:.1f}" y="{:.0f}" text-anchor="middle">{}</text>)", x(tick.at), bottom + 22,
                        escaped(tick.text));
  }
  return text + fmt::format(R"(<text class="label" x="{:.0f}" y="{:.0f}" text-anchor="middle">{}</text>)",
                            (left + right) / 2, bottom + 50, escaped(plot.x.label));
}

std::string line(const Series& series, const Scale& x, const Scale& y) {
  std::string path;
  std::string dots;
  for (const auto& [at, value] : series.points) {
    path += fmt::format("{}{:.1f} {:.1f}", path.empty() ? "M" : "L", x(at), y(value));
    dots += fmt::format(R"(<circle cx="{:.1f}" cy="{:.1f}" r="3"><title>{}: {}</title></circle>)", x(at), y(value),
                        escaped(series.name), figure_text(value, "ns"));
  }
  return fmt::format(R"(<g class="{}"><path d="{}"/>{}</g>)", series.style, path, dots);
}

std::string legend(const Plot& plot) {
  std::string text = "<ul>";
  for (const Series& series : plot.series) {
    text += fmt::format(
        R"(<li><svg viewBox="0 0 30 10" class="key" aria-hidden="true"><g class="{}"><path d="M1 5L29 5"/></g></svg>{}</li>)",
        series.style, escaped(series.name));
  }
  return text + "</ul>";
}

}  // namespace

std::string figure(const Plot& plot) {
  Range xs;
  Range ys;
  for (const Series& series : plot.series) {
    for (const auto& [at, value] : series.points) {
      xs.include(at);
      ys.include(value);
    }
  }
  if (xs.least >= xs.most) {
    return {};
  }
  const Scale x(plot.x, xs, left, right);
  const Scale y(plot.y, ys, bottom, top);
  std::string text = fmt::format(
      R"(<figure><figcaption>{}</figcaption><svg class="plot" viewBox="0 0 {:.0f} {:.0f}" role="img" aria-label="{}">)",
      escaped(plot.title), width, height, escaped(plot.title));
  text += axes(plot, x, y);
  for (const Series& series : plot.series) {
    text += line(series, x, y);
  }
  return text + "</svg>" + legend(plot) + "</figure>\n";
}

std::vector<Tick> time_ticks(const std::vector<Series>& series) {
  Range range;
  for (const Series& one : series) {
    for (const auto& point : one.points) {
      range.include(point.second);
    }
  }
  std::vector<Tick> ticks;
  if (range.least > range.most) {
    return ticks;
  }
  constexpr std::array<const char*, 4> units = {"ns", "us", "ms", "s"};
  const int last = static_cast<int>(std::ceil(std::log10(range.most)));
  for (int power = static_cast<int>(std::floor(std::log10(range.least))); power <= last; ++power) {
    const auto unit = static_cast<std::size_t>(std::clamp(power / 3, 0, 3));
    ticks.push_back({std::pow(10, power),
                     fmt::format("{:g} {}", std::pow(10, power - 3 * static_cast<int>(unit)), units.at(unit))});
  }
  return ticks;
}

}  // namespace weir::performance
