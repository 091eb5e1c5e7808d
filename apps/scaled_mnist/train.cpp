#include <fmt/format.h>

#include "deft/apps/experiments/tests.h"
#include "deft/apps/experiments/trained_net.h"
#include "deft/apps/scaled_mnist/commands.h"
#include "deft/apps/scaled_mnist/report.h"
#include "deft/apps/support/interrupt.h"
#include "deft/apps/support/load_data.h"
#include "deft/apps/support/report_command.h"
#include "deft/apps/support/training_run.h"
#include "deft/core/generator.h"
#include "deft/kernels/runtime/error.h"
#include "deft/optim/adam.h"
#include "deft/optim/lr_scheduler.h"

namespace deft::apps {

namespace {

// The defaults are experiment E0's.
struct TrainSettings {
  std::string experiment = e0().name;
  std::string model = "regular";
  std::int64_t epochs = e0().training.epochs;
  std::int64_t batch_size = e0().training.batch_size;
  double lr = e0().training.lr;
  double gamma = e0().training.gamma;
  std::int64_t seed = 1;
  std::string out;
  std::string init;
  support::RunSettings run;

  void add_to(support::Settings& settings) {
    settings.add("experiment", experiment, "which net, images and test", own_experiments());
    settings.add("model", model, "the net's convolutions: regular, deform-v1 or, in E0, deform-v2");
    settings.add("epochs", epochs, "passes over the training images", 1);
    settings.add("batch_size", batch_size, "images per step", 1);
    settings.add("lr", lr, "learning rate of Adam in the first epoch");
    settings.add("gamma", gamma, "factor of the learning rate after every epoch");
    settings.add("seed", seed, "of initialisation, shuffling and augmentation");
    settings.add("out", out, "folder for the results (default: runs/EXPERIMENT-MODEL-seedSEED)");
    settings.add("init", init, "weights file to start from, or a run's folder; default: random weights");
    run.add_to(settings, data_help);
  }

  // What decides the results; a checkpoint of other values is refused.
  std::map<std::string, std::string> identity(const TrainTest& sets) const {
    return {{"experiment", experiment},
            {"model", model},
            {"batch_size", std::to_string(batch_size)},
            {"lr", fmt::format("{}", lr)},
            {"gamma", fmt::format("{}", gamma)},
            {"seed", std::to_string(seed)},
            {"init", init},
            {"test data", support::fingerprint(sets.test)},
            {"training data", support::fingerprint(sets.train)}};
  }
};

ModuleHolder starting_net(const TrainSettings& settings, Device device) {
  if (settings.init.empty()) {
    ModuleHolder net = experiment(settings.experiment).make_net(settings.model);
    net->to(device);
    return net;
  }
  TrainedNet trained = load_net(settings.init, device, "mnist");
  if (trained.experiment->name != settings.experiment || trained.model != settings.model) {
    throw Error(fmt::format("--init: {} holds {}'s {} net, expected {}'s {} net", trained.path,
                            trained.experiment->name, trained.model, settings.experiment, settings.model));
  }
  return trained.net;
}

void print_result(const Experiment& experiment, const support::History& history, const std::string& folder) {
  const bool is_best = experiment.reports_best_epoch;
  const support::EpochRecord& reported = is_best ? history.best() : history.epochs.back();
  fmt::print("\n{}: epoch {} with {:.2f} %{}\n", is_best ? "best" : "last", reported.epoch,
             100 * reported.test.accuracy, reported.test.per_scale.empty() ? "" : " over all scales");
  for (const auto& [scale, accuracy] : reported.test.per_scale) {
    fmt::print("  scale {}: {:6.2f} %\n", scale, 100 * accuracy);
  }
  fmt::print("the results are in {}\n", folder);
}

int train(TrainSettings& settings, const support::Settings& list) {
  const support::InterruptGuard guard;
  const Device device = settings.run.runtime.apply();
  const auto seed = static_cast<std::uint64_t>(settings.seed);
  manual_seed(seed);
  const ModuleHolder net = starting_net(settings, device);
  const TrainTest data = support::load_ten_classes("mnist", settings.run.data, settings.run.limit, settings.run.quiet);
  if (settings.out.empty()) {
    settings.out = fmt::format("runs/{}-{}-seed{}", settings.experiment, settings.model, settings.seed);
  }

  Adam optimizer(net->parameters(), {.lr = settings.lr});
  StepLR scheduler(optimizer, {.step_size = 1, .gamma = settings.gamma});
  const Training& training = experiment(settings.experiment).training;
  const DataLoader batches =
      support::training_batches(data.train, settings.batch_size, seed, device, training.transform);
  const support::RunDirectory directory(settings.out);
  support::TrainerOptions options;
  options.epochs = settings.epochs;
  options.config = list.to_json();
  options.settings = settings.identity(data);
  const support::History history = support::train(
      settings.run, {*net, optimizer, scheduler}, batches,
      [&](const support::ProgressOptions& progress) {
        return evaluate(*net, data.test, training.tests, device, progress);
      },
      {.experiment = settings.experiment,
       .model = settings.model,
       .seed = settings.seed,
       .data = support::description(data)},
      directory, std::move(options));
  support::report_after_training(directory, [&] {
    write_report(directory, data.test, device, history.best().test.predictions,
                 support::progress_options(settings.run.no_progress || settings.run.quiet));
  });
  if (!settings.run.quiet) print_result(experiment(settings.experiment), history, settings.out);
  return 0;
}

}  // namespace

std::vector<std::string> own_experiments() {
  return experiment_names([](const Experiment& one) { return one.program == "scaled_mnist"; });
}

support::Command train_command() {
  const auto settings = std::make_shared<TrainSettings>();
  support::Command command{
      .name = "train", .summary = "Train a net and test it after every epoch", .config_file = true};
  settings->add_to(command.settings);
  command.run = [settings, list = command.settings] { return train(*settings, list); };
  return command;
}

}  // namespace deft::apps
