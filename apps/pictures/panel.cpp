#include "deft/apps/pictures/panel.h"

#include <algorithm>
#include <cmath>

namespace deft::apps {

using support::Canvas;
using support::Point;
using support::TextStyle;

namespace {

constexpr TextStyle first_line{.size = 16, .bold = true}, second_line{.size = 14, .color = support::grey},
    legend_text{.size = 15};
constexpr double sign_width = 28;

}  // namespace

double text_width(const std::string& text, const TextStyle& style) { return Canvas(1, 1).text_width(text, style); }

double width_of(const Caption& caption) {
  return std::max(text_width(caption.first, first_line), text_width(caption.second, second_line));
}

Point Panel::size(const Tensor& bytes, double image_size, double margin) {
  const auto height = static_cast<double>(bytes.size(0)), width = static_cast<double>(bytes.size(1));
  const double scale = image_size / std::max(height, width), around = 2 * margin * image_size;
  return {width * scale + around, caption_height + height * scale + around};
}

Panel::Panel(Canvas& canvas, const Point& corner, const Tensor& bytes, double image_size, double margin)
    : canvas_(canvas), scale_(image_size / static_cast<double>(std::max(bytes.size(0), bytes.size(1)))) {
  const Point all = size(bytes, image_size, margin);
  frame_ = {corner.x, corner.y + caption_height, all.x, all.y - caption_height};
  const double around = margin * image_size;
  image_ = {frame_.x + around, frame_.y + around, frame_.width - 2 * around, frame_.height - 2 * around};
  canvas_.fill(frame_, support::light_grey);
  canvas_.image(bytes, image_);
}

void Panel::caption(const Caption& caption) {
  canvas_.text({frame_.x, frame_.y - 35}, caption.first, first_line);
  canvas_.text({frame_.x, frame_.y - 13}, caption.second, second_line);
}

std::optional<Point> Panel::at(const Position& position) const {
  const Point point{image_.x + (position.x + 0.5) * scale_, image_.y + (position.y + 0.5) * scale_};
  const bool inside = point.x > frame_.x && point.y > frame_.y && point.x < frame_.x + frame_.width &&
                      point.y < frame_.y + frame_.height;
  return inside ? std::optional(point) : std::nullopt;
}

void draw_legend(Canvas& canvas, const Point& at, const std::vector<LegendEntry>& entries) {
  double y = at.y + legend_line / 2;
  for (const LegendEntry& entry : entries) {
    const Point middle{at.x + 9, y};
    switch (entry.sign) {
      case LegendEntry::Sign::disc:
        canvas.disc(middle, 5, entry.color);
        break;
      case LegendEntry::Sign::ring:
        canvas.ring(middle, 5, {.color = entry.color, .width = 2});
        break;
      case LegendEntry::Sign::line:
        canvas.line({{middle.x - 9, y}, {middle.x + 9, y}}, {.color = entry.color, .width = 2});
        break;
      case LegendEntry::Sign::square:
        canvas.fill({middle.x - 7, y - 7, 14, 14}, entry.color);
        break;
      case LegendEntry::Sign::none:
        break;
    }
    canvas.text({at.x + sign_width, y}, entry.text, legend_text);
    y += legend_line;
  }
}

double width_of(const std::vector<LegendEntry>& entries) {
  double width = 0;
  for (const LegendEntry& entry : entries) width = std::max(width, sign_width + text_width(entry.text, legend_text));
  return width;
}

}  // namespace deft::apps
