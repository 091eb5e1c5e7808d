#include "deft/apps/geometry/training.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "deft/apps/experiments/tests.h"
#include "deft/apps/support/evaluate.h"
#include "deft/core/generator.h"
#include "deft/optim/adam.h"
#include "deft/optim/lr_scheduler.h"

namespace deft::apps::geometry {

namespace {

// A checkpoint of other values is refused.
std::map<std::string, std::string> identity(const Job& job) {
  return {{"images", job.cell.row->name},
          {"model", job.cell.model},
          {"channels", fmt::format("{}", fmt::join(job.recipe.channels, ","))},
          {"batch_size", std::to_string(job.recipe.batch_size)},
          {"lr", fmt::format("{}", job.recipe.lr)},
          {"gamma", fmt::format("{}", job.recipe.gamma)},
          {"seed", std::to_string(job.recipe.seed)},
          {job.evaluation + " data", support::fingerprint(job.test)},
          {"training data", support::fingerprint(job.train)}};
}

}  // namespace

void Recipe::add_common_to(support::Settings& settings, const char* epochs_help) {
  settings.add("epochs", epochs, epochs_help, 1);
  settings.add("batch_size", batch_size, "images per step", 1);
  settings.add("gamma", gamma, "factor of the learning rate after every epoch");
  settings.add("seed", seed, "of initialisation, shuffling and the training images' rotation and translation");
}

support::History train(const Job& job, const support::RunSettings& settings, Device device) {
  const Recipe& recipe = job.recipe;
  const Row& row = *job.cell.row;
  const auto seed = static_cast<std::uint64_t>(recipe.seed);
  manual_seed(seed);
  GeometryNet net(job.cell.model, job.train.channels(), recipe.channels);
  net.to(device);
  Adam optimizer(net.parameters(), {.lr = recipe.lr});
  StepLR scheduler(optimizer, {.step_size = 1, .gamma = recipe.gamma});
  support::TrainerOptions options;
  options.epochs = recipe.epochs;
  options.config = job.config;
  options.settings = identity(job);
  const Dataset test = job.test.to(device);
  return support::train(
      settings, {net, optimizer, scheduler},
      support::training_batches(job.train, recipe.batch_size, seed, device, row.transform),
      [&](const support::ProgressOptions& progress) {
        return support::evaluate(net, test_batches(test, row.transform, device), job.evaluation, progress);
      },
      {.experiment = e3().name,
       .model = job.cell.model,
       .seed = recipe.seed,
       .data = fmt::format("{}, {}: {} training and {} {} images", row.title, job.train.source, job.train.size(),
                           job.test.size(), job.evaluation),
       .evaluation = job.evaluation},
      support::RunDirectory(job.folder), std::move(options));
}

}  // namespace deft::apps::geometry
