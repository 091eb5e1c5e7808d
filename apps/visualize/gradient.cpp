#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <tuple>

#include "deft/apps/nets/shipped_nets.h"
#include "deft/apps/nets/trained_net.h"
#include "deft/apps/support/picture_file.h"
#include "deft/apps/support/runtime.h"
#include "deft/apps/visualize/commands.h"
#include "deft/apps/visualize/panel.h"
#include "deft/apps/visualize/receptive_field.h"
#include "deft/apps/visualize/subject.h"
#include "deft/kernels/error.h"

namespace deft::apps {

namespace {

using support::Canvas;
using support::Point;

constexpr double gap = 28, header_height = 54;
const std::vector<LegendEntry> legend = {
    {LegendEntry::Sign::disc, mark_color, "the gradient of the middle cell is above 1/255 of its largest value here;"},
    {LegendEntry::Sign::none, mark_color, "larger dots: larger gradients"}};

struct GradientSettings {
  std::string regular, deformable, out = "gradient.png";
  std::int64_t size = 420;
  SubjectSettings subject;
  support::RuntimeSettings runtime;
};

// One net's field and how its picture is called.
struct Field {
  std::string net;
  ReceptiveField field;
};

void draw_field(Canvas& canvas, const Point& corner, const Tensor& bytes, double image_size, const Field& of) {
  const ReceptiveField& field = of.field;
  Panel panel(canvas, corner, bytes, image_size, 0);
  panel.caption(of.net, fmt::format("{} of {} pixels reach cell {},{} of {}×{}", field.count(), field.marked.size(),
                                    field.cell_y, field.cell_x, field.height, field.width));
  const std::int64_t width = bytes.size(1);
  const double largest = *std::max_element(field.gradient.begin(), field.gradient.end());
  for (std::size_t i = 0; i < field.marked.size(); ++i) {
    if (!field.marked[i]) continue;
    const auto pixel = static_cast<std::int64_t>(i);
    const auto middle = panel.at({static_cast<double>(pixel / width), static_cast<double>(pixel % width)}).value();
    canvas.disc(middle, (0.12 + 0.33 * std::sqrt(field.gradient[i] / largest)) * panel.scale(), mark_color);
  }
}

Canvas draw(const std::string& title, const Tensor& bytes, const std::vector<Field>& fields, double image_size) {
  const Point size = Panel::size(bytes, image_size, 0);
  const auto count = static_cast<double>(fields.size());
  Canvas canvas(gap + count * (size.x + gap), header_height + size.y + 2 * legend_line + 1.5 * gap);
  canvas.text({gap, 30}, title, {.size = 20, .bold = true});
  double x = gap;
  for (const Field& field : fields) {
    draw_field(canvas, {x, header_height}, bytes, image_size, field);
    x += size.x + gap;
  }
  draw_legend(canvas, {gap, header_height + size.y + gap / 2}, legend);
  return canvas;
}

// E0's two that come with deft, if none is named.
std::vector<std::string> wanted_nets(const GradientSettings& settings) {
  if (settings.regular.empty() && settings.deformable.empty()) return {"e0_regular", default_net};
  std::vector<std::string> paths;
  for (const std::string& path : {settings.regular, settings.deformable}) {
    if (!path.empty()) paths.push_back(path);
  }
  return paths;
}

int gradient(const GradientSettings& settings) {
  support::require_ending("--out", settings.out, support::picture_endings());
  require_at_most("--size", settings.size, 4096);
  const Device device = settings.runtime.apply();
  std::vector<TrainedNet> nets;
  for (const std::string& path : wanted_nets(settings)) nets.push_back(load_net(path, device));
  if (nets.back().experiment != nets.front().experiment) {
    throw Error(fmt::format("{} is a net of {} and {} of {}, expected one experiment", nets[0].path, nets[0].experiment,
                            nets[1].path, nets[1].experiment));
  }
  if (nets.back().data != nets.front().data) {
    throw Error(fmt::format("{} is for images of {} and {} for those of {}, expected one data set", nets[0].path,
                            nets[0].data, nets[1].path, nets[1].data));
  }
  const Subject subject(settings.subject, nets[0]);
  const Tensor image = subject.shown(settings.subject.scale, settings.subject.angle, device);
  std::vector<Field> fields;
  for (TrainedNet& net : nets) fields.push_back({description(net), receptive_field(*net.net, image)});
  std::string title = subject.name();
  if (subject.label()) title += ": " + subject.class_names().at(static_cast<std::size_t>(*subject.label()));
  const auto& [scale, angle] = std::tie(settings.subject.scale, settings.subject.angle);
  if (scale != 1 || angle != 0) title += ", " + description(scale, angle);
  support::write_picture(settings.out,
                         draw(title, image_bytes(image, subject.pixels()), fields, static_cast<double>(settings.size)));
  fmt::print("{}\n", settings.out);
  return 0;
}

}  // namespace

support::Command gradient_command() {
  const auto settings = std::make_shared<GradientSettings>();
  support::Command command{.name = "gradient",
                           .summary = "Draw which pixels the middle of the last feature map depends on"};
  command.settings.add("regular", settings->regular, std::string(weights_help) + ", of a regular net");
  command.settings.add("deformable", settings->deformable,
                       "the same, of a deformable one, drawn beside it; without both: E0's nets that come with deft");
  settings->subject.add_to(command.settings);
  command.settings.add("out", settings->out, "file to write: .png or .svg");
  command.settings.add("size", settings->size, "side of an enlarged image", 28);
  settings->runtime.add_to(command.settings);
  command.run = [settings] { return gradient(*settings); };
  return command;
}

}  // namespace deft::apps
