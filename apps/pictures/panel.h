// What the pictures are made of: enlarged images with captions, and legends.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "deft/apps/pictures/sampling_map.h"
#include "deft/apps/support/canvas.h"
#include "deft/core/tensor.h"

namespace deft::apps {

/// Between panels, and around them.
constexpr double panel_gap = 28;
/// The first line of a picture.
constexpr support::TextStyle title_style{.size = 20, .bold = true};

/// Width of a line of text on any canvas.
double text_width(const std::string& text, const support::TextStyle& style);

/// Two lines above an image.
struct Caption {
  std::string first, second;
};
double width_of(const Caption& caption);

/// An enlarged image on a canvas, with a caption of two lines above it and, where positions outside are to be seen, a
/// margin around it.
class Panel {
 public:
  /// Room above the frame.
  static constexpr double caption_height = 50;

  /// What a panel takes of a canvas for uint8 images [H, W, C] whose longer side becomes `image_size`, with a margin of
  /// that share of it.
  static support::Point size(const Tensor& bytes, double image_size, double margin);

  /// Draws it with its upper left corner, that of the caption, at `corner`.
  Panel(support::Canvas& canvas, const support::Point& corner, const Tensor& bytes, double image_size, double margin);

  void caption(const Caption& caption);

  /// Canvas units per pixel of the image.
  double scale() const { return scale_; }
  /// Where a position on the image lies on the canvas, unless that is outside the frame.
  std::optional<support::Point> at(const Position& position) const;

 private:
  support::Canvas& canvas_;
  double scale_;
  support::Box frame_, image_;
};

/// Seen on black, on white and beside the blue of support::palette.
constexpr support::Color mark_color{1, 0.33, 0.1};

/// A sign and what it stands for.
struct LegendEntry {
  enum class Sign { disc, ring, line, square, none } sign;
  support::Color color;
  std::string text;
};

/// Draws the entries one below another from the upper left corner `at`, each `legend_line` high.
void draw_legend(support::Canvas& canvas, const support::Point& at, const std::vector<LegendEntry>& entries);
constexpr double legend_line = 24;
double width_of(const std::vector<LegendEntry>& entries);

}  // namespace deft::apps
