#include <fmt/format.h>

#include "deft/apps/experiments/experiment.h"
#include "deft/apps/pictures/image_grid.h"
#include "deft/apps/support/load_data.h"
#include "deft/apps/support/picture_file.h"
#include "deft/apps/visualize/commands.h"
#include "deft/apps/visualize/subject.h"
#include "deft/kernels/runtime/error.h"

namespace deft::apps {

namespace {

struct DatasetSettings {
  std::string experiment = e0().name, row, part = "test", data, out = "dataset.png";
  std::int64_t rows = 6, columns = 12, index = 0, seed = 1, size = 84;
};

// The row of this name, or none for "".
const Row* row_of(const Experiment& experiment, const std::string& name) {
  if (name.empty()) return nullptr;
  for (const Row& row : experiment.rows) {
    if (row.name == name) return &row;
  }
  throw Error(fmt::format("--row is '{}', expected --experiment E3 with it, not {}", name, experiment.name));
}

std::vector<std::string> row_names() {
  std::vector<std::string> names;
  for (const Experiment* one : experiments()) {
    for (const Row& row : one->rows) names.push_back(row.name);
  }
  return names;
}

// A test shows an image in the forms that it has, training in another one every epoch.
std::vector<ImageForm> forms_of(const DatasetSettings& settings, const Experiment& experiment, const Row* row) {
  const Training& training = experiment.tuning.value_or(experiment.training);
  if (settings.part == "train") {
    return training_forms(row != nullptr ? row->transform : training.transform,
                          static_cast<std::uint64_t>(settings.seed), settings.columns);
  }
  if (row != nullptr) return {{row->form, row->transform}};
  std::vector<ImageForm> forms;
  for (const TestSet& set : training.tests) forms.push_back({experiment.title(set.name), set.transform});
  const bool all_moved = !forms[0].transform.steps.empty();
  if (forms.size() > 1 && all_moved) forms.insert(forms.begin(), unchanged(forms[0].transform));
  return forms;
}

int dataset(const DatasetSettings& settings) {
  support::require_ending("--out", settings.out, support::picture_endings());
  require_at_most("--size", settings.size, 256);
  require_at_most("--index", settings.index, most_images);
  require_at_most("--rows", settings.rows, 100);
  require_at_most("--columns", settings.columns, 100);
  const bool test = settings.part == "test";
  const Experiment& its = experiment(settings.experiment);
  const Row* const row = row_of(its, settings.row);
  const Dataset set = support::load_ten_classes(row != nullptr ? row->data : its.data, test ? Part::test : Part::train,
                                                settings.data, settings.index + settings.rows * settings.columns);
  if (settings.index >= set.size()) {
    throw Error(fmt::format("--index is {}, expected 0 to {}", settings.index, set.size() - 1));
  }
  const std::vector<ImageForm> forms = forms_of(settings, its, row);
  std::string title = fmt::format("{}: {} images of {}", settings.experiment, test ? "test" : "training", set.name);
  if (row != nullptr || forms.size() == 1) title += ", " + (row != nullptr ? row->form : forms[0].title);
  support::write_picture(settings.out, draw_images(set, {.title = title,
                                                         .forms = forms,
                                                         .first = settings.index,
                                                         .rows = settings.rows,
                                                         .columns = settings.columns,
                                                         .size = static_cast<double>(settings.size)}));
  fmt::print("{}\n", settings.out);
  return 0;
}

}  // namespace

support::Command dataset_command() {
  const auto settings = std::make_shared<DatasetSettings>();
  support::Command command{.name = "dataset", .summary = "Draw what an experiment's nets are shown"};
  command.settings.add("experiment", settings->experiment, "whose images; E4's are those of its second step",
                       experiment_names());
  command.settings.add("row", settings->row,
                       "of E3's table; default: digits, in training rotated and translated, in the test all rows",
                       row_names());
  command.settings.add("part", settings->part, "training or test images", {"train", "test"});
  command.settings.add("rows", settings->rows, "of pictures", 1);
  command.settings.add("columns", settings->columns, "of pictures, where the test's scales do not say how many", 2);
  command.settings.add("index", settings->index, "the first image, from 0");
  command.settings.add("seed", settings->seed, "of the training run whose images these are");
  command.settings.add("data", settings->data, "folder with the data set, or synthetic digits");
  command.settings.add("out", settings->out, "file to write: .png or .svg");
  command.settings.add("size", settings->size, "side of an image", 28);
  command.run = [settings] { return dataset(*settings); };
  return command;
}

}  // namespace deft::apps
