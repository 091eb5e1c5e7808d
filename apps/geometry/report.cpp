#include "deft/apps/geometry/report.h"

#include <fmt/format.h>

#include "deft/apps/experiments/tests.h"
#include "deft/apps/experiments/trained_net.h"
#include "deft/apps/geometry/commands.h"
#include "deft/apps/geometry/training.h"
#include "deft/apps/pictures/run_report.h"
#include "deft/apps/support/checkpoint.h"
#include "deft/apps/support/detail/json.h"
#include "deft/apps/support/evaluate.h"
#include "deft/apps/support/interrupt.h"
#include "deft/apps/support/load_data.h"
#include "deft/apps/support/report_command.h"
#include "deft/core/safetensors.h"
#include "deft/kernels/runtime/error.h"

namespace deft::apps::geometry {

namespace {

int report(support::ReportSettings& settings) {
  const support::InterruptGuard guard;
  const Device device = settings.runtime.apply();
  const support::RunDirectory run(settings.run);
  settings.complete(run);
  const Row& row = row_of(run);
  const Dataset test = support::load_ten_classes(row.data, Part::test, settings.data, settings.limit);
  write_report(run, row, test, device, support::progress_options(settings.no_progress));
  fmt::print("{}\n", run.report());
  return 0;
}

}  // namespace

const Row& row_of(const support::RunDirectory& run) {
  const std::string path = run.checkpoint();
  const std::string text = support::metadata_value(load_safetensors(path), path, "settings");
  const support::Json settings = support::parse_json(text, path);
  for (const Row& row : e3().rows) {
    // Candidates for the net are not to be tested.
    if (settings.is_object() && settings.contains("test data") && settings.value("images", "") == row.name) return row;
  }
  throw Error(path + ": is not the checkpoint of a cell that `geometry run` trained");
}

void write_report(const support::RunDirectory& run, const Row& row, const Dataset& test, Device device,
                  const support::ProgressOptions& progress) {
  const TrainedNet trained = load_net(run.last_weights(), device);
  const DataLoader batches = test_batches(test, row.transform, device);
  const support::Evaluation tested = support::evaluate(*trained.net, batches, "test", progress);
  write_last_weights_report(run, trained, device,
                            {.images = row.title,
                             .also_in = "the table of `geometry run`",
                             .form = {row.form, batches, tested.predictions[0]}},
                            {.text = fmt::format("The first training images of {}.", row.title),
                             .data = row.data,
                             .transform = row.transform});
}

support::Command report_command() {
  return support::report_command("Write report.html of a cell's run, for a browser", report);
}

}  // namespace deft::apps::geometry
