#include "deft/apps/pictures/image_grid.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "deft/apps/pictures/panel.h"

namespace deft::apps {

namespace {

using support::Align;
using support::Canvas;
using support::TextStyle;

constexpr double tile_gap = 10, least_label_width = 90, grid_header_height = 60, tile_title_height = 24;
constexpr TextStyle label_style{.size = 18, .align = Align::right},
    tile_title_style{.size = 14, .align = Align::center};

struct Tile {
  Tensor bytes;
  std::string title;  // above it
};

struct GridRow {
  std::string label;  // left of it
  std::vector<Tile> tiles;

  double title_room() const { return tiles[0].title.empty() ? 0 : tile_title_height; }
};

Tensor image(const Dataset& set, const ImageForm& form, std::int64_t index) {
  return image_bytes(transform_images(set.images, form.transform, {index}, form.seed, form.epoch), form.transform);
}

std::vector<GridRow> rows_of(const Dataset& set, const ImageGrid& grid) {
  const std::vector<std::int64_t> labels = set.labels.to_vector<std::int64_t>();
  const auto class_name = [&](std::int64_t index) {
    return set.class_names.at(static_cast<std::size_t>(labels.at(static_cast<std::size_t>(index))));
  };
  std::vector<GridRow> rows;
  std::int64_t index = grid.first;
  for (std::int64_t i = 0; i < grid.rows && index < set.size(); ++i) {
    GridRow& row = rows.emplace_back();
    if (grid.forms.size() == 1) {
      for (std::int64_t j = 0; j < grid.columns && index < set.size(); ++j, ++index) {
        row.tiles.push_back({image(set, grid.forms[0], index), class_name(index)});
      }
    } else {
      row.label = class_name(index);
      for (const ImageForm& form : grid.forms) {
        row.tiles.push_back({image(set, form, index), i == 0 ? form.title : ""});
      }
      ++index;
    }
  }
  return rows;
}

}  // namespace

ImageForm unchanged(Transform transform) {
  transform.steps.clear();
  return {"as it is", std::move(transform)};
}

std::vector<ImageForm> training_forms(const Transform& transform, std::uint64_t seed, std::int64_t count) {
  if (transform.steps.empty()) return {{"plain", transform}};
  std::vector<ImageForm> forms = {unchanged(transform)};
  for (std::int64_t epoch = 1; epoch < count; ++epoch) {
    forms.push_back({fmt::format("epoch {}", epoch), transform, seed, static_cast<std::uint64_t>(epoch)});
  }
  return forms;
}

Canvas draw_images(const Dataset& set, const ImageGrid& grid) {
  const std::vector<GridRow> rows = rows_of(set, grid);
  double left = tile_gap, column = grid.size, height = grid.title.empty() ? tile_gap : grid_header_height;
  const double top = height;
  // Images begin at whole units, which keeps their pixels alike.
  for (const GridRow& row : rows) {
    const double label = row.label.empty() ? 0 : 2 * tile_gap + text_width(row.label, label_style);
    if (label > 0) left = std::max({left, least_label_width, std::ceil(label)});
    for (const Tile& tile : row.tiles) column = std::max(column, std::ceil(text_width(tile.title, tile_title_style)));
    height += row.title_room() + grid.size + tile_gap;
  }
  double width = left + static_cast<double>(rows[0].tiles.size()) * (column + tile_gap);
  if (!grid.title.empty()) width = std::max(width, 2 * tile_gap + text_width(grid.title, title_style));
  Canvas canvas(width, height);
  canvas.text({tile_gap, grid_header_height / 2}, grid.title, title_style);
  double y = top;
  for (const GridRow& row : rows) {
    y += row.title_room();
    canvas.text({left - tile_gap, y + grid.size / 2}, row.label, label_style);
    double x = left;
    for (const Tile& tile : row.tiles) {
      const double image_x = x + std::floor((column - grid.size) / 2);
      canvas.text({image_x + grid.size / 2, y - tile_title_height / 2}, tile.title, tile_title_style);
      canvas.image(tile.bytes, {image_x, y, grid.size, grid.size});
      x += column + tile_gap;
    }
    y += grid.size + tile_gap;
  }
  return canvas;
}

}  // namespace deft::apps
