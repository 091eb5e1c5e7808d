#include "deft/apps/pictures/sampling_points.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>

#include "deft/apps/pictures/panel.h"
#include "deft/kernels/runtime/error.h"
#include "deft/layers/softmax.h"

namespace deft::apps {

namespace {

using support::Canvas;
using support::Color;
using support::Point;

const Color regular_color = support::palette(4), cell_color = support::palette(2);

constexpr double header_height = 92, margin = 0.1;
constexpr double least_width = 520;  // what the texts above need

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
    if (!picture.cell) picture.cell = FeatureCell{layer.height / 2, layer.width / 2};
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

void draw_header(Canvas& canvas, const Scene& scene) {
  const SamplingPicture& picture = scene.picture;
  const std::vector<float> shares = softmax(scene.map.output(), 1).to(DType::float32).to_vector<float>();
  const auto most = std::max_element(shares.begin(), shares.end());
  const bool wrong = picture.label && *picture.label != most - shares.begin();
  const std::string truth = picture.label ? ": " + class_name(picture, *picture.label) : "";
  canvas.text({panel_gap, 26}, picture.subject + truth, {.size = 19, .bold = true});
  canvas.text({panel_gap, 52},
              fmt::format("the net says {} ({:.1f} %)", class_name(picture, most - shares.begin()), 100 * *most),
              {.size = 17, .color = wrong ? mark_color : support::black});
  canvas.text({panel_gap, 76}, picture.net, {.size = 14, .color = support::grey});
}

double dot_radius(const Panel& panel) { return std::clamp(0.22 * panel.scale(), 1.2, 4.0); }

// Draws a point fainter, the smaller its mask is beside the largest one.
class Dots {
 public:
  template <class Points>
  Dots(Canvas& canvas, double radius, double alpha, const Points& points)
      : canvas_(canvas), radius_(radius), alpha_(std::min(1.0, alpha)) {
    for (const auto& point : points) largest_ = std::max(largest_, point.mask);
  }

  void draw(const Point& at, double mask) {
    canvas_.disc(at, radius_, faint(mark_color, alpha_ * (0.2 + 0.8 * mask / largest_)));
  }

 private:
  Canvas& canvas_;
  double radius_, alpha_, largest_ = 1e-9;
};

// One cell, down to the pixels.
void draw_traced(Canvas& canvas, const Point& corner, const Scene& scene) {
  const SamplingPicture& picture = scene.picture;
  const std::vector<SamplingPoint> points = scene.map.trace(picture.layer, scene.cell());
  const auto layer = std::find(scene.layers.begin(), scene.layers.end(), picture.layer);
  Panel panel(canvas, corner, scene.bytes, picture.image_size, margin);
  const std::ptrdiff_t traced = layer - scene.layers.begin() + 1;
  panel.caption(
      {fmt::format("what cell {},{} of {} sees", picture.cell->y, picture.cell->x, picture.layer),
       fmt::format("{} points, traced through {} deformable layer{}", points.size(), traced, traced == 1 ? "" : "s")});
  // Many points lie on one another: the more there are, the smaller they are and the more they let through.
  const double crowd = std::max(1.0, static_cast<double>(points.size()) / 81);
  const double radius = dot_radius(panel) / std::pow(crowd, 0.15);
  Dots dots(canvas, radius, 1 / std::sqrt(crowd) + 0.25, points);
  for (const SamplingPoint& point : scene.map.trace(picture.layer, scene.cell(), false)) {
    if (const auto at = panel.at(point.at)) canvas.ring(*at, radius, {.color = regular_color, .width = 1.5});
  }
  for (const SamplingPoint& point : points) {
    if (const auto at = panel.at(point.at)) dots.draw(*at, point.mask);
  }
  if (const auto at = panel.at(scene.map.on_image(picture.layer, scene.cell()))) {
    canvas.ring(*at, 8, {.color = cell_color, .width = 3});
  }
}

// All cells of one layer, as far as their offsets are long.
void draw_layer(Canvas& canvas, const Point& corner, const Scene& scene, std::size_t index) {
  const double threshold = scene.picture.thresholds[index];
  const std::vector<Tap> taps = scene.map.taps(scene.layers[index]);
  Panel panel(canvas, corner, scene.bytes, scene.picture.image_size, margin);
  Dots dots(canvas, dot_radius(panel), 1, taps);
  std::size_t longer = 0;
  for (const Tap& tap : taps) {
    if (!(tap.length > threshold)) continue;
    ++longer;
    const auto from = panel.at(tap.regular), to = panel.at(tap.sampled);
    if (from && to) canvas.line({*from, *to}, {.color = faint(regular_color, 0.45), .width = 1});
    if (to) dots.draw(*to, tap.mask);
  }
  panel.caption({fmt::format("{}: offsets > {:.3g} px", scene.layers[index], threshold),
                 fmt::format("{} of the {} taps of all cells", longer, taps.size())});
}

std::vector<LegendEntry> legend_of(const Scene& scene, bool traced, bool layers) {
  using enum LegendEntry::Sign;
  const bool modulated = !scene.map.layer(scene.layers.back()).masks.empty();
  std::vector<LegendEntry> entries = {
      {disc, mark_color, modulated ? "where a tap reads; faint: its mask is small" : "where a tap reads"},
      {square, support::light_grey, "outside the image; what lies farther out is not drawn"}};
  if (traced) entries.push_back({ring, regular_color, "where taps would read without offsets"});
  if (traced) entries.push_back({ring, cell_color, "the output cell that is traced"});
  if (layers) {
    entries.push_back({line, regular_color, "an offset, from where the tap would read without it;"});
    entries.push_back({none, regular_color, "only those longer than the threshold above the panel"});
  }
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
    for (const Tap& tap : map.taps(name)) {
      if (std::isfinite(tap.length)) lengths.push_back(tap.length);
    }
    if (lengths.empty()) lengths.push_back(0);
    const auto at = lengths.begin() + static_cast<std::ptrdiff_t>(lengths.size() - 1 - lengths.size() / 10);
    std::nth_element(lengths.begin(), at, lengths.end());
    thresholds.push_back(rounded_below(*at));
  }
  return thresholds;
}

Canvas draw_sampling_points(Module& net, const Tensor& image, const Transform& pixels, const SamplingPicture& picture) {
  const Scene scene(net, image, pixels, picture);
  const bool traced = picture.view != SamplingView::layers, layers = picture.view != SamplingView::traced;
  const std::size_t panels = (traced ? 1 : 0) + (layers ? scene.layers.size() : 0);
  const std::size_t columns = panels == 4 ? 2 : std::min<std::size_t>(panels, 3),
                    rows = (panels + columns - 1) / columns;
  const Point size = scene.panel_size();
  const auto corner = [&](std::size_t panel) {
    return Point{panel_gap + static_cast<double>(panel % columns) * (size.x + panel_gap),
                 header_height + static_cast<double>(panel / columns) * (size.y + panel_gap)};
  };
  const double bottom = corner(rows * columns).y;
  const std::vector<LegendEntry> entries = legend_of(scene, traced, layers);
  Canvas canvas(std::max({least_width, 2 * panel_gap + width_of(entries), corner(columns - 1).x + size.x + panel_gap}),
                bottom + legend_line * static_cast<double>(entries.size()) + panel_gap / 2);
  draw_header(canvas, scene);
  std::size_t panel = 0;
  if (traced) draw_traced(canvas, corner(panel++), scene);
  for (std::size_t i = 0; layers && i < scene.layers.size(); ++i) draw_layer(canvas, corner(panel++), scene, i);
  draw_legend(canvas, {panel_gap, bottom - panel_gap / 2}, entries);
  return canvas;
}

}  // namespace deft::apps
