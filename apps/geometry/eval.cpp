#include <fmt/format.h>

#include "deft/apps/experiments/tests.h"
#include "deft/apps/experiments/trained_net.h"
#include "deft/apps/geometry/commands.h"
#include "deft/apps/geometry/training.h"
#include "deft/apps/support/evaluate.h"
#include "deft/apps/support/interrupt.h"
#include "deft/apps/support/load_data.h"
#include "deft/apps/support/table.h"
#include "deft/kernels/runtime/error.h"

namespace deft::apps::geometry {

namespace {

struct EvalSettings {
  std::string weights, data;
  std::int64_t limit = 0;
  support::RuntimeSettings runtime;
  bool no_progress = false;
};

int eval(const EvalSettings& settings) {
  const support::InterruptGuard guard;
  const Device device = settings.runtime.apply();
  if (settings.weights.empty()) throw Error("--weights is required: weights file of a cell's run, or its folder");
  const TrainedNet trained = load_net(settings.weights, device);
  if (trained.experiment != &e3()) {
    throw Error(fmt::format("{}: experiment is '{}', expected E3", trained.path, trained.experiment->name));
  }
  const Dataset test = support::load_ten_classes(trained.data, Part::test, settings.data, settings.limit);
  fmt::print("{}, on {} test images ({}, {})\n\n", trained.path, test.size(), test.name, test.source);
  const support::Table table({"<images", "accuracy"}, {28, 9});
  fmt::print("{}", table.header());
  for (const Row& row : e3().rows) {
    if (row.data != trained.data) continue;
    const support::Evaluation result = support::evaluate(*trained.net, test_batches(test, row.transform, device),
                                                         "test", support::progress_options(settings.no_progress));
    fmt::print("{}", table.row({row.title, fmt::format("{:.2f} %", 100 * result.accuracy)}));
  }
  return 0;
}

}  // namespace

support::Command eval_command() {
  const auto settings = std::make_shared<EvalSettings>();
  support::Command command{.name = "eval", .summary = "Test trained weights on all rows of their data set"};
  command.settings.add("weights", settings->weights,
                       "weights file of a cell's run, or the run's folder (its last.safetensors)");
  command.settings.add("data", settings->data, data_help);
  command.settings.add("limit", settings->limit, "use so many test images, 0: all");
  command.settings.add("no_progress", settings->no_progress, "no progress bar or lines");
  settings->runtime.add_to(command.settings);
  command.run = [settings] { return eval(*settings); };
  return command;
}

}  // namespace deft::apps::geometry
