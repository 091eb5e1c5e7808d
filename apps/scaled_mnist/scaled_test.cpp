#include "deft/apps/scaled_mnist/scaled_test.h"

#include <fmt/format.h>

#include "deft/apps/nets/five_conv_net.h"
#include "deft/apps/support/evaluate.h"
#include "deft/data/loader.h"

namespace deft::apps {

namespace {

constexpr std::int64_t batch_size = 100;

Transform scaled(double scale) {
  Transform transform = mnist_normalisation();
  transform.steps = {random_affine({.scale = scale})};
  transform.interpolation = Interpolation::nearest;
  transform.fill = 0;
  return transform;
}

}  // namespace

std::vector<double> test_scales() {
  std::vector<double> scales;
  for (int tenths = 5; tenths <= 15; ++tenths) scales.push_back(tenths / 10.0);
  return scales;
}

support::Evaluation evaluate_scales(Module& model, const Dataset& test, Device device,
                                    const support::ProgressOptions& progress_options) {
  const std::vector<double> scales = test_scales();
  const Dataset there = test.to(device);
  const auto count = static_cast<double>(scales.size());
  support::Progress progress("test", test.size() * static_cast<std::int64_t>(scales.size()), progress_options);
  std::int64_t images = 0;
  support::Evaluation mean{.accuracy = 0, .loss = 0};
  for (const double scale : scales) {
    const DataLoader batches(there, {.batch_size = batch_size, .device = device, .transform = scaled(scale)});
    const support::Evaluation one =
        support::evaluate(model, batches, [&](std::int64_t more) { progress.update(images += more); });
    mean.per_scale.emplace_back(fmt::format("{:.1f}", scale), one.accuracy);
    mean.accuracy += one.accuracy / count;
    mean.loss += one.loss / count;
  }
  return mean;
}

}  // namespace deft::apps
