// What stands in for canvas.cpp in a build without cairo: no Canvas can be made.
#include "deft/apps/support/canvas.h"
#include "deft/kernels/runtime/error.h"

namespace deft::support {

struct Canvas::Surface {};

namespace {
[[noreturn]] void refuse() { throw Error("deft was built without cairo, which draws charts and pictures"); }
}  // namespace

bool can_draw() { return false; }
Color palette(std::size_t) { return black; }

Canvas::Canvas(double, double) { refuse(); }
Canvas::~Canvas() = default;
Canvas::Canvas(Canvas&&) noexcept = default;
Canvas& Canvas::operator=(Canvas&&) noexcept = default;
double Canvas::width() const { refuse(); }
double Canvas::height() const { refuse(); }
void Canvas::fill(const Box&, const Color&) { refuse(); }
void Canvas::outline(const Box&, const LineStyle&) { refuse(); }
void Canvas::line(const std::vector<Point>&, const LineStyle&) { refuse(); }
void Canvas::disc(const Point&, double, const Color&) { refuse(); }
void Canvas::ring(const Point&, double, const LineStyle&) { refuse(); }
void Canvas::text(const Point&, const std::string&, const TextStyle&) { refuse(); }
double Canvas::text_width(const std::string&, const TextStyle&) const { refuse(); }
void Canvas::image(const Tensor&, const Box&) { refuse(); }
std::string Canvas::png(double) const { refuse(); }
std::string Canvas::svg() const { refuse(); }
Tensor Canvas::pixels(double) const { refuse(); }

}  // namespace deft::support
