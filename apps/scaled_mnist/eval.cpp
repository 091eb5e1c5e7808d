#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "deft/apps/scaled_mnist/commands.h"
#include "deft/apps/scaled_mnist/digit_image.h"
#include "deft/apps/scaled_mnist/scaled_test.h"
#include "deft/apps/support/checkpoint.h"
#include "deft/apps/support/compare.h"
#include "deft/apps/support/interrupt.h"
#include "deft/apps/support/run_directory.h"
#include "deft/apps/support/runtime.h"
#include "deft/apps/support/table.h"
#include "deft/core/autograd.h"
#include "deft/core/shape_ops.h"
#include "deft/data/locate.h"
#include "deft/kernels/error.h"
#include "deft/layers/softmax.h"

namespace deft::apps {

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
  TrainedNet trained = load_net(settings.weights, device);
  const Dataset test = load_data("mnist", Part::test, settings.data, settings.limit);

  using Style = support::ProgressOptions::Style;
  const double start = support::steady_seconds();
  const support::Evaluation result =
      evaluate_scales(trained.net, test, device, {.style = settings.no_progress ? Style::off : Style::automatic});
  fmt::print("{}: {}, on {} test images ({}, {})\n\n", trained.path, trained.model, test.size(), test.name,
             test.source);
  const support::Table table({"scale", "accuracy"}, {5, 9});
  fmt::print("{}", table.header());
  for (const auto& [scale, accuracy] : result.per_scale) {
    fmt::print("{}", table.row({scale, fmt::format("{:.2f} %", 100 * accuracy)}));
  }
  fmt::print("{}\n{:.1f} seconds\n", table.row({"mean", fmt::format("{:.2f} %", 100 * result.accuracy)}),
             support::steady_seconds() - start);
  return 0;
}

struct PredictSettings {
  std::string image, weights;
  bool invert = false;
  support::RuntimeSettings runtime;
};

int predict(const PredictSettings& settings) {
  const Device device = settings.runtime.apply();
  TrainedNet trained = load_net(settings.weights, device);
  const Tensor digit = load_digit(settings.image, settings.invert ? Ink::dark : Ink::automatic);

  const NoGrad no_grad;
  const EvalScope evaluating(trained.net);
  const Tensor images = transform_images(reshape(digit, {1, 28, 28, 1}), mnist_normalisation());
  const std::vector<float> shares = softmax(trained.net(images.to(device)), 1).to_vector<float>();
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

constexpr const char* weights_help = "weights file of a training run, or the run's folder (its best.safetensors)";

}  // namespace

TrainedNet load_net(const std::string& path, Device device) {
  if (path.empty()) throw Error("--weights is required: " + std::string(weights_help));
  const std::string file = std::filesystem::is_directory(path) ? support::RunDirectory(path).best_weights() : path;
  const Safetensors weights = load_safetensors(file);
  const std::string model = support::metadata_value(weights, file, "model");
  return support::naming_file(file, [&] {
    TrainedNet trained{file, model, FiveConvNet(model)};
    trained.net.load_state_dict(weights.tensors);
    trained.net.to(device);
    return trained;
  });
}

support::Command eval_command() {
  const auto settings = std::make_shared<EvalSettings>();
  support::Command command{.name = "eval", .summary = "Test trained weights at all scales"};
  command.settings.add("weights", settings->weights, weights_help);
  command.settings.add("data", settings->data, data_help);
  command.settings.add("limit", settings->limit, "use so many test images, 0: all");
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
  const auto runs = std::make_shared<std::vector<std::string>>();
  support::Command command{.name = "compare", .summary = "Show finished runs side by side"};
  command.settings.add_positional("run", *runs, "folders of training runs");
  command.run = [runs] {
    fmt::print("{}", support::compare_runs(*runs));
    return 0;
  };
  return command;
}

}  // namespace deft::apps
