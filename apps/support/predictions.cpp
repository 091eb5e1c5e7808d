#include "deft/apps/support/predictions.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "deft/kernels/runtime/error.h"

namespace deft::support {

namespace {

// A loss that is not a number is worse than any.
float badness(float loss) { return std::isnan(loss) ? std::numeric_limits<float>::infinity() : loss; }

std::size_t checked_class(std::int64_t value, std::int64_t classes) {
  if (value >= 0 && value < classes) return static_cast<std::size_t>(value);
  throw Error(fmt::format("predictions: class is {}, expected 0 to {}", value, classes - 1));
}

}  // namespace

double Predictions::accuracy() const {
  std::int64_t hits = 0;
  for (std::size_t i = 0; i < labels.size(); ++i) hits += found[i] == labels[i];
  return static_cast<double>(hits) / static_cast<double>(size());
}

double Predictions::loss() const {
  return std::accumulate(losses.begin(), losses.end(), 0.0) / static_cast<double>(size());
}

std::vector<std::vector<std::int64_t>> confusion_counts(const std::vector<Predictions>& parts, std::int64_t classes) {
  const auto n = static_cast<std::size_t>(classes);
  std::vector<std::vector<std::int64_t>> counts(n, std::vector<std::int64_t>(n));
  for (const Predictions& part : parts) {
    for (std::size_t i = 0; i < part.labels.size(); ++i) {
      ++counts[checked_class(part.labels[i], classes)][checked_class(part.found[i], classes)];
    }
  }
  return counts;
}

std::vector<TestedImage> worst_images(const std::vector<Predictions>& forms, std::int64_t count) {
  const std::int64_t images = forms.empty() ? 0 : forms[0].size();
  const auto loss = [&](const TestedImage& at) {
    return badness(forms[at.form].losses[static_cast<std::size_t>(at.image)]);
  };
  std::vector<TestedImage> worst;
  for (std::int64_t image = 0; image < images; ++image) {
    TestedImage most{0, image};
    for (std::size_t form = 1; form < forms.size(); ++form) {
      if (forms[form].size() != images) {
        throw Error(fmt::format("worst_images: form {} has {} images, expected {}", form, forms[form].size(), images));
      }
      if (loss({form, image}) > loss(most)) most.form = form;
    }
    worst.push_back(most);
  }
  std::stable_sort(worst.begin(), worst.end(), [&](const auto& a, const auto& b) { return loss(a) > loss(b); });
  worst.resize(static_cast<std::size_t>(std::min(count, images)));
  return worst;
}

}  // namespace deft::support
