// A plot as an inline SVG, for both themes of a page (page_style.h has its colours).
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace weir::performance {

// `style`: the class of its line, which stands for a peer in all plots.
struct Series {
  std::string name;
  std::string style;
  std::vector<std::pair<double, double>> points;  // in the order of x
};

struct Tick {
  double at = 0;
  std::string text;
};

struct Axis {
  std::string label;
  bool logarithmic = true;
  std::vector<Tick> ticks = {};
};

struct Plot {
  std::string title;
  Axis x;
  Axis y;
  std::vector<Series> series;
};

// A figure with plot and legend; nothing where all points have the same x, or there are none.
[[nodiscard]] std::string figure(const Plot& plot);

// For a logarithmic axis of times: a tick at each power of ten around the points, as "10 us".
[[nodiscard]] std::vector<Tick> time_ticks(const std::vector<Series>& series);

}  // namespace weir::performance
