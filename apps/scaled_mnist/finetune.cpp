#include <fmt/format.h>

#include <filesystem>

#include "deft/apps/experiments/tests.h"
#include "deft/apps/experiments/trained_net.h"
#include "deft/apps/nets/four_conv_net.h"
#include "deft/apps/scaled_mnist/commands.h"
#include "deft/apps/scaled_mnist/report.h"
#include "deft/apps/support/interrupt.h"
#include "deft/apps/support/load_data.h"
#include "deft/apps/support/report_command.h"
#include "deft/apps/support/table.h"
#include "deft/apps/support/training_run.h"
#include "deft/core/generator.h"
#include "deft/kernels/runtime/error.h"
#include "deft/optim/adam.h"
#include "deft/optim/lr_scheduler.h"

namespace deft::apps {

namespace {

// The defaults are experiment E4's.
struct FinetuneSettings {
  std::string regular;
  std::int64_t epochs = e4().tuning->epochs;
  std::int64_t batch_size = e4().tuning->batch_size;
  double lr = e4().tuning->lr;
  std::int64_t seed = 1;
  std::string out;
  support::RunSettings run;

  void add_to(support::Settings& settings) {
    settings.add("regular", regular,
                 "weights file of E4's regular net, or its run's folder (its last.safetensors); default: "
                 "runs/E4-regular-seedSEED");
    settings.add("epochs", epochs, "passes over the training images", 1);
    settings.add("batch_size", batch_size, "images per step", 1);
    settings.add("lr", lr, "learning rate of Adam");
    settings.add("seed", seed, "of shuffling and augmentation");
    settings.add("out", out, "folder for the results (default: runs/E4-finetuned-seedSEED)");
    run.add_to(settings, data_help);
  }

  // Settings that follow from others.
  void complete() {
    if (regular.empty()) regular = default_regular();
    regular = resolve_weights(regular);
    if (out.empty()) out = fmt::format("runs/E4-finetuned-seed{}", seed);
  }

  // Where the training of E4's regular net leaves it. Throws Error when there is no such folder.
  std::string default_regular() const {
    const std::string folder = fmt::format("runs/E4-regular-seed{}", seed);
    if (std::filesystem::exists(folder)) return folder;
    throw Error(fmt::format(
        "--regular: {} is missing; `scaled_mnist train --config apps/configs/e4_regular.json --seed {}` makes it",
        folder, seed));
  }

  // What decides the results; a checkpoint of other values is refused.
  std::map<std::string, std::string> identity(const TrainTest& sets) const {
    return {{"experiment", "E4, offsets"},
            {"regular", regular},
            {"batch_size", std::to_string(batch_size)},
            {"lr", fmt::format("{}", lr)},
            {"seed", std::to_string(seed)},
            {"test data", support::fingerprint(sets.test)},
            {"training data", support::fingerprint(sets.train)}};
  }
};

TrainedNet load_regular_net(const std::string& path, Device device) {
  TrainedNet trained = load_net(path, device);
  if (trained.experiment == &e4() && trained.model == "regular") return trained;
  throw Error(fmt::format("--regular: {} holds {}'s {} net, expected E4's regular net", trained.path,
                          trained.experiment->name, trained.model));
}

// Both nets on both forms of the test images.
void print_comparison(Module& regular, Module& deformable, const Dataset& test, Device device,
                      const support::ProgressOptions& progress) {
  const support::Table table({"<test images", "regular", "deform-v1"}, {0, 9, 9});
  std::string text = table.header();
  for (const TestSet& set : e4().final_tests()) {
    const auto percent = [&](Module& net) {
      return fmt::format("{:.2f} %", 100 * evaluate(net, test, {set}, device, progress).accuracy);
    };
    text += table.row({set.name, percent(regular), percent(deformable)});
  }
  fmt::print("\n{}", text);
}

int finetune(FinetuneSettings& settings, const support::Settings& list) {
  const support::InterruptGuard guard;
  const Device device = settings.run.runtime.apply();
  settings.complete();
  const auto seed = static_cast<std::uint64_t>(settings.seed);
  manual_seed(seed);
  const TrainedNet regular = load_regular_net(settings.regular, device);
  const TrainTest data = support::load_ten_classes("mnist", settings.run.data, settings.run.limit, settings.run.quiet);

  FourConvNet net("deform-v1");
  net.to(device);
  net.load_regular(regular.net->state_dict());
  Adam optimizer(net.freeze_all_but_offsets(), {.lr = settings.lr});
  StepLR constant(optimizer, {.gamma = 1});
  const Training& tuning = *e4().tuning;
  const DataLoader batches = support::training_batches(data.train, settings.batch_size, seed, device, tuning.transform);
  const support::RunDirectory directory(settings.out);
  const auto bars = support::progress_options(settings.run.no_progress || settings.run.quiet);
  support::TrainerOptions options;
  options.epochs = settings.epochs;
  options.config = list.to_json();
  options.settings = settings.identity(data);
  const support::History history = support::train(
      settings.run, {net, optimizer, constant}, batches,
      [&](const support::ProgressOptions& progress) {
        return evaluate(net, data.test, tuning.tests, device, progress);
      },
      {.experiment = e4().name, .model = "deform-v1", .seed = settings.seed, .data = support::description(data)},
      directory, std::move(options));
  support::report_after_training(
      directory, [&] { write_report(directory, data.test, device, history.best().test.predictions, bars); });
  if (settings.run.quiet) return 0;
  print_comparison(*regular.net, net, data.test, device, bars);
  fmt::print("the results are in {}\n", settings.out);
  return 0;
}

}  // namespace

support::Command finetune_command() {
  const auto settings = std::make_shared<FinetuneSettings>();
  support::Command command{.name = "finetune",
                           .summary = "Train the offsets alone of E4's deformable net, with a regular net's weights",
                           .config_file = true};
  settings->add_to(command.settings);
  command.run = [settings, list = command.settings] { return finetune(*settings, list); };
  return command;
}

}  // namespace deft::apps
