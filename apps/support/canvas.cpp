#include "deft/apps/support/canvas.h"

#include <cairo-svg.h>
#include <cairo.h>
#include <fmt/format.h>

#include <array>
#include <cmath>
#include <numbers>

#include "deft/kernels/runtime/error.h"

#ifdef DEFT_LEAK_SANITIZER
// Fontconfig, through which cairo finds its fonts, never frees part of what it has read of them.
extern "C" const char* __lsan_default_suppressions();
extern "C" const char* __lsan_default_suppressions() { return "leak:libfontconfig"; }
extern "C" const char* __lsan_default_options();
extern "C" const char* __lsan_default_options() { return "print_suppressions=0"; }
#endif

namespace deft::support {
namespace {

void check(cairo_status_t status) {
  if (status != CAIRO_STATUS_SUCCESS) throw Error(fmt::format("cannot draw: {}", cairo_status_to_string(status)));
}

using SurfaceHandle = std::unique_ptr<cairo_surface_t, decltype(&cairo_surface_destroy)>;
using PainterHandle = std::unique_ptr<cairo_t, decltype(&cairo_destroy)>;

SurfaceHandle own(cairo_surface_t* surface) {
  SurfaceHandle handle(surface, cairo_surface_destroy);
  check(cairo_surface_status(surface));
  return handle;
}

PainterHandle painter_of(cairo_surface_t* surface) {
  PainterHandle painter(cairo_create(surface), cairo_destroy);
  check(cairo_status(painter.get()));
  return painter;
}

cairo_status_t append(void* text, const unsigned char* data, unsigned int bytes) {
  static_cast<std::string*>(text)->append(reinterpret_cast<const char*>(data), bytes);
  return CAIRO_STATUS_SUCCESS;
}

// Cairo's RGB24: a 32-bit word per pixel, its highest byte unused.
SurfaceHandle surface_of(const Tensor& pixels) {
  const Shape& shape = pixels.shape();
  if (pixels.dtype() != DType::uint8 || shape.dim() != 3 || (shape[2] != 1 && shape[2] != 3)) {
    throw Error(fmt::format("Canvas::image: pixels are {} {}, expected uint8 [H, W, 1] or [H, W, 3]",
                            to_string(pixels.dtype()), to_string(shape)));
  }
  const std::int64_t height = shape[0], width = shape[1], channels = shape[2];
  SurfaceHandle surface =
      own(cairo_image_surface_create(CAIRO_FORMAT_RGB24, static_cast<int>(width), static_cast<int>(height)));
  cairo_surface_flush(surface.get());
  unsigned char* const rows = cairo_image_surface_get_data(surface.get());
  const int stride = cairo_image_surface_get_stride(surface.get());
  const std::uint8_t* from = pixels.data<std::uint8_t>();
  for (std::int64_t y = 0; y < height; ++y) {
    auto* const row = reinterpret_cast<std::uint32_t*>(rows + y * stride);
    for (std::int64_t x = 0; x < width; ++x, from += channels) {
      const std::uint32_t red = from[0], green = from[channels / 2], blue = from[channels - 1];
      row[x] = red << 16 | green << 8 | blue;
    }
  }
  cairo_surface_mark_dirty(surface.get());
  return surface;
}

}  // namespace

bool can_draw() { return true; }

// A recording, from which all formats are made.
struct Canvas::Surface {
  Surface(double width, double height)
      : width(width), height(height), recording(record(width, height)), painter(painter_of(recording.get())) {}

  static SurfaceHandle record(double width, double height) {
    const cairo_rectangle_t extents{0, 0, width, height};
    return own(cairo_recording_surface_create(CAIRO_CONTENT_COLOR_ALPHA, &extents));
  }

  void set(const Color& color) const {
    cairo_set_source_rgba(painter.get(), color.red, color.green, color.blue, color.alpha);
  }

  void stroke(const LineStyle& style) const {
    set(style.color);
    cairo_set_line_width(painter.get(), style.width);
    cairo_set_line_join(painter.get(), CAIRO_LINE_JOIN_ROUND);
    const double dashes[] = {3 * style.width, 2 * style.width};
    cairo_set_dash(painter.get(), dashes, style.dashed ? 2 : 0, 0);
    cairo_stroke(painter.get());
    check(cairo_status(painter.get()));
  }

  void use_font(const TextStyle& style) const {
    cairo_select_font_face(painter.get(), "sans-serif", CAIRO_FONT_SLANT_NORMAL,
                           style.bold ? CAIRO_FONT_WEIGHT_BOLD : CAIRO_FONT_WEIGHT_NORMAL);
    cairo_set_font_size(painter.get(), style.size);
  }

  void replay(cairo_surface_t* target, double scale) const {
    const PainterHandle to = painter_of(target);
    cairo_scale(to.get(), scale, scale);
    cairo_set_source_surface(to.get(), recording.get(), 0, 0);
    cairo_paint(to.get());
    check(cairo_status(to.get()));
  }

  SurfaceHandle raster(double scale) const {
    SurfaceHandle image =
        own(cairo_image_surface_create(CAIRO_FORMAT_RGB24, static_cast<int>(std::lround(width * scale)),
                                       static_cast<int>(std::lround(height * scale))));
    // The picture covers only part of the last pixels where its size is no whole number of them.
    const PainterHandle below = painter_of(image.get());
    cairo_set_source_rgb(below.get(), white.red, white.green, white.blue);
    cairo_paint(below.get());
    replay(image.get(), scale);
    cairo_surface_flush(image.get());
    return image;
  }

  double width, height;
  SurfaceHandle recording;
  PainterHandle painter;
};

Color palette(std::size_t n) {
  static constexpr std::array<Color, 8> colors{{{0.00, 0.45, 0.70},
                                                {0.84, 0.37, 0.00},
                                                {0.00, 0.62, 0.45},
                                                {0.80, 0.47, 0.65},
                                                {0.34, 0.71, 0.91},
                                                {0.90, 0.62, 0.00},
                                                {0.94, 0.89, 0.26},
                                                {0.00, 0.00, 0.00}}};
  return colors[n % colors.size()];
}

Canvas::Canvas(double width, double height) : surface_(std::make_unique<Surface>(width, height)) {
  fill({0, 0, width, height}, white);
}
Canvas::~Canvas() = default;
Canvas::Canvas(Canvas&&) noexcept = default;
Canvas& Canvas::operator=(Canvas&&) noexcept = default;

double Canvas::width() const { return surface_->width; }
double Canvas::height() const { return surface_->height; }

void Canvas::fill(const Box& box, const Color& color) {
  cairo_t* const painter = surface_->painter.get();
  surface_->set(color);
  cairo_rectangle(painter, box.x, box.y, box.width, box.height);
  cairo_fill(painter);
}

void Canvas::outline(const Box& box, const LineStyle& style) {
  cairo_rectangle(surface_->painter.get(), box.x, box.y, box.width, box.height);
  surface_->stroke(style);
}

void Canvas::line(const std::vector<Point>& points, const LineStyle& style) {
  bool joined = false;
  for (const Point& point : points) {
    const bool finite = std::isfinite(point.x) && std::isfinite(point.y);
    if (finite && joined) {
      cairo_line_to(surface_->painter.get(), point.x, point.y);
    } else if (finite) {
      cairo_move_to(surface_->painter.get(), point.x, point.y);
    }
    joined = finite;
  }
  surface_->stroke(style);
}

void Canvas::disc(const Point& center, double radius, const Color& color) {
  surface_->set(color);
  cairo_arc(surface_->painter.get(), center.x, center.y, radius, 0, 2 * std::numbers::pi);
  cairo_fill(surface_->painter.get());
}

void Canvas::ring(const Point& center, double radius, const LineStyle& style) {
  cairo_new_sub_path(surface_->painter.get());
  cairo_arc(surface_->painter.get(), center.x, center.y, radius, 0, 2 * std::numbers::pi);
  surface_->stroke(style);
}

void Canvas::text(const Point& at, const std::string& text, const TextStyle& style) {
  cairo_t* const painter = surface_->painter.get();
  const double width = text_width(text, style);
  const double begin = style.align == Align::left ? 0 : style.align == Align::center ? -width / 2 : -width;
  cairo_font_extents_t font;
  cairo_font_extents(painter, &font);
  cairo_save(painter);
  cairo_translate(painter, at.x, at.y);
  if (style.upwards) cairo_rotate(painter, -std::numbers::pi / 2);
  cairo_move_to(painter, begin, (font.ascent - font.descent) / 2);
  surface_->set(style.color);
  cairo_show_text(painter, text.c_str());
  cairo_restore(painter);
  check(cairo_status(painter));
}

double Canvas::text_width(const std::string& text, const TextStyle& style) const {
  surface_->use_font(style);
  cairo_text_extents_t extents;
  cairo_text_extents(surface_->painter.get(), text.c_str(), &extents);
  check(cairo_status(surface_->painter.get()));
  return extents.x_advance;
}

void Canvas::image(const Tensor& pixels, const Box& box) {
  if (pixels.numel() == 0) return;
  const SurfaceHandle source = surface_of(pixels);
  cairo_t* const painter = surface_->painter.get();
  cairo_save(painter);
  cairo_translate(painter, box.x, box.y);
  cairo_scale(painter, box.width / static_cast<double>(pixels.shape()[1]),
              box.height / static_cast<double>(pixels.shape()[0]));
  cairo_set_source_surface(painter, source.get(), 0, 0);
  cairo_pattern_set_filter(cairo_get_source(painter), CAIRO_FILTER_NEAREST);
  cairo_paint(painter);
  cairo_restore(painter);
  check(cairo_status(painter));
}

std::string Canvas::png(double scale) const {
  std::string file;
  const SurfaceHandle image = surface_->raster(scale);
  check(cairo_surface_write_to_png_stream(image.get(), append, &file));
  return file;
}

std::string Canvas::svg() const {
  std::string document;
  const SurfaceHandle surface =
      own(cairo_svg_surface_create_for_stream(append, &document, surface_->width, surface_->height));
  surface_->replay(surface.get(), 1);
  cairo_surface_finish(surface.get());
  check(cairo_surface_status(surface.get()));
  return document;
}

Tensor Canvas::pixels(double scale) const {
  const SurfaceHandle image = surface_->raster(scale);
  const std::int64_t height = cairo_image_surface_get_height(image.get());
  const std::int64_t width = cairo_image_surface_get_width(image.get());
  const unsigned char* const rows = cairo_image_surface_get_data(image.get());
  const int stride = cairo_image_surface_get_stride(image.get());
  Tensor pixels = empty({height, width, 3}, {.dtype = DType::uint8, .device = Device::cpu()});
  std::uint8_t* to = pixels.mutable_data<std::uint8_t>();
  for (std::int64_t y = 0; y < height; ++y) {
    const auto* const row = reinterpret_cast<const std::uint32_t*>(rows + y * stride);
    for (std::int64_t x = 0; x < width; ++x) {
      *to++ = static_cast<std::uint8_t>(row[x] >> 16);
      *to++ = static_cast<std::uint8_t>(row[x] >> 8);
      *to++ = static_cast<std::uint8_t>(row[x]);
    }
  }
  return pixels;
}

}  // namespace deft::support
