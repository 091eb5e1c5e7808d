#include <fmt/format.h>

#include <cmath>
#include <numbers>

#include "deft/apps/experiments/shipped_nets.h"
#include "deft/apps/experiments/trained_net.h"
#include "deft/apps/pictures/sampling_points.h"
#include "deft/apps/support/gif.h"
#include "deft/apps/support/interrupt.h"
#include "deft/apps/support/picture_file.h"
#include "deft/apps/support/runtime.h"
#include "deft/apps/visualize/commands.h"
#include "deft/apps/visualize/subject.h"
#include "deft/core/file.h"
#include "deft/kernels/runtime/error.h"

namespace deft::apps {

namespace {

struct OffsetsSettings {
  std::string weights = default_net, layer, view = "all", out = "offsets.png";
  std::vector<std::int64_t> cell;
  double threshold = 0, seconds = 0.15;
  std::int64_t size = 420, frames = 32;
  SubjectSettings subject;
  support::RuntimeSettings runtime;
};

SamplingView view_of(const std::string& name) {
  return name == "traced" ? SamplingView::traced : name == "layers" ? SamplingView::layers : SamplingView::all;
}

SamplingPicture picture_of(const OffsetsSettings& settings, const TrainedNet& net, const Subject& subject) {
  SamplingPicture picture{.subject = subject.name(),
                          .label = subject.label(),
                          .class_names = subject.class_names(),
                          .net = description(net),
                          .layer = settings.layer,
                          .view = view_of(settings.view),
                          .image_size = static_cast<double>(settings.size)};
  if (settings.threshold > 0) picture.thresholds = {settings.threshold};
  if (settings.cell.empty()) return picture;
  if (settings.cell.size() != 2) throw Error("--cell expects two numbers, row and column: 3,3");
  picture.cell = FeatureCell{settings.cell[0], settings.cell[1]};
  return picture;
}

// In the first half of the animation the image shrinks, grows and comes back, in the second it turns once.
std::pair<double, double> motion(double share) {
  if (share < 0.5) return {1 - 0.5 * std::sin(4 * std::numbers::pi * share), 0};
  return {1, 720 * (share - 0.5)};
}

std::string animate(const OffsetsSettings& settings, TrainedNet& net, const Subject& subject, Device device) {
  if (!support::can_animate()) throw Error("deft was built without giflib, which writes animations");
  const support::InterruptGuard guard;
  const SamplingPicture still = picture_of(settings, net, subject);
  // The image at rest sets the thresholds for all frames.
  const std::vector<double> thresholds =
      still.thresholds.empty()
          ? longest_tenth(SamplingMap(*net.net, subject.shown(settings.subject.scale, settings.subject.angle, device)))
          : still.thresholds;
  std::vector<Tensor> frames;
  for (std::int64_t i = 0; i < settings.frames; ++i) {
    support::throw_if_interrupted();
    auto [scale, angle] = motion(static_cast<double>(i) / static_cast<double>(settings.frames));
    scale *= settings.subject.scale, angle += settings.subject.angle;
    SamplingPicture picture = still;
    picture.thresholds = thresholds;
    picture.net += "; " + description(scale, angle);
    frames.push_back(
        draw_sampling_points(*net.net, subject.shown(scale, angle, device), subject.pixels(), picture).pixels());
  }
  return support::gif(frames, settings.seconds);
}

int offsets(const OffsetsSettings& settings) {
  support::require_ending("--out", settings.out, {".png", ".svg", ".gif"});
  require_at_most("--size", settings.size, 4096);
  require_at_most("--frames", settings.frames, 1000);
  require_at_most("--seconds", settings.seconds, 60.0);
  const Device device = settings.runtime.apply();
  TrainedNet net = load_net(settings.weights, device);
  const Subject subject(settings.subject, net);
  if (settings.out.ends_with(".gif")) {
    write_file(settings.out, animate(settings, net, subject, device));
  } else {
    SamplingPicture picture = picture_of(settings, net, subject);
    const auto& [scale, angle] = std::pair(settings.subject.scale, settings.subject.angle);
    if (scale != 1 || angle != 0) picture.net += "; " + description(scale, angle);
    support::write_picture(
        settings.out, draw_sampling_points(*net.net, subject.shown(scale, angle, device), subject.pixels(), picture));
  }
  fmt::print("{}\n", settings.out);
  return 0;
}

}  // namespace

support::Command offsets_command() {
  const auto settings = std::make_shared<OffsetsSettings>();
  support::Command command{.name = "offsets", .summary = "Draw where a net's deformable convolutions sample an image"};
  command.settings.add("weights", settings->weights, weights_help);
  settings->subject.add_to(command.settings);
  command.settings.add("layer", settings->layer, "deformable layer whose cell is traced; default: the last");
  command.settings.add("cell", settings->cell, "row and column of the output cell: 3,3; default: the middle");
  command.settings.add("threshold", settings->threshold,
                       "draw offsets that are longer, in pixels of the image; 0: the longest tenth of each layer");
  command.settings.add("view", settings->view, "what one cell sees, the offsets of all cells of each layer, or both",
                       {"all", "traced", "layers"});
  command.settings.add("out", settings->out, "file to write: .png, .svg, or .gif for an animation");
  command.settings.add("size", settings->size, "side of an enlarged image", 28);
  command.settings.add("frames", settings->frames, "of an animation", 1);
  command.settings.add("seconds", settings->seconds, "that a frame is shown", 0.01);
  settings->runtime.add_to(command.settings);
  command.run = [settings] { return offsets(*settings); };
  return command;
}

}  // namespace deft::apps
