#include "deft/apps/cifar10/report.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "deft/apps/cifar10/commands.h"
#include "deft/apps/support/evaluate.h"
#include "deft/apps/support/interrupt.h"
#include "deft/apps/support/report.h"
#include "deft/apps/support/report_command.h"
#include "deft/apps/support/training_run.h"
#include "deft/apps/visualize/sampling_report.h"
#include "deft/core/file.h"
#include "deft/data/locate.h"

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
  const Dataset test = load_data("cifar10", Part::test, settings.data, settings.limit);
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
  const support::ReportedImages form{"test", batches, tested.predictions[0]};
  const support::ReportedTest reported{
      .title = "Test images",
      .text = fmt::format("The {} test images. The weights are those of the last epoch (last.safetensors), as in "
                          "`cifar10 test`.",
                          test.size()),
      .forms = {form}};
  std::vector<SampledImage> sampled;
  for (std::int64_t i = 0; i < std::min<std::int64_t>(3, test.size()); ++i) {
    sampled.push_back({form, i, fmt::format("test image {}", i)});
  }
  std::vector<support::ReportedPictures> pictures;
  if (model.model() != "regular") pictures = sampling_report(*trained.net, "E2, " + model.model(), device, sampled);
  write_file(run.report(), support::report_html(run, {reported}, pictures));
}

support::Command report_command() {
  return support::report_command("Write a run's report.html, for a browser", report);
}

}  // namespace deft::apps::cifar10
