// What a classifier says of test images, one by one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace deft::support {

/// An element per image, in the images' order.
struct Predictions {
  std::vector<std::int64_t> labels = {};  ///< true classes
  std::vector<std::int64_t> found = {};   ///< classes of the largest logits, the first of several
  std::vector<float> probabilities = {};  ///< of the classes found
  std::vector<float> losses = {};         ///< cross entropies, in nats

  std::int64_t size() const { return static_cast<std::int64_t>(labels.size()); }
  /// Share of the images whose class was found.
  double accuracy() const;
  /// Mean of the losses.
  double loss() const;
};

/// How many images of each true class (rows) were taken for each class, over all `parts`. Throws Error for labels and
/// findings outside [0, classes).
std::vector<std::vector<std::int64_t>> confusion_counts(const std::vector<Predictions>& parts, std::int64_t classes);

/// An image in one of several forms that it was tested in.
struct TestedImage {
  std::size_t form = 0;
  std::int64_t image = 0;
};

/// The `count` images with the largest losses, worst first; each once, in the form with the largest loss. All `forms`
/// are of the same images; throws Error when their sizes differ.
std::vector<TestedImage> worst_images(const std::vector<Predictions>& forms, std::int64_t count);

}  // namespace deft::support
