#include <fmt/format.h>

#include "deft/apps/cifar10/commands.h"
#include "deft/apps/cifar10/model.h"
#include "deft/apps/support/detail/json.h"
#include "deft/apps/support/evaluate.h"
#include "deft/apps/support/interrupt.h"
#include "deft/apps/support/load_data.h"
#include "deft/apps/support/run_directory.h"
#include "deft/apps/support/training_run.h"
#include "deft/core/file.h"
#include "deft/kernels/runtime/error.h"

namespace deft::apps::cifar10 {

namespace {

struct TestSettings {
  ModelSettings model;
  std::string weights;
  std::string data;
  std::int64_t limit = 0;
  support::RuntimeSettings runtime;
  bool no_progress = false;

  void add_to(support::Settings& settings) {
    model.add_to(settings, "folder of the run; the result goes into test/ below it");
    settings.add("model", weights, "weights file of a training run; default: OUTDIR/train/last.safetensors");
    settings.add("data", data, data_help);
    settings.add("limit", limit, "use so many test images, 0: all");
    settings.add("no_progress", no_progress, "no progress bar or lines");
    runtime.add_to(settings);
  }
};

int test(const TestSettings& settings) {
  const Device device = settings.runtime.apply();
  if (settings.model.outdir.empty())
    throw Error("--outdir is required: the folder of the run, where the result goes too");
  const std::string path = settings.weights.empty()
                               ? support::RunDirectory(settings.model.outdir + "/train").last_weights()
                               : settings.weights;
  const TrainedNet trained = settings.model.load_net(path, device);
  const Dataset data = support::load_ten_classes("cifar10", Part::test, settings.data, settings.limit);
  const DataLoader batches(data.to(device), {.batch_size = settings.model.batch_size, .device = device});

  const support::InterruptGuard guard;
  const support::Evaluation result =
      support::evaluate(*trained.net, batches, "test", support::progress_options(settings.no_progress));
  fmt::print("{}: {}, on {} test images ({}, {})\naccuracy {:.2f} %, loss {:.4f}\n", trained.path, trained.model,
             data.size(), data.name, data.source, 100 * result.accuracy, result.loss);

  const support::RunDirectory directory(settings.model.outdir + "/test");
  directory.create();
  const support::Json summary = {{"experiment", e2().name}, {"model", trained.model},      {"weights", trained.path},
                                 {"images", data.size()},   {"accuracy", result.accuracy}, {"loss", result.loss}};
  write_file(directory.summary(), support::to_text(summary, 2) + "\n");
  return 0;
}

}  // namespace

support::Command test_command() {
  const auto settings = std::make_shared<TestSettings>();
  support::Command command{.name = "test", .summary = "Test trained weights on the test images", .config_file = true};
  settings->add_to(command.settings);
  command.run = [settings] { return test(*settings); };
  return command;
}

}  // namespace deft::apps::cifar10
