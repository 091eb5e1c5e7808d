#include <fmt/format.h>

#include <algorithm>

#include "deft/apps/experiments/digit_image.h"
#include "deft/apps/experiments/shipped_nets.h"
#include "deft/apps/experiments/tests.h"
#include "deft/apps/experiments/trained_net.h"
#include "deft/apps/scaled_mnist/commands.h"
#include "deft/apps/support/compare.h"
#include "deft/apps/support/detail/json.h"
#include "deft/apps/support/interrupt.h"
#include "deft/apps/support/load_data.h"
#include "deft/apps/support/picture_file.h"
#include "deft/apps/support/runtime.h"
#include "deft/apps/support/table.h"
#include "deft/apps/support/training_run.h"
#include "deft/core/autograd.h"
#include "deft/core/file.h"
#include "deft/core/shape_ops.h"
#include "deft/layers/softmax.h"

namespace deft::apps {

namespace {

struct EvalSettings {
  std::string weights = default_net, data, json;
  std::int64_t limit = 0;
  support::RuntimeSettings runtime;
  bool no_progress = false;
};

// Accuracies by name.
using Rows = std::vector<std::pair<std::string, double>>;

void write_json(const std::string& path, const TrainedNet& trained, const Dataset& test, const Rows& rows) {
  support::Json accuracy;
  for (const auto& [name, share] : rows) accuracy[name] = share;
  const support::Json result = {{"experiment", trained.experiment->name},
                                {"model", trained.model},
                                {"weights", trained.path},
                                {"data", test.name},
                                {"images", test.size()},
                                {"accuracy", accuracy}};
  write_file(path, support::to_text(result, 2) + "\n");
}

int eval(const EvalSettings& settings) {
  const support::InterruptGuard guard;
  const Device device = settings.runtime.apply();
  TrainedNet trained = load_net(settings.weights, device, "mnist");
  const Dataset test = support::load_ten_classes("mnist", Part::test, settings.data, settings.limit);
  const std::vector<TestSet> sets = trained.experiment->final_tests();

  const double start = support::steady_seconds();
  const support::Evaluation result =
      evaluate(*trained.net, test, sets, device, support::progress_options(settings.no_progress));
  Rows rows = result.per_scale;
  if (sets.size() == 1) rows.emplace_back(sets[0].name, result.accuracy);
  const std::string& kind = trained.experiment->test_kind;
  if (!kind.empty()) rows.emplace_back("mean", result.accuracy);
  fmt::print("{}: {}, {}, on {} test images ({}, {})\n\n", trained.path, trained.experiment->name, trained.model,
             test.size(), test.name, test.source);
  const support::Table table({kind.empty() ? "images" : kind, "accuracy"}, {10, 9});
  fmt::print("{}", table.header());
  for (const auto& [name, accuracy] : rows) {
    fmt::print("{}", table.row({name, fmt::format("{:.2f} %", 100 * accuracy)}));
  }
  fmt::print("{:.1f} seconds\n", support::steady_seconds() - start);
  if (!settings.json.empty()) write_json(settings.json, trained, test, rows);
  return 0;
}

struct PredictSettings {
  std::string image, weights = default_net;
  bool invert = false;
  support::RuntimeSettings runtime;
};

int predict(const PredictSettings& settings) {
  const Device device = settings.runtime.apply();
  TrainedNet trained = load_net(settings.weights, device, "mnist");
  const Tensor digit = load_digit(settings.image, settings.invert ? Ink::dark : Ink::automatic);

  const NoGrad no_grad;
  const EvalScope evaluating(*trained.net);
  const Tensor images = transform_images(reshape(digit, {1, 28, 28, 1}), trained.experiment->pixels);
  const std::vector<float> shares = softmax((*trained.net)(images.to(device)), 1).to_vector<float>();
  const auto most = std::max_element(shares.begin(), shares.end());
  fmt::print("{}: {}\n\n", settings.image, most - shares.begin());
  const support::Table table({"digit", "probability", "<"});
  fmt::print("{}", table.header());
  for (std::size_t i = 0; i < shares.size(); ++i) {
    const std::string bar(static_cast<std::size_t>(40 * shares[i] + 0.5f), '#');
    fmt::print("{}", table.row({std::to_string(i), fmt::format("{:.2f} %", 100 * shares[i]), bar}));
  }
  return 0;
}

struct CompareSettings {
  std::vector<std::string> runs;
  std::string chart, scale_chart;
};

int compare(const CompareSettings& settings) {
  const auto write = [&](const char* flag, const std::string& file, auto accuracy_by) {
    if (file.empty()) return;
    support::require_ending(flag, file, support::picture_endings());
    support::write_picture(file, draw(accuracy_by(settings.runs)));
  };
  const std::string table = support::compare_runs(settings.runs);
  write("--chart", settings.chart, support::accuracy_by_epoch);
  write("--scale-chart", settings.scale_chart, support::accuracy_by_scale);
  fmt::print("{}", table);
  return 0;
}

}  // namespace

support::Command eval_command() {
  const auto settings = std::make_shared<EvalSettings>();
  support::Command command{.name = "eval", .summary = "Test trained weights as their experiment does"};
  command.settings.add("weights", settings->weights, weights_help);
  command.settings.add("data", settings->data, data_help);
  command.settings.add("limit", settings->limit, "use so many test images, 0: all");
  command.settings.add("json", settings->json, "write the accuracies, as shares, into this file, too");
  command.settings.add("no_progress", settings->no_progress, "no progress bar or lines");
  settings->runtime.add_to(command.settings);
  command.run = [settings] { return eval(*settings); };
  return command;
}

support::Command predict_command() {
  const auto settings = std::make_shared<PredictSettings>();
  support::Command command{.name = "predict", .summary = "Say which digit an image shows"};
  command.settings.add_positional("image", settings->image, "image file: PNG, JPEG, BMP or PNM");
  command.settings.add("weights", settings->weights, weights_help);
  command.settings.add("invert", settings->invert, "the digit is dark on light (else the border decides)");
  settings->runtime.add_to(command.settings);
  command.run = [settings] { return predict(*settings); };
  return command;
}

support::Command compare_command() {
  const auto settings = std::make_shared<CompareSettings>();
  support::Command command{.name = "compare", .summary = "Show finished runs side by side"};
  command.settings.add_positional("run", settings->runs, "folders of training runs, of any program");
  command.settings.add("chart", settings->chart, "draw their accuracies, epoch by epoch, into this .png or .svg file");
  command.settings.add("scale_chart", settings->scale_chart, "draw the accuracies of their best epochs by scale");
  command.run = [settings] { return compare(*settings); };
  return command;
}

}  // namespace deft::apps
