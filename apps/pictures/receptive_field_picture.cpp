#include "deft/apps/pictures/receptive_field_picture.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "deft/apps/pictures/panel.h"

namespace deft::apps {

namespace {

using support::Canvas;
using support::Point;

constexpr double title_height = 54;
const std::vector<LegendEntry> gradient_legend = {
    {LegendEntry::Sign::disc, mark_color, "the gradient of the middle cell is above 1/255 of its largest value here;"},
    {LegendEntry::Sign::none, mark_color, "larger dots: larger gradients"}};

Caption caption_of(const ShownField& shown) {
  const ReceptiveField& field = shown.field;
  return {shown.caption, fmt::format("{} of {} pixels reach cell {},{} of {}×{}", field.count(), field.marked.size(),
                                     field.cell_y, field.cell_x, field.height, field.width)};
}

void draw_field(Canvas& canvas, const Point& corner, const Tensor& bytes, double image_size, const ShownField& shown) {
  const ReceptiveField& field = shown.field;
  Panel panel(canvas, corner, bytes, image_size, 0);
  panel.caption(caption_of(shown));
  const std::int64_t width = bytes.size(1);
  const double largest = *std::max_element(field.gradient.begin(), field.gradient.end());
  for (std::size_t i = 0; i < field.marked.size(); ++i) {
    if (!field.marked[i]) continue;
    const auto pixel = static_cast<std::int64_t>(i);
    const auto middle = panel.at({static_cast<double>(pixel / width), static_cast<double>(pixel % width)}).value();
    canvas.disc(middle, (0.12 + 0.33 * std::sqrt(field.gradient[i] / largest)) * panel.scale(), mark_color);
  }
}

}  // namespace

Canvas draw_receptive_fields(const Tensor& bytes, const FieldPicture& picture) {
  const Point size = Panel::size(bytes, picture.image_size, 0);
  double column = size.x;
  for (const ShownField& shown : picture.fields) column = std::max(column, width_of(caption_of(shown)));
  const double top = picture.title.empty() ? panel_gap / 4 : title_height;
  double width = panel_gap + static_cast<double>(picture.fields.size()) * (column + panel_gap),
         height = top + size.y + panel_gap;
  if (!picture.title.empty()) width = std::max(width, 2 * panel_gap + text_width(picture.title, title_style));
  if (picture.legend) {
    width = std::max(width, 2 * panel_gap + width_of(gradient_legend));
    height += legend_line * static_cast<double>(gradient_legend.size()) + panel_gap / 2;
  }
  Canvas canvas(width, height);
  canvas.text({panel_gap, 30}, picture.title, title_style);
  double x = panel_gap;
  for (const ShownField& shown : picture.fields) {
    draw_field(canvas, {x, top}, bytes, picture.image_size, shown);
    x += column + panel_gap;
  }
  if (picture.legend) draw_legend(canvas, {panel_gap, top + size.y + panel_gap / 2}, gradient_legend);
  return canvas;
}

}  // namespace deft::apps
