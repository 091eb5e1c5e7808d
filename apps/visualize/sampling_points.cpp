#include "deft/apps/visualize/sampling_points.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>

#include "deft/apps/visualize/panel.h"
#include "deft/kernels/error.h"
#include "deft/layers/softmax.h"

namespace deft::apps {

namespace {

using support::Canvas;
using support::Color;
using support::Point;

constexpr Color sampled_color{1, 0.33, 0.1};
const Color regular_color = support::palette(4), cell_color = support::palette(2);

constexpr double gap = 28, header_height = 70, margin = 0.1;
constexpr std::size_t columns = 3;

Color faint(Color color, double alpha) {
  color.alpha = alpha;
  return color;
}

// A picture in the making: the pass that it shows and what was asked for, all defaults filled in.
struct Scene {
  Scene(Module& net, const Tensor& image, const Transform& transform, const SamplingPicture& wishes)
      : map(net, image), layers(map.names()), bytes(image_bytes(image, transform)), picture(wishes) {
    if (picture.layer.empty()) picture.layer = layers.back();
    const WindowLayer& layer = map.layer(picture.layer);
    if (!picture.cell) picture.cell = Cell{layer.height / 2, layer.width / 2};
    if (picture.cell->y < 0 || picture.cell->x < 0 || picture.cell->y >= layer.height ||
        picture.cell->x >= layer.width) {
      throw Error(fmt::format("cell {},{} is not in the output of {}, which has {}×{} cells", picture.cell->y,
                              picture.cell->x, layer.name, layer.height, layer.width));
    }
    if (picture.thresholds.empty()) picture.thresholds = longest_tenth(map);
    if (picture.thresholds.size() == 1) picture.thresholds.resize(layers.size(), picture.thresholds[0]);
    if (picture.thresholds.size() != layers.size()) {
      throw Error(fmt::format("thresholds are {}, expected one for each of {}", fmt::join(picture.thresholds, ", "),
                              fmt::join(layers, ", ")));
    }
  }

  Position cell() const { return {static_cast<double>(picture.cell->y), static_cast<double>(picture.cell->x)}; }
  Point panel_size() const { return Panel::size(bytes, picture.image_size, margin); }

  SamplingMap map;
  std::vector<std::string> layers;
  Tensor bytes;
  SamplingPicture picture;
};

std::string class_name(const SamplingPicture& picture, std::int64_t index) {
  const auto at = static_cast<std::size_t>(index);
  return at < picture.class_names.size() ? picture.class_names[at] : std::to_string(index);
}

// "…: 3; the net says 3 (99.1 %)"
void draw_header(Canvas& canvas, const Scene& scene) {
  const std::vector<float> shares = softmax(scene.map.output(), 1).to(DType::float32).to_vector<float>();
  const auto most = std::max_element(shares.begin(), shares.end());
  const auto& [subject, label, names, net, layer, cell, thresholds, size] = scene.picture;
  const std::string truth = label ? ": " + class_name(scene.picture, *label) : "";
  const std::string verdict =
      fmt::format("the net says {} ({:.1f} %)", class_name(scene.picture, most - shares.begin()), 100 * *most);
  const std::string text = subject.empty() ? verdict : fmt::format("{}{}; {}", subject, truth, verdict);
  const bool wrong = label && *label != most - shares.begin();
  canvas.text({gap, 30}, text, {.size = 20, .color = wrong ? sampled_color : support::black, .bold = true});
  canvas.text({gap, 56}, net, {.size = 15, .color = support::grey});
}

double dot_radius(const Panel& panel) { return std::clamp(0.22 * panel.scale(), 1.2, 4.0); }

template <class Points>
double largest_mask(const Points& points) {
  double largest = 0;
  for (const auto& point : points) largest = std::max(largest, point.mask);
  return largest;
}

// Of a point whose mask is this share of the largest.
double visibility(double share) { return 0.2 + 0.8 * share; }

// One cell, down to the pixels.
void draw_traced(Canvas& canvas, const Point& corner, const Scene& scene) {
  const SamplingPicture& picture = scene.picture;
  const std::vector<SamplingPoint> points = scene.map.trace(picture.layer, scene.cell());
  const auto last = std::find(scene.layers.begin(), scene.layers.end(), picture.layer);
  const std::vector<std::string> through(std::make_reverse_iterator(last + 1), scene.layers.rend());
  Panel panel(canvas, corner, scene.bytes, picture.image_size, margin);
  panel.caption(fmt::format("what cell {},{} of {} sees", picture.cell->y, picture.cell->x, picture.layer),
                fmt::format("{} points, traced through {}", points.size(), fmt::join(through, ", ")));
  // Many points lie on one another: the more there are, the more each lets through.
  const double radius = dot_radius(panel);
  const double alpha = std::clamp(30 / std::sqrt(static_cast<double>(points.size())) / 3, 0.35, 1.0);
  for (const SamplingPoint& point : scene.map.trace(picture.layer, scene.cell(), false)) {
    if (const auto at = panel.at(point.at)) canvas.ring(*at, radius, {.color = regular_color, .width = 1.5});
  }
  const double largest = largest_mask(points);
  for (const SamplingPoint& point : points) {
    if (const auto at = panel.at(point.at))
      canvas.disc(*at, radius, faint(sampled_color, alpha * visibility(point.mask / largest)));
  }
  if (const auto at = panel.at(scene.map.on_image(picture.layer, scene.cell()))) {
    canvas.ring(*at, 2.5 * radius, {.color = cell_color, .width = 3});
  }
}

// All cells of one layer, as far as their offsets are long.
void draw_layer(Canvas& canvas, const Point& corner, const Scene& scene, std::size_t index) {
  const double threshold = scene.picture.thresholds[index];
  const std::vector<Tap> taps = scene.map.taps(scene.layers[index]);
  const double largest = largest_mask(taps);
  std::size_t drawn = 0;
  Panel panel(canvas, corner, scene.bytes, scene.picture.image_size, margin);
  const double radius = dot_radius(panel);
  for (const Tap& tap : taps) {
    if (tap.length <= threshold) continue;
    ++drawn;
    const auto from = panel.at(tap.regular), to = panel.at(tap.sampled);
    if (from && to) canvas.line({*from, *to}, {.color = faint(regular_color, 0.35), .width = 1});
    if (to) canvas.disc(*to, radius, faint(sampled_color, visibility(tap.mask / largest)));
  }
  panel.caption(fmt::format("{}: offsets longer than {:.2g} pixels", scene.layers[index], threshold),
                fmt::format("{} of the {} taps of all cells", drawn, taps.size()));
}

const std::vector<LegendEntry>& legend() {
  using enum LegendEntry::Sign;
  static const std::vector<LegendEntry> entries = {
      {disc, sampled_color, "where a tap reads the image (grey: beyond its border); fainter where its mask is small"},
      {ring, regular_color, "where it would without offsets"},
      {line, regular_color, "its offset"},
      {ring, cell_color, "the output cell that is traced"},
  };
  return entries;
}

// The largest number of two digits below `length`, or 0: many lengths are the same where offsets are clamped.
double rounded_below(double length) {
  if (length <= 0) return 0;
  const double step = std::pow(10, std::floor(std::log10(length)) - 1);
  return (std::ceil(length / step) - 1) * step;
}

}  // namespace

std::vector<double> longest_tenth(const SamplingMap& map) {
  std::vector<double> thresholds;
  for (const std::string& name : map.names()) {
    std::vector<double> lengths;
    for (const Tap& tap : map.taps(name)) lengths.push_back(tap.length);
    const auto at = lengths.begin() + static_cast<std::ptrdiff_t>(lengths.size() - 1 - lengths.size() / 10);
    std::nth_element(lengths.begin(), at, lengths.end());
    thresholds.push_back(rounded_below(*at));
  }
  return thresholds;
}

Canvas draw_sampling_points(Module& net, const Tensor& image, const Transform& pixels, const SamplingPicture& picture) {
  const Scene scene(net, image, pixels, picture);
  const std::size_t panels = 1 + scene.layers.size(), rows = (panels + columns - 1) / columns;
  const Point size = scene.panel_size();
  const auto corner = [&](std::size_t panel) {
    return Point{gap + static_cast<double>(panel % columns) * (size.x + gap),
                 header_height + static_cast<double>(panel / columns) * (size.y + gap)};
  };
  const double bottom = corner(rows * columns).y;
  Canvas canvas(corner(std::min(panels, columns) - 1).x + size.x + gap,
                bottom + legend_line * static_cast<double>(legend().size()) + gap);
  draw_header(canvas, scene);
  draw_traced(canvas, corner(0), scene);
  for (std::size_t i = 0; i < scene.layers.size(); ++i) draw_layer(canvas, corner(i + 1), scene, i);
  draw_legend(canvas, {gap, bottom}, legend());
  return canvas;
}

}  // namespace deft::apps
