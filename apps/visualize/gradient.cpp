#include <fmt/format.h>

#include <tuple>

#include "deft/apps/experiments/shipped_nets.h"
#include "deft/apps/experiments/trained_net.h"
#include "deft/apps/pictures/receptive_field_picture.h"
#include "deft/apps/support/picture_file.h"
#include "deft/apps/support/runtime.h"
#include "deft/apps/visualize/commands.h"
#include "deft/apps/visualize/subject.h"
#include "deft/kernels/runtime/error.h"

namespace deft::apps {

namespace {

struct GradientSettings {
  std::string regular, deformable, out = "gradient.png";
  std::int64_t size = 420;
  SubjectSettings subject;
  support::RuntimeSettings runtime;
};

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
    throw Error(fmt::format("{} is a net of {} and {} of {}, expected one experiment", nets[0].path,
                            nets[0].experiment->name, nets[1].path, nets[1].experiment->name));
  }
  if (nets.back().data != nets.front().data) {
    throw Error(fmt::format("{} is for images of {} and {} for those of {}, expected one data set", nets[0].path,
                            nets[0].data, nets[1].path, nets[1].data));
  }
  const Subject subject(settings.subject, nets[0]);
  const Tensor image = subject.shown(settings.subject.scale, settings.subject.angle, device);
  FieldPicture picture{.title = subject.name(), .image_size = static_cast<double>(settings.size)};
  if (subject.label()) picture.title += ": " + subject.class_names().at(static_cast<std::size_t>(*subject.label()));
  const auto& [scale, angle] = std::tie(settings.subject.scale, settings.subject.angle);
  if (scale != 1 || angle != 0) picture.title += ", " + description(scale, angle);
  for (TrainedNet& net : nets) picture.fields.push_back({description(net), receptive_field(*net.net, image)});
  support::write_picture(settings.out, draw_receptive_fields(image_bytes(image, subject.pixels()), picture));
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
