#include <fmt/format.h>
#include <fmt/ranges.h>

#include "deft/apps/cifar10/commands.h"
#include "deft/apps/cifar10/model.h"
#include "deft/apps/cifar10/report.h"
#include "deft/apps/support/evaluate.h"
#include "deft/apps/support/interrupt.h"
#include "deft/apps/support/load_data.h"
#include "deft/apps/support/report_command.h"
#include "deft/apps/support/training_run.h"
#include "deft/core/generator.h"
#include "deft/kernels/runtime/error.h"
#include "deft/optim/adamw.h"
#include "deft/optim/lr_scheduler.h"

namespace deft::apps::cifar10 {

namespace {

// The defaults are experiment E2's.
struct TrainSettings {
  ModelSettings model;
  double test_size = 0.1;
  std::int64_t random_seed = 1;
  double learning_rate = e2().training.lr;
  double weight_decay = e2().training.weight_decay;
  std::int64_t num_epoch = e2().training.epochs;
  support::RunSettings run;

  void add_to(support::Settings& settings) {
    model.add_to(settings, "folder for the results, in train/ below it (default: runs/E2-MODEL-seedSEED)");
    settings.add("test_size", test_size, "share of the training images that is held out to evaluate each epoch");
    settings.add("random_seed", random_seed, "of initialisation, shuffling and what is held out");
    settings.add("learning_rate", learning_rate, "of AdamW");
    settings.add("weight_decay", weight_decay, "of AdamW");
    settings.add("num_epoch", num_epoch, "passes over the training images", 1);
    run.add_to(settings, data_help);
  }

  // E2's authors never leave training mode: evaluating the held-out images moves the running statistics, and the
  // weights are saved after it. It would undo update_bn.
  support::TestMode test_mode() const {
    return run.update_bn ? support::TestMode::evaluation : support::TestMode::unchanged;
  }

  // What decides the results; a checkpoint of other values is refused.
  std::map<std::string, std::string> identity(const Dataset& data) const {
    return {{"model_type", std::to_string(model.model_type)},
            {"conv_ch", fmt::format("{}", fmt::join(model.conv_ch, ","))},
            {"batch_size", std::to_string(model.batch_size)},
            {"test_size", fmt::format("{}", test_size)},
            {"random_seed", std::to_string(random_seed)},
            {"held_out_mode", test_mode() == support::TestMode::evaluation ? "evaluation" : "training"},
            {"learning_rate", fmt::format("{}", learning_rate)},
            {"weight_decay", fmt::format("{}", weight_decay)},
            {"training data", support::fingerprint(data)}};
  }
};

// Neither part may be empty.
TrainValidation split(const Dataset& data, double test_size, std::uint64_t seed) {
  TrainValidation parts = split_validation(data, test_size, seed);
  if (parts.train.size() > 0 && parts.validation.size() > 0) return parts;
  throw Error(fmt::format("test_size is {}, which makes {} training and {} held-out images of {}", test_size,
                          parts.train.size(), parts.validation.size(), data.size()));
}

int train(TrainSettings& settings, const support::Settings& list) {
  const support::InterruptGuard guard;
  const Device device = settings.run.runtime.apply();
  const auto seed = static_cast<std::uint64_t>(settings.random_seed);
  const std::string& model = settings.model.model();
  if (settings.model.outdir.empty()) {
    settings.model.outdir = fmt::format("runs/E2-{}-seed{}", model, settings.random_seed);
  }
  manual_seed(seed);
  CifarNet net = settings.model.make_net();
  net.to(device);
  const Dataset data =
      support::load_ten_classes("cifar10", Part::train, settings.run.data, settings.run.limit, settings.run.quiet);
  const TrainValidation parts = split(data, settings.test_size, seed);

  AdamW optimizer(net.parameters(), {.lr = settings.learning_rate, .weight_decay = settings.weight_decay});
  StepLR constant(optimizer, {.gamma = 1});
  const std::int64_t batch_size = settings.model.batch_size;
  const DataLoader batches = support::training_batches(parts.train, batch_size, seed, device);
  const DataLoader held_out(parts.validation.to(device), {.batch_size = batch_size, .device = device});
  support::TrainerOptions options;
  options.epochs = settings.num_epoch;
  options.config = list.to_json();
  options.settings = settings.identity(data);
  const support::RunDirectory directory(settings.model.outdir + "/train");
  support::train(
      settings.run, {net, optimizer, constant}, batches,
      [&](const support::ProgressOptions& progress) {
        return support::evaluate(net, held_out, "evaluation", progress, settings.test_mode());
      },
      {.experiment = e2().name,
       .model = model,
       .seed = settings.random_seed,
       .data = fmt::format("{}, {}: {} training and {} held-out images", data.name, data.source, parts.train.size(),
                           parts.validation.size()),
       .evaluation = "validation"},
      directory, std::move(options));
  support::report_after_training(directory, [&] {
    const Dataset test =
        support::load_ten_classes("cifar10", Part::test, settings.run.data, settings.run.limit, settings.run.quiet);
    write_report(directory, settings.model, test, device,
                 support::progress_options(settings.run.no_progress || settings.run.quiet));
  });
  if (!settings.run.quiet) fmt::print("\nthe results are in {}\n", directory.path());
  return 0;
}

}  // namespace

support::Command train_command() {
  const auto settings = std::make_shared<TrainSettings>();
  support::Command command{
      .name = "train", .summary = "Train a net and evaluate it after every epoch", .config_file = true};
  settings->add_to(command.settings);
  command.run = [settings, list = command.settings] { return train(*settings, list); };
  return command;
}

}  // namespace deft::apps::cifar10
