#include "deft/apps/scaled_mnist/report.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "deft/apps/experiments/tests.h"
#include "deft/apps/experiments/trained_net.h"
#include "deft/apps/pictures/run_report.h"
#include "deft/apps/scaled_mnist/commands.h"
#include "deft/apps/support/interrupt.h"
#include "deft/apps/support/load_data.h"
#include "deft/apps/support/report.h"
#include "deft/apps/support/report_command.h"
#include "deft/apps/support/training_run.h"
#include "deft/core/file.h"
#include "deft/kernels/runtime/error.h"

namespace deft::apps {

namespace {

std::string whose_weights(const Experiment& experiment) {
  return experiment.reports_best_epoch ? "The weights are those of the best epoch (best.safetensors)."
                                       : "The weights are those of the last epoch (last.safetensors).";
}

std::vector<support::ReportedTest> reported_tests(const Experiment& experiment,
                                                  const std::vector<support::ReportedImages>& forms,
                                                  const std::vector<TestSet>& sets, std::int64_t images) {
  if (!experiment.test_kind.empty()) {
    const std::string text =
        fmt::format("Each of the {} test images at {} {}s, counted together. {} {}", images, sets.size(),
                    experiment.test_kind, experiment.test_text, whose_weights(experiment));
    return {{.title = fmt::format("Test at all {}s", experiment.test_kind),
             .text = text,
             .kind = experiment.test_kind,
             .forms = forms}};
  }
  std::vector<support::ReportedTest> tests;
  for (std::size_t i = 0; i < sets.size(); ++i) {
    tests.push_back({.title = fmt::format("Test on {} images", sets[i].name),
                     .text = fmt::format("The {} test images{}. {}", images, sets[i].change, whose_weights(experiment)),
                     .forms = {forms[i]}});
  }
  return tests;
}

// A run of the second step names the regular net that it starts from.
bool is_tuning(const support::RunDirectory& run) {
  std::string regular;
  support::Settings settings;
  settings.add("regular", regular, "");
  settings.load_json(run.config(), support::UnknownKeys::skip);
  return !regular.empty();
}

TrainingImages training_images(const support::RunDirectory& run, const Experiment& experiment) {
  const Training& training = is_tuning(run) ? experiment.tuning.value() : experiment.training;
  return {.text = fmt::format("The first training images{}.", training.change),
          .data = experiment.data,
          .transform = training.transform};
}

std::vector<support::ReportedPictures> pictures_of(const support::RunDirectory& run, const TrainedNet& trained,
                                                   const std::vector<support::ReportedImages>& forms, Device device) {
  const Experiment& experiment = *trained.experiment;
  std::vector<ShownImage> shown;
  for (const auto& [form, index] : experiment.shown) {
    if (index >= forms[form].predictions.size()) continue;
    shown.push_back({forms[form], index, fmt::format("test image {}, {}", index, experiment.title(forms[form].name))});
  }
  return report_pictures(trained, device, shown, training_images(run, experiment));
}

int report(support::ReportSettings& settings) {
  const support::InterruptGuard guard;
  const Device device = settings.runtime.apply();
  const support::RunDirectory run(settings.run);
  settings.complete(run);
  const Dataset test = support::load_ten_classes("mnist", Part::test, settings.data, settings.limit);
  write_report(run, test, device, {}, support::progress_options(settings.no_progress));
  fmt::print("{}\n", run.report());
  return 0;
}

}  // namespace

void write_report(const support::RunDirectory& run, const Dataset& test, Device device,
                  const std::vector<support::Predictions>& tested, const support::ProgressOptions& progress) {
  TrainedNet trained = load_net(run.path(), device, "mnist");
  const Experiment& experiment = *trained.experiment;
  const std::vector<std::string> known = own_experiments();
  if (std::find(known.begin(), known.end(), experiment.name) == known.end()) {
    throw Error(
        fmt::format("{}: is a run of {}, expected one of {}", run.path(), experiment.name, fmt::join(known, ", ")));
  }
  const std::vector<TestSet> sets = experiment.final_tests();
  const auto predictions =
      tested.size() == sets.size() ? tested : evaluate(*trained.net, test, sets, device, progress).predictions;
  std::vector<support::ReportedImages> forms;
  for (std::size_t i = 0; i < sets.size(); ++i) {
    forms.push_back({sets[i].name, test_batches(test, sets[i].transform, test.images.device()), predictions[i]});
  }
  const auto pictures = pictures_of(run, trained, forms, device);
  const auto tests = reported_tests(experiment, forms, sets, test.size());
  write_file(run.report(), support::report_html(run, tests, pictures));
}

support::Command report_command() {
  return support::report_command("Write a run's report.html, for a browser", report);
}

}  // namespace deft::apps
