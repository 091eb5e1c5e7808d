#include "deft/apps/support/chart.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "deft/kernels/runtime/error.h"

namespace deft::support {
namespace {

constexpr double legend_row_height = 26;

// The place of the axes in a chart of this size, with one row of a legend, or more, below it.
Box plot_of(double width, double height, std::size_t legend_rows = 1) {
  return {88, 56, width - 128, height - 142 - legend_row_height * static_cast<double>(legend_rows - 1)};
}

struct Range {
  double low = 0, high = 1;
  double share(double value) const { return (value - low) / (high - low); }
};

Range range_of(const std::vector<double>& ticks) { return {ticks.front(), ticks.back()}; }

// As many decimals as tell neighbouring ticks apart.
std::string label_of(double tick, double step) {
  if (step >= 1e6 || step < 1e-6) return fmt::format("{:g}", tick);
  const int decimals = std::max(0, static_cast<int>(std::ceil(-std::log10(step) - 1e-9)));
  return fmt::format("{:.{}f}", tick == 0 ? 0 : tick, decimals);
}

Canvas titled_canvas(double width, double height, const std::string& title) {
  Canvas canvas(width, height);
  canvas.text({width / 2, 26}, title, {.size = 18, .align = Align::center, .bold = true});
  return canvas;
}

// The axis is named beside its widest label.
void draw_y_axis(Canvas& canvas, const Box& plot, const std::vector<double>& ticks, const std::string& name) {
  const Range range = range_of(ticks);
  constexpr TextStyle style{.size = 13, .align = Align::right};
  double widest = 0;
  for (double tick : ticks) {
    const double y = plot.y + plot.height * (1 - range.share(tick));
    const std::string label = label_of(tick, ticks[1] - ticks[0]);
    canvas.line({{plot.x, y}, {plot.x + plot.width, y}}, {.color = light_grey, .width = 1});
    canvas.text({plot.x - 8, y}, label, style);
    widest = std::max(widest, canvas.text_width(label, style));
  }
  const double x = std::clamp(plot.x - widest - 26, 10.0, 30.0);
  canvas.text({x, plot.y + plot.height / 2}, name, {.align = Align::center, .upwards = true});
}

void draw_x_name(Canvas& canvas, const Box& plot, const std::string& name) {
  canvas.text({plot.x + plot.width / 2, plot.y + plot.height + 46}, name, {.align = Align::center});
}

void draw_x_axis(Canvas& canvas, const Box& plot, const Range& range, const std::vector<double>& ticks) {
  const double step = ticks.size() > 1 ? ticks[1] - ticks[0] : 1;
  for (double tick : ticks) {
    const double x = plot.x + plot.width * range.share(tick);
    canvas.line({{x, plot.y + plot.height}, {x, plot.y + plot.height + 5}}, {.width = 1});
    canvas.text({x, plot.y + plot.height + 18}, label_of(tick, step), {.size = 13, .align = Align::center});
  }
}

// From a little left of the first point to a little right of the last one, as plots of epochs begin at 1.
Range x_range(double low, double high) {
  const double margin = low == high ? 0.5 : 0.02 * (high - low);
  return {low - margin, high + margin};
}

// Whole numbers where all points have them.
std::vector<double> x_ticks(double low, double high, const std::vector<Point>& points) {
  const bool whole =
      std::all_of(points.begin(), points.end(), [](const Point& at) { return at.x == std::round(at.x); });
  std::vector<double> ticks =
      low == high ? std::vector<double>{low}
                  : round_ticks(low, high, whole ? std::clamp(static_cast<int>(high - low), 1, 16) : 10);
  std::erase_if(ticks, [&](double tick) { return tick < low || tick > high; });
  return ticks;
}

struct LegendEntry {
  std::string name;
  LineStyle style;
  bool bar;
};

constexpr double legend_sample = 30, legend_gap = 24;

using LegendRow = std::vector<LegendEntry>;

double width_of(const Canvas& canvas, const LegendEntry& entry) {
  return legend_sample + 8 + canvas.text_width(entry.name) + legend_gap;
}

double width_of(const Canvas& canvas, const LegendRow& row) {
  double width = -legend_gap;
  for (const LegendEntry& entry : row) width += width_of(canvas, entry);
  return width;
}

// As many entries in a row as the canvas has room for.
std::vector<LegendRow> legend_rows(const Canvas& canvas, const std::vector<LegendEntry>& entries) {
  std::vector<LegendRow> rows(1);
  for (const LegendEntry& entry : entries) {
    const double width = width_of(canvas, rows.back()) + width_of(canvas, entry);
    if (!rows.back().empty() && width > canvas.width() - legend_gap) rows.emplace_back();
    rows.back().push_back(entry);
  }
  return rows;
}

// Below the axis.
void draw_legend(Canvas& canvas, const Box& plot, const std::vector<LegendRow>& rows) {
  double y = plot.y + plot.height + 68;
  for (const LegendRow& row : rows) {
    double x = (canvas.width() - width_of(canvas, row)) / 2;
    for (const LegendEntry& entry : row) {
      if (entry.bar) {
        canvas.fill({x, y - 7, legend_sample, 14}, entry.style.color);
      } else {
        canvas.line({{x, y}, {x + legend_sample, y}}, entry.style);
      }
      canvas.text({x + legend_sample + 8, y}, entry.name);
      x += width_of(canvas, entry);
    }
    y += legend_row_height;
  }
}

LineStyle style_of(const Series& series) {
  return {.color = palette(series.color), .width = 2, .dashed = series.dashed};
}

bool finite(const Point& point) { return std::isfinite(point.x) && std::isfinite(point.y); }

}  // namespace

std::vector<double> round_ticks(double low, double high, int count) {
  // Values that rounding alone has parted leave no room for ticks between them either.
  const double size = std::max(std::abs(low), std::abs(high));
  if (high - low <= 1e-9 * size) {
    const double margin = size == 0 ? 1 : size / 2;
    low -= margin;
    high += margin;
  }
  const double rough = (high - low) / count, power = std::pow(10, std::floor(std::log10(rough)));
  const double leading = rough / power;
  const double step = power * (leading <= 1 ? 1 : leading <= 2 ? 2 : leading <= 5 ? 5 : 10);
  // Half a millionth of a step: the quotient of two round numbers may lie a little off a whole one.
  const double first = std::floor(low / step + 5e-7), last = std::ceil(high / step - 5e-7);
  std::vector<double> ticks;
  for (double i = first; i <= last; ++i) ticks.push_back(i * step);
  return ticks;
}

Canvas draw(const LineChart& chart) {
  std::vector<Point> all;
  for (const Series& series : chart.series)
    std::copy_if(series.points.begin(), series.points.end(), std::back_inserter(all), finite);
  if (all.empty()) throw Error(fmt::format("chart '{}': there is no finite point to draw", chart.title));
  const auto [left, right] = std::minmax_element(all.begin(), all.end(), [](auto& a, auto& b) { return a.x < b.x; });
  const auto [bottom, top] = std::minmax_element(all.begin(), all.end(), [](auto& a, auto& b) { return a.y < b.y; });
  const Range x_axis = x_range(left->x, right->x);
  const std::vector<double> y_ticks = round_ticks(bottom->y, top->y, 10);

  Canvas canvas = titled_canvas(chart.width, chart.height, chart.title);
  std::vector<LegendEntry> legend;
  for (const Series& series : chart.series) {
    if (!series.name.empty()) legend.push_back({series.name, style_of(series), false});
  }
  const std::vector<LegendRow> rows = legend_rows(canvas, legend);
  const Box plot = plot_of(chart.width, chart.height, rows.size());
  draw_y_axis(canvas, plot, y_ticks, chart.y_label);
  draw_x_axis(canvas, plot, x_axis, x_ticks(left->x, right->x, all));
  draw_x_name(canvas, plot, chart.x_label);
  for (const Series& series : chart.series) {
    const LineStyle style = style_of(series);
    std::vector<Point> points;
    for (const Point& point : series.points) {
      points.push_back(
          {plot.x + plot.width * x_axis.share(point.x), plot.y + plot.height * (1 - range_of(y_ticks).share(point.y))});
      if (finite(point)) canvas.disc(points.back(), 3, style.color);
    }
    canvas.line(points, style);
  }
  canvas.outline(plot, {.width = 1});
  draw_legend(canvas, plot, rows);
  return canvas;
}

Canvas draw(const BarChart& chart) {
  double most = 0;
  for (const auto& [name, values] : chart.series) {
    if (values.size() != chart.labels.size()) {
      throw Error(fmt::format("chart '{}': {} has {} values for {} labels", chart.title, name, values.size(),
                              chart.labels.size()));
    }
    for (double value : values) most = std::max(most, value);
  }
  const std::vector<double> ticks = round_ticks(0, most, 8);
  Canvas canvas = titled_canvas(chart.width, chart.height, chart.title);
  const Box plot = plot_of(chart.width, chart.height);
  draw_y_axis(canvas, plot, ticks, chart.y_label);
  draw_x_name(canvas, plot, chart.x_label);
  const auto bars = static_cast<double>(chart.series.size());
  const double group = plot.width / static_cast<double>(std::max<std::size_t>(1, chart.labels.size()));
  const double bar = 0.8 * group / std::max(1.0, bars);
  std::vector<LegendEntry> legend;
  for (std::size_t s = 0; s < chart.series.size(); ++s) {
    const auto& [name, values] = chart.series[s];
    legend.push_back({name, {.color = palette(s)}, true});
    for (std::size_t i = 0; i < values.size(); ++i) {
      const double height = plot.height * range_of(ticks).share(values[i]);
      const double x = plot.x + group * (static_cast<double>(i) + 0.1) + bar * static_cast<double>(s);
      canvas.fill({x, plot.y + plot.height - height, bar, height}, palette(s));
      canvas.text({x + bar / 2, plot.y + plot.height - height - 9}, fmt::format("{:.1f}", values[i]),
                  {.size = std::min(12.0, bar / 2.4), .align = Align::center});
    }
  }
  for (std::size_t i = 0; i < chart.labels.size(); ++i) {
    canvas.text({plot.x + group * (static_cast<double>(i) + 0.5), plot.y + plot.height + 18}, chart.labels[i],
                {.size = 13, .align = Align::center});
  }
  canvas.line({{plot.x, plot.y + plot.height}, {plot.x + plot.width, plot.y + plot.height}}, {.width = 1});
  if (legend.size() > 1) draw_legend(canvas, plot, {legend});
  return canvas;
}

}  // namespace deft::support
