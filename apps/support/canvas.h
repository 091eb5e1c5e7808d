// Drawing surface of charts and pictures.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "deft/core/tensor.h"

namespace deft::support {

/// Whether this build can draw. Without the cairo library, making a Canvas throws Error.
bool can_draw();

/// Channels from 0 to 1.
struct Color {
  double red = 0, green = 0, blue = 0, alpha = 1;
};

/// The n-th of eight colours that stay apart for colour-blind readers (Okabe and Ito, 2008), from n = 0, repeating.
Color palette(std::size_t n);

constexpr Color black{0, 0, 0};
constexpr Color white{1, 1, 1};
constexpr Color grey{0.45, 0.45, 0.45};
constexpr Color light_grey{0.87, 0.87, 0.87};

struct Point {
  double x = 0, y = 0;
};

/// An upright rectangle from its upper left corner.
struct Box {
  double x = 0, y = 0, width = 0, height = 0;
};

struct LineStyle {
  Color color = black;
  double width = 1.5;
  bool dashed = false;
};

enum class Align { left, center, right };

struct TextStyle {
  double size = 14;  ///< of the font
  Color color = black;
  Align align = Align::left;
  bool bold = false;
  bool upwards = false;  ///< turned by 90° to the left
};

/// A white picture of width × height units, x to the right and y down from the upper left corner. What is drawn is
/// kept as shapes until it is written, at any resolution. Members throw Error for what cairo cannot do.
class Canvas {
 public:
  Canvas(double width, double height);
  ~Canvas();
  Canvas(Canvas&&) noexcept;
  Canvas& operator=(Canvas&&) noexcept;

  double width() const;
  double height() const;

  void fill(const Box& box, const Color& color);
  void outline(const Box& box, const LineStyle& style = {});
  /// Joined by straight lines. Points that are not finite leave gaps.
  void line(const std::vector<Point>& points, const LineStyle& style = {});
  void disc(const Point& center, double radius, const Color& color);
  void ring(const Point& center, double radius, const LineStyle& style = {});
  /// One line, its vertical middle (horizontal, when turned upwards) at `at`.
  void text(const Point& at, const std::string& text, const TextStyle& style = {});
  double text_width(const std::string& text, const TextStyle& style = {}) const;
  /// A uint8 image [H, W, 1] or [H, W, 3] on the CPU, stretched over `box`; its pixels stay squares with sharp edges.
  void image(const Tensor& pixels, const Box& box);

  /// A PNG file with `scale` pixels per unit, its sides rounded to whole pixels.
  std::string png(double scale = 1) const;
  /// An SVG document.
  std::string svg() const;
  /// The same pixels: uint8 [H, W, 3].
  Tensor pixels(double scale = 1) const;

 private:
  struct Surface;
  std::unique_ptr<Surface> surface_;
};

}  // namespace deft::support
