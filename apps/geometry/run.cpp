#include <fmt/format.h>

#include <filesystem>
#include <map>
#include <set>

#include "deft/apps/experiments/cells.h"
#include "deft/apps/geometry/commands.h"
#include "deft/apps/geometry/report.h"
#include "deft/apps/geometry/result.h"
#include "deft/apps/geometry/training.h"
#include "deft/apps/support/interrupt.h"
#include "deft/apps/support/load_data.h"
#include "deft/apps/support/report_command.h"

namespace deft::apps::geometry {

namespace {

// The defaults are those of the preset.
struct CellsSettings {
  Recipe recipe;
  std::vector<std::string> cells;
  std::string out;
  support::RunSettings run;

  void add_to(support::Settings& settings) {
    settings.add("channels", recipe.channels, "outputs of the net's convolutions", 1);
    recipe.add_common_to(settings, "passes over the training images");
    settings.add("lr", recipe.lr, "learning rate of Adam in the first epoch");
    settings.add("cells", cells,
                 "run these alone: cells (mnist-rotated-regular), rows (mnist-rotated), models (regular, deform-v1) or "
                 "data sets (mnist, cifar10)");
    settings.add("out", out, "folder for the results, with one for each cell in it (default: runs/E3-seedSEED)");
    run.add_to(settings, data_help);
  }
};

// The data sets that these cells take, read before any of them is trained: one that is missing shows at once.
std::map<std::string, TrainTest> load_all(const std::vector<Cell>& selected, const support::RunSettings& settings) {
  std::map<std::string, TrainTest> data;
  for (const Cell& cell : selected) {
    const std::string& name = cell.row->data;
    if (data.count(name) == 0)
      data[name] = support::load_ten_classes(name, settings.data, settings.limit, settings.quiet);
  }
  return data;
}

// The cells that were done earlier, with the same settings.
std::set<std::string> done_earlier(const CellsSettings& settings, const std::string& config) {
  std::set<std::string> done;
  for (const Cell& cell : cells()) {
    const std::string folder = cell_folder(settings.out, cell);
    if (has_epochs(folder, settings.recipe.epochs) && has_settings(folder, config)) done.insert(cell.name());
  }
  return done;
}

// Runs one cell, or goes on with it, or, where it is done, only checks that its checkpoint is of this experiment.
// `heading` says which one it is.
void run_cell(const CellsSettings& settings, const Job& job, const std::string& heading, Device device) {
  const bool finished = settings.run.resume && has_epochs(job.folder, settings.recipe.epochs);
  if (!settings.run.quiet) fmt::print("{}{}{}\n", finished ? "" : "\n", heading, finished ? " is done" : "");
  support::RunSettings how = settings.run;
  how.quiet = settings.run.quiet || finished;
  train(job, how, device);
  const support::RunDirectory directory(job.folder);
  if (finished && std::filesystem::exists(directory.report())) return;
  support::report_after_training(directory, [&] {
    write_report(directory, *job.cell.row, job.test, device,
                 support::progress_options(settings.run.no_progress || settings.run.quiet));
  });
}

int run(CellsSettings& settings, const support::Settings& list) {
  const support::InterruptGuard guard;
  const Device device = settings.run.runtime.apply();
  const std::vector<Cell> selected = select_cells(settings.cells);
  GeometryNet::checked(settings.recipe.channels);
  const std::map<std::string, TrainTest> data = load_all(selected, settings.run);
  if (settings.out.empty()) settings.out = fmt::format("runs/E3-seed{}", settings.recipe.seed);
  const std::string config = list.to_json();
  std::set<std::string> done = done_earlier(settings, config);
  for (std::size_t i = 0; i < selected.size(); ++i) {
    const Cell& cell = selected[i];
    const TrainTest& images = data.at(cell.row->data);
    run_cell(settings,
             {.cell = cell,
              .recipe = settings.recipe,
              .train = images.train,
              .test = images.test,
              .folder = cell_folder(settings.out, cell),
              .config = config},
             fmt::format("cell {} of {}: {}", i + 1, selected.size(), cell.name()), device);
    done.insert(cell.name());
    write_results(settings.out, done);
  }
  if (settings.run.quiet) return 0;
  fmt::print("\n{}accuracy after the last epoch; {} has more about each cell\n", result_table(settings.out),
             support::RunDirectory(settings.out).summary());
  return 0;
}

}  // namespace

support::Command run_command() {
  const auto settings = std::make_shared<CellsSettings>();
  support::Command command{
      .name = "run", .summary = "Train both nets on all images and show the table", .config_file = true};
  settings->add_to(command.settings);
  command.run = [settings, list = command.settings] { return run(*settings, list); };
  return command;
}

}  // namespace deft::apps::geometry
