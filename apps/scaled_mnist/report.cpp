#include "deft/apps/scaled_mnist/report.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "deft/apps/nets/trained_net.h"
#include "deft/apps/scaled_mnist/commands.h"
#include "deft/apps/scaled_mnist/protocol.h"
#include "deft/apps/support/interrupt.h"
#include "deft/apps/support/load_data.h"
#include "deft/apps/support/report.h"
#include "deft/apps/support/report_command.h"
#include "deft/apps/support/training_run.h"
#include "deft/apps/visualize/run_report.h"
#include "deft/core/file.h"
#include "deft/kernels/runtime/error.h"

namespace deft::apps {

namespace {

std::string whose_weights(const std::string& experiment) {
  return reports_best_epoch(experiment) ? "The weights are those of the best epoch (best.safetensors)."
                                        : "The weights are those of the last epoch (last.safetensors).";
}

// What is done to the images of one form, to follow on their name.
std::string change(const std::string& experiment, const std::string& form) {
  if (experiment == "E1") return ", each on a random place of a black canvas up to three times as large";
  if (form == "scaled") return ", shifted by up to a pixel and zoomed out by up to 2.5 along each axis";
  return " as they are";
}

// E0's scales are counted together, as its accuracy is; E4's two tests are not.
std::vector<support::ReportedTest> reported_tests(const std::string& experiment,
                                                  const std::vector<support::ReportedImages>& forms,
                                                  const std::vector<TestSet>& sets, std::int64_t images) {
  if (experiment == "E0") {
    const std::string text = fmt::format(
        "Each of the {} test images at {} scales, counted together. Around a shrunk image the net sees 0, which after "
        "the normalisation is a dark grey. {}",
        images, sets.size(), whose_weights(experiment));
    return {{.title = "Test at all scales", .text = text, .kind = "scale", .forms = forms}};
  }
  std::vector<support::ReportedTest> tests;
  for (std::size_t i = 0; i < sets.size(); ++i) {
    tests.push_back({.title = fmt::format("Test on {} images", sets[i].name),
                     .text = fmt::format("The {} test images{}. {}", images, change(experiment, sets[i].name),
                                         whose_weights(experiment)),
                     .forms = {forms[i]}});
  }
  return tests;
}

// Which images of which test sets show where an experiment's nets look.
std::vector<std::pair<std::size_t, std::int64_t>> shown_images(const std::string& experiment) {
  if (experiment == "E0") return {{0, 0}, {5, 0}, {10, 0}};  // the scales 0.5, 1.0 and 1.5
  if (experiment == "E4") return {{0, 0}, {1, 0}, {1, 1}};
  return {{0, 0}, {0, 1}, {0, 2}};
}

// E4's second step names the regular net that it starts from.
bool is_tuning(const support::RunDirectory& run) {
  std::string regular;
  support::Settings settings;
  settings.add("regular", regular, "");
  settings.load_json(run.config(), support::UnknownKeys::skip);
  return !regular.empty();
}

TrainingImages training_images(const support::RunDirectory& run, const std::string& experiment) {
  const Protocol images = protocol(experiment, is_tuning(run));
  const std::string form = experiment == "E0" ? "plain" : images.tests[0].name;
  return {.text = fmt::format("The first training images{}.", change(experiment, form)),
          .data = "mnist",
          .transform = images.training};
}

std::vector<support::ReportedPictures> pictures_of(const support::RunDirectory& run, const TrainedNet& trained,
                                                   const std::vector<support::ReportedImages>& forms, Device device) {
  std::vector<ShownImage> shown;
  for (const auto& [form, index] : shown_images(trained.experiment)) {
    if (index >= forms[form].predictions.size()) continue;
    const std::string kind = trained.experiment == "E0" ? "scale " : "";
    shown.push_back({forms[form], index, fmt::format("test image {}, {}{}", index, kind, forms[form].name)});
  }
  return report_pictures(trained, device, shown, training_images(run, trained.experiment));
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
  const std::vector<std::string>& known = mnist_experiments();
  if (std::find(known.begin(), known.end(), trained.experiment) == known.end()) {
    throw Error(
        fmt::format("{}: is a run of {}, expected one of {}", run.path(), trained.experiment, fmt::join(known, ", ")));
  }
  const std::vector<TestSet> sets = final_tests(trained.experiment);
  const auto predictions =
      tested.size() == sets.size() ? tested : evaluate(*trained.net, test, sets, device, progress).predictions;
  std::vector<support::ReportedImages> forms;
  for (std::size_t i = 0; i < sets.size(); ++i) {
    forms.push_back({sets[i].name, test_batches(test, sets[i], test.images.device()), predictions[i]});
  }
  const auto pictures = pictures_of(run, trained, forms, device);
  const auto tests = reported_tests(trained.experiment, forms, sets, test.size());
  write_file(run.report(), support::report_html(run, tests, pictures));
}

support::Command report_command() {
  return support::report_command("Write a run's report.html, for a browser", report);
}

}  // namespace deft::apps
