#include "deft/apps/visualize/subject.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "deft/apps/experiments/digit_image.h"
#include "deft/apps/support/load_data.h"
#include "deft/core/file.h"
#include "deft/core/shape_ops.h"
#include "deft/data/cifar10.h"
#include "deft/data/image.h"
#include "deft/kernels/runtime/error.h"

namespace deft::apps {

namespace {

// The warp of the experiment's test; what moves images there is left out.
Transform test_transform(const TrainedNet& net) {
  if (net.data != "mnist") return net.experiment->pixels;
  Transform transform = net.experiment->final_tests().back().transform;
  transform.steps.clear();
  return transform;
}

template <class Number>
void refuse_above(const std::string& flag, Number value, Number most) {
  if (value > most) throw Error(fmt::format("{} is {}, expected at most {}", flag, value, most));
}

}  // namespace

void SubjectSettings::add_to(support::Settings& settings) {
  settings.add("image", image, "image file (PNG, JPEG, BMP or PNM) in place of one of the data set");
  settings.add("invert", invert, "the digit in the file is dark on light (else the border decides)");
  settings.add("part", part, "which half of the data set", {"test", "train"});
  settings.add("index", index, "which image of it, from 0");
  settings.add("data", data, "folder with the data set, or synthetic digits; default: $DEFT_DATA, else the cache");
  settings.add("scale", scale, "the image's size, 1: as it is", 0.01);
  settings.add("angle", angle, "degrees by which the image is turned clockwise", -360);
}

Subject::Subject(const SubjectSettings& settings, const TrainedNet& net) : transform_(test_transform(net)) {
  const bool digits = net.data == "mnist";
  if (!settings.image.empty()) {
    const Tensor image = digits ? load_digit(settings.image, settings.invert ? Ink::dark : Ink::automatic)
                                : load_image(settings.image, {.height = 32, .width = 32});
    name_ = settings.image.substr(settings.image.find_last_of('/') + 1);
    if (!digits) class_names_ = cifar10_classes();
    bytes_ = unsqueeze(image, 0);
    return;
  }
  require_at_most("--index", settings.index, most_images);
  const Dataset set = support::load_ten_classes(net.data, settings.part == "test" ? Part::test : Part::train,
                                                settings.data, settings.index + 1);
  if (settings.index >= set.size()) {
    throw Error(fmt::format("--index is {}, expected 0 to {}: {} has {} {} images", settings.index, set.size() - 1,
                            set.name, set.size(), settings.part));
  }
  const Dataset one = subset(set, {settings.index});
  name_ = fmt::format("{} image {} of {}", settings.part == "test" ? "test" : "training", settings.index, set.name);
  label_ = one.labels.to_vector<std::int64_t>()[0];
  class_names_ = set.class_names;
  bytes_ = one.images;
}

Tensor Subject::shown(double scale, double angle, Device device) const {
  Transform transform = transform_;
  if (scale != 1 || angle != 0) transform.steps = {random_affine({.angle = angle, .scale = scale})};
  return transform_images(bytes_, transform).to(device);
}

std::string description(const TrainedNet& net) {
  std::string text = net.experiment->name + ", " + net.model;
  for (const char* key : {"seed", "epoch"}) {
    if (const auto found = net.about.find(key); found != net.about.end()) {
      text += fmt::format(", {} {}", key, found->second);
    }
  }
  return text;
}

std::string description(double scale, double angle) {
  return fmt::format("scale {:.2f}, turned by {:.0f}°", scale, angle);
}

void require_at_most(const std::string& flag, std::int64_t value, std::int64_t most) {
  refuse_above(flag, value, most);
}
void require_at_most(const std::string& flag, double value, double most) { refuse_above(flag, value, most); }

}  // namespace deft::apps
