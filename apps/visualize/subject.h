// The image that a picture is about, as a net takes it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "deft/apps/experiments/trained_net.h"
#include "deft/apps/support/canvas.h"
#include "deft/apps/support/config.h"
#include "deft/data/transform.h"

namespace deft::apps {

/// The settings that choose an image: --image, or --part and --index of the experiment's data set; and how it is shown:
/// --scale and --angle.
struct SubjectSettings {
  std::string image, part = "test", data;
  std::int64_t index = 0;
  double scale = 1, angle = 0;
  bool invert = false;

  void add_to(support::Settings& settings);
};

/// One image of an experiment.
class Subject {
 public:
  /// Reads the image file, made like those of the net's data set, or the data set. Throws Error for an index
  /// outside it.
  Subject(const SubjectSettings& settings, const TrainedNet& net);

  const std::string& name() const { return name_; }  ///< "test image 18 of MNIST"
  std::optional<std::int64_t> label() const { return label_; }
  const std::vector<std::string>& class_names() const { return class_names_; }
  /// How bytes become what the net takes.
  const Transform& pixels() const { return transform_; }

  /// float32 [1, H, W, C], scaled and turned (in degrees, clockwise) about its middle as the experiment's test does.
  Tensor shown(double scale, double angle, Device device) const;

 private:
  std::string name_;
  std::optional<std::int64_t> label_;
  std::vector<std::string> class_names_;
  Tensor bytes_;  // [1, H, W, C]
  Transform transform_;
};

/// "E0, deform-v2, seed 1, epoch 10", as far as the weights file says so.
std::string description(const TrainedNet& net);

/// "scale 0.50, turned by 90°"
std::string description(double scale, double angle);

constexpr std::int64_t most_images = 1'000'000'000;  ///< more than any data set has

/// Throws Error for a number above `most`, which no picture holds.
void require_at_most(const std::string& flag, std::int64_t value, std::int64_t most);
void require_at_most(const std::string& flag, double value, double most);

}  // namespace deft::apps
