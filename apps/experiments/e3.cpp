#include "deft/apps/experiments/detail/make_net.h"
#include "deft/apps/experiments/experiment.h"
#include "deft/apps/nets/geometry_net.h"

namespace deft::apps {

namespace {

const Range turn{-45, 45}, shift{-0.2, 0.2};

Transform moved(const AffineRanges& ranges) { return {.steps = {random_affine(ranges)}}; }

const std::vector<Row>& rows() {
  static const Transform plain, rotated = moved({.angle = turn}),
                                translated = moved({.translate_y = shift, .translate_x = shift}),
                                both = moved({.angle = turn, .translate_y = shift, .translate_x = shift});
  static const std::vector<Row> all = {
      {"mnist-plain", "MNIST", "mnist", "plain", plain},
      {"mnist-rotated", "MNIST rotated", "mnist", "rotated", rotated},
      {"mnist-translated", "MNIST translated", "mnist", "translated", translated},
      {"mnist-rotated-translated", "MNIST rotated and translated", "mnist", "both", both},
      {"cifar10-plain", "CIFAR-10", "cifar10", "plain", plain},
      {"cifar10-rotated", "CIFAR-10 rotated", "cifar10", "rotated", rotated},
  };
  return all;
}

std::vector<TestSet> tests_on(const std::string& data) {
  std::vector<TestSet> sets;
  for (const Row& row : rows()) {
    if (row.data == data) sets.push_back({row.form, row.transform});
  }
  return sets;
}

}  // namespace

const Row& selection_row() { return rows()[3]; }

const Experiment& e3() {
  static const Experiment experiment{
      .name = "E3",
      .program = "geometry",
      .data = "mnist",
      .models = GeometryNet::models(),
      .make_net = make_net<GeometryNet>,
      .restore_net = [](const std::string& model, const NamedTensors& state) -> RestoredNet {
        const GeometryNet net = GeometryNet::from_state(model, state);
        return {ModuleHolder(net), net.in_channels() == 1 ? "mnist" : "cifar10"};
      },
      .training = {.epochs = 10,
                   .batch_size = 64,
                   .images = 60000,
                   .lr = 2e-3,
                   .gamma = 0.8,
                   .transform = selection_row().transform,
                   .tests = tests_on("mnist")},
      .rows = rows()};
  return experiment;
}

}  // namespace deft::apps
