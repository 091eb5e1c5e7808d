#include "deft/apps/cifar10/report.h"

#include <fmt/format.h>

#include <filesystem>

#include "deft/apps/cifar10/commands.h"
#include "deft/apps/pictures/run_report.h"
#include "deft/apps/support/evaluate.h"
#include "deft/apps/support/interrupt.h"
#include "deft/apps/support/load_data.h"
#include "deft/apps/support/report_command.h"
#include "deft/apps/support/training_run.h"

namespace deft::apps::cifar10 {

namespace {

// The run itself, for who names the folder above it as the other commands do.
support::RunDirectory run_directory(const std::string& folder) {
  const std::string below = folder + "/train";
  return support::RunDirectory(std::filesystem::is_directory(below) ? below : folder);
}

int report(support::ReportSettings& settings) {
  const support::InterruptGuard guard;
  const Device device = settings.runtime.apply();
  const support::RunDirectory run = run_directory(settings.run);
  ModelSettings model;
  support::Settings of_model;
  model.add_to(of_model, "");
  settings.complete(run, of_model);
  const Dataset test = support::load_ten_classes("cifar10", Part::test, settings.data, settings.limit);
  write_report(run, model, test, device, support::progress_options(settings.no_progress));
  fmt::print("{}\n", run.report());
  return 0;
}

}  // namespace

void write_report(const support::RunDirectory& run, const ModelSettings& model, const Dataset& test, Device device,
                  const support::ProgressOptions& progress) {
  const TrainedNet trained = model.load_net(run.last_weights(), device);
  const DataLoader batches(test.to(device), {.batch_size = model.batch_size, .device = device});
  const support::Evaluation tested = support::evaluate(*trained.net, batches, "test", progress);
  write_last_weights_report(
      run, trained, device,
      {.images = "CIFAR-10", .also_in = "`cifar10 test`", .form = {"test", batches, tested.predictions[0]}},
      {.text = "The first training images as they are, those that are held out among them.",
       .data = "cifar10",
       .transform = batches.options().transform});
}

support::Command report_command() {
  return support::report_command("Write a run's report.html, for a browser", report);
}

}  // namespace deft::apps::cifar10
