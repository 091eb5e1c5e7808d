#include "deft/apps/scaled_mnist/protocol.h"

#include <fmt/format.h>

#include "deft/apps/geometry/cells.h"
#include "deft/apps/nets/nets.h"
#include "deft/apps/support/evaluate.h"

namespace deft::apps {

namespace {

constexpr std::int64_t batch_size = 100;
constexpr std::uint64_t test_seed = 0;

// E0's test.
std::vector<TestSet> eleven_scales() {
  std::vector<TestSet> sets;
  for (int tenths = 5; tenths <= 15; ++tenths) {
    Transform transform = net_pixels("E0");
    transform.steps = {random_affine({.scale = tenths / 10.0})};
    transform.interpolation = Interpolation::nearest;
    transform.fill = 0;
    sets.push_back({fmt::format("{:.1f}", tenths / 10.0), transform});
  }
  return sets;
}

// E4's scaled MNIST. The shift counts in pixels of the image before it shrinks.
Transform zoomed_out() {
  Transform transform = net_pixels("E4");
  transform.steps = {random_affine({.shift_y = {-1, 1}, .shift_x = {-1, 1}}),
                     random_affine({.zoom_out_y = {1, 2.5}, .zoom_out_x = {1, 2.5}})};
  transform.border = Border::replicate;
  return transform;
}

// E3's images of MNIST.
std::vector<TestSet> moved() {
  std::vector<TestSet> sets;
  for (const geometry::Row& row : geometry::rows()) {
    if (row.data == "mnist") sets.push_back({row.form, row.transform});
  }
  return sets;
}

}  // namespace

const std::vector<std::string>& mnist_experiments() {
  static const std::vector<std::string> names = {"E0", "E1", "E4"};
  return names;
}

Protocol protocol(const std::string& experiment, bool tuning) {
  Transform plain = net_pixels(experiment);
  if (experiment == "E0") return {plain, eleven_scales()};
  if (experiment == "E3") return {geometry::selection_row().transform, moved()};
  if (experiment == "E4")
    return tuning ? Protocol{zoomed_out(), {{"scaled", zoomed_out()}}} : Protocol{plain, {{"plain", plain}}};
  plain.steps = {random_expand({1, 3})};
  return {plain, {{"expanded", plain}}};
}

std::vector<TestSet> final_tests(const std::string& experiment) {
  std::vector<TestSet> sets = protocol(experiment).tests;
  if (experiment == "E4") sets.push_back(protocol(experiment, true).tests[0]);
  return sets;
}

DataLoader test_batches(const Dataset& test, const TestSet& set, Device device) {
  return DataLoader(test, {.batch_size = batch_size, .seed = test_seed, .device = device, .transform = set.transform});
}

support::Evaluation evaluate(Module& model, const Dataset& test, const std::vector<TestSet>& sets, Device device,
                             const support::ProgressOptions& progress_options) {
  const Dataset there = test.to(device);
  const auto count = static_cast<double>(sets.size());
  support::Progress progress("test", test.size() * static_cast<std::int64_t>(sets.size()), progress_options);
  std::int64_t images = 0;
  support::Evaluation mean{.accuracy = 0, .loss = 0};
  for (const TestSet& set : sets) {
    support::Evaluation one = support::evaluate(model, test_batches(there, set, device),
                                                [&](std::int64_t more) { progress.update(images += more); });
    if (sets.size() > 1) mean.per_scale.emplace_back(set.name, one.accuracy);
    mean.accuracy += one.accuracy / count;
    mean.loss += one.loss / count;
    mean.predictions.push_back(std::move(one.predictions[0]));
  }
  return mean;
}

}  // namespace deft::apps
