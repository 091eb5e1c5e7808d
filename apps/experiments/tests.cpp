#include "deft/apps/experiments/tests.h"

#include "deft/apps/support/evaluate.h"

namespace deft::apps {

namespace {

constexpr std::int64_t batch_size = 100;
constexpr std::uint64_t test_seed = 0;

}  // namespace

DataLoader test_batches(const Dataset& test, const Transform& form, Device device) {
  return DataLoader(test.to(device),
                    {.batch_size = batch_size, .seed = test_seed, .device = device, .transform = form});
}

support::Evaluation evaluate(Module& model, const Dataset& test, const std::vector<TestSet>& sets, Device device,
                             const support::ProgressOptions& progress_options) {
  const Dataset there = test.to(device);
  const auto count = static_cast<double>(sets.size());
  support::Progress progress("test", test.size() * static_cast<std::int64_t>(sets.size()), progress_options);
  std::int64_t images = 0;
  support::Evaluation mean{.accuracy = 0, .loss = 0};
  for (const TestSet& set : sets) {
    support::Evaluation one = support::evaluate(model, test_batches(there, set.transform, device),
                                                [&](std::int64_t more) { progress.update(images += more); });
    if (sets.size() > 1) mean.per_scale.emplace_back(set.name, one.accuracy);
    mean.accuracy += one.accuracy / count;
    mean.loss += one.loss / count;
    mean.predictions.push_back(std::move(one.predictions[0]));
  }
  return mean;
}

}  // namespace deft::apps
