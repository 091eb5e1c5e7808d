#include <fmt/format.h>

#include <map>

#include "deft/apps/scaled_mnist/commands.h"
#include "deft/apps/scaled_mnist/scaled_test.h"
#include "deft/apps/support/runtime.h"
#include "deft/apps/support/trainer.h"
#include "deft/core/generator.h"
#include "deft/data/locate.h"
#include "deft/kernels/error.h"
#include "deft/kernels/parallel_for.h"
#include "deft/optim/adam.h"
#include "deft/optim/lr_scheduler.h"

namespace deft::apps {

namespace {

// The defaults are experiment E0.
struct TrainSettings {
  std::string experiment = "E0";
  std::string model = "regular";
  std::int64_t epochs = 14;
  std::int64_t batch_size = 64;
  double lr = 1e-3;
  double gamma = 0.7;
  std::int64_t seed = 1;
  std::string data;
  std::string out;
  std::string init;
  std::int64_t limit = 0;
  std::int64_t max_steps = 0;
  support::RuntimeSettings runtime;
  bool resume = false, no_progress = false, quiet = false;

  void add_to(support::Settings& settings) {
    settings.add("experiment", experiment, "name of the experiment, for the records");
    settings.add("model", model, "net to train", FiveConvNet::models());
    settings.add("epochs", epochs, "passes over the training images", 1);
    settings.add("batch_size", batch_size, "images per step", 1);
    settings.add("lr", lr, "learning rate of Adam in the first epoch");
    settings.add("gamma", gamma, "factor of the learning rate after every epoch");
    settings.add("seed", seed, "of initialisation and shuffling");
    settings.add("data", data, data_help);
    settings.add("out", out, "folder for the results (default: runs/EXPERIMENT-MODEL-seedSEED)");
    settings.add("init", init, "weights file to start from, or a run's folder; default: random weights");
    settings.add("limit", limit, "use so many training and so many test images, 0: all");
    settings.add("max_steps", max_steps, "end after so many steps in all, 0: no such end");
    settings.add("resume", resume, "go on from the checkpoint in the output folder, if there is one");
    settings.add("no_progress", no_progress, "no progress bar or lines");
    settings.add("quiet", quiet, "print errors alone");
    runtime.add_to(settings);
  }

  // What decides the results; a checkpoint of other values is refused.
  std::map<std::string, std::string> identity(const TrainTest& sets) const {
    const auto fingerprint = [](const Dataset& dataset) {
      return fmt::format("{}, {} images, CRC-32 {:08x}", dataset.name, dataset.size(), checksum(dataset));
    };
    return {{"experiment", experiment},
            {"model", model},
            {"batch_size", std::to_string(batch_size)},
            {"lr", fmt::format("{}", lr)},
            {"gamma", fmt::format("{}", gamma)},
            {"seed", std::to_string(seed)},
            {"init", init},
            {"limit", std::to_string(limit)},
            {"max_steps", std::to_string(max_steps)},
            {"test data", fingerprint(sets.test)},
            {"training data", fingerprint(sets.train)}};
  }
};

FiveConvNet starting_net(const TrainSettings& settings, Device device) {
  if (settings.init.empty()) {
    FiveConvNet net(settings.model);
    net.to(device);
    return net;
  }
  TrainedNet trained = load_net(settings.init, device);
  if (trained.model != settings.model) {
    throw Error(fmt::format("--init: {} holds a {} net, --model is {}", trained.path, trained.model, settings.model));
  }
  return trained.net;
}

void print_result(const support::History& history, const std::string& folder) {
  const support::EpochRecord& best = history.best();
  fmt::print("\nbest: epoch {} with {:.2f} % over all scales\n", best.epoch, 100 * best.test.accuracy);
  for (const auto& [scale, accuracy] : best.test.per_scale) {
    fmt::print("  scale {}: {:6.2f} %\n", scale, 100 * accuracy);
  }
  fmt::print("weights, log.csv and summary.json are in {}\n", folder);
}

int train(TrainSettings& settings, const support::Settings& list) {
  const Device device = settings.runtime.apply();
  const TrainTest data = load_data("mnist", settings.data, settings.limit);
  if (settings.out.empty()) {
    settings.out = fmt::format("runs/{}-{}-seed{}", settings.experiment, settings.model, settings.seed);
  }
  const support::RunDirectory directory(settings.out);

  manual_seed(static_cast<std::uint64_t>(settings.seed));
  FiveConvNet net = starting_net(settings, device);
  Adam optimizer(net.parameters(), {.lr = settings.lr});
  StepLR scheduler(optimizer, {.step_size = 1, .gamma = settings.gamma});
  const DataLoader batches(data.train.to(device), {.batch_size = settings.batch_size,
                                                   .shuffle = true,
                                                   .seed = static_cast<std::uint64_t>(settings.seed),
                                                   .device = device,
                                                   .transform = mnist_normalisation()});
  const support::RunInfo info{.experiment = settings.experiment,
                              .model = settings.model,
                              .seed = settings.seed,
                              .data = fmt::format("{}, {}: {} training and {} test images", data.train.name,
                                                  data.train.source, data.train.size(), data.test.size()),
                              .device = to_string(device),
                              .precision = settings.runtime.precision,
                              .threads = num_threads(),
                              .parameters = net.num_parameters()};
  if (!settings.quiet) {
    fmt::print("{}, {}: {} parameters, seed {}\ndata: {}\ndevice: {}, {} {}\n\n", info.experiment, info.model,
               info.parameters, info.seed, info.data, info.device, info.threads,
               info.threads == 1 ? "thread" : "threads");
  }

  using Style = support::ProgressOptions::Style;
  support::TrainerOptions options;
  options.epochs = settings.epochs;
  options.max_steps = settings.max_steps;
  options.resume = settings.resume;
  options.quiet = settings.quiet;
  options.progress.style = settings.no_progress || settings.quiet ? Style::off : Style::automatic;
  options.config = list.to_json();
  options.settings = settings.identity(data);
  support::Trainer trainer(
      {net, optimizer, scheduler}, batches,
      [&](const support::ProgressOptions& progress) { return evaluate_scales(net, data.test, device, progress); }, info,
      directory, std::move(options));
  const support::History& history = trainer.run();
  if (!settings.quiet) print_result(history, directory.path());
  return 0;
}

}  // namespace

support::Command train_command() {
  const auto settings = std::make_shared<TrainSettings>();
  support::Command command{
      .name = "train", .summary = "Train a net and test it after every epoch", .config_file = true};
  settings->add_to(command.settings);
  command.run = [settings, list = command.settings] { return train(*settings, list); };
  return command;
}

}  // namespace deft::apps
