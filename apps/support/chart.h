// Charts of training runs.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "deft/apps/support/canvas.h"

namespace deft::support {

/// A line of a chart.
struct Series {
  std::string name;                ///< in the legend; empty: not there
  std::vector<Point> points = {};  ///< values that are not finite leave gaps
  bool dashed = false;
  std::size_t color = 0;  ///< of the palette
};

struct LineChart {
  std::string title, x_label, y_label;
  std::vector<Series> series = {};
  double width = 860, height = 520;
};

/// Draws a chart with ticks at round numbers and a legend. Throws Error where no point is finite.
Canvas draw(const LineChart& chart);

/// Bars side by side, a group per label.
struct BarChart {
  std::string title, x_label, y_label;
  std::vector<std::string> labels = {};
  std::vector<std::pair<std::string, std::vector<double>>> series = {};  ///< name and a value, at least 0, per label
  double width = 860, height = 520;
};

/// Draws bars from zero up, each with its value, and a legend where there are several series. Throws Error unless each series has a value per label.
Canvas draw(const BarChart& chart);

/// Round numbers, 1, 2 or 5 times a power of ten apart, from at or below `low` to at or above `high`, about `count` of
/// them. `low` and `high` are finite and low ≤ high.
std::vector<double> round_ticks(double low, double high, int count);

}  // namespace deft::support
