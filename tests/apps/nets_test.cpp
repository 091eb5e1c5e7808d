// The nets of the experiments against plain loops in float64 that spell out each experiment's description, and their
// initial weights.
#include <algorithm>
#include <cmath>
#include <functional>
#include <map>

#include "deft/apps/experiments/experiment.h"
#include "deft/apps/experiments/trained_net.h"
#include "deft/apps/nets/cifar_net.h"
#include "deft/apps/nets/four_conv_net.h"
#include "deft/apps/nets/geometry_net.h"
#include "deft/apps/support/checkpoint.h"
#include "deft/core/autograd.h"
#include "deft/core/file.h"
#include "deft/core/random.h"
#include "deft/layers/graph.h"
#include "deft/layers/init.h"
#include "deft/layers/loss.h"
#include "deft/optim/adam.h"

#include "catch.h"
#include "kernels/naive_conv.h"
#include "shell.h"
#include "temporary_directory.h"

using namespace deft;
using Catch::Matchers::Contains;
using naive::Values;

namespace {

// How a deformable convolution of an experiment treats its offsets and masks.
struct Rules {
  double offset_limit_fraction = INFINITY;  // of the longer side
  double mask_scale = 1;
};

// One image on its way through a net, layer by layer.
class NaiveNet {
 public:
  NaiveNet(const Module& net, const Tensor& image, Rules rules)
      : rules_(rules), h_(image.size(1)), w_(image.size(2)), c_(image.size(3)), values_(image.to_vector<double>()) {
    for (const auto& [name, tensor] : net.state_dict()) {
      state_[name] = tensor.to_vector<double>();
      outputs_[name] = tensor.size(0);
    }
  }

  NaiveNet& conv(const std::string& name, std::int64_t stride = 1, bool pad_before = true) {
    kernels::DeformConv2dShape s;
    s.n = 1, s.h = h_, s.w = w_, s.c = c_, s.kernel_h = s.kernel_w = 3, s.stride_h = s.stride_w = stride;
    s.pad_top = s.pad_left = pad_before ? 1 : 0, s.pad_bottom = s.pad_right = 1;
    if (has(name + ".offset_conv.weight")) {
      const double limit = rules_.offset_limit_fraction * static_cast<double>(std::max(h_, w_));
      Values offset = plain(s, name + ".offset_conv"), mask;
      for (double& value : offset) value = std::clamp(value, -limit, limit);
      if (has(name + ".mask_conv.weight")) mask = plain(s, name + ".mask_conv");
      for (double& value : mask) value = rules_.mask_scale / (1 + std::exp(-value));
      s.o = outputs_.at(name + ".weight");
      values_ = naive::deform_conv2d(s, values_, offset, mask, state_.at(name + ".weight"), state_[name + ".bias"]);
    } else {
      values_ = plain(s, name);
    }
    h_ = s.h_out(), w_ = s.w_out(), c_ = outputs_.at(name + ".weight");
    return *this;
  }

  NaiveNet& batch_norm(const std::string& name, double eps) {
    return each([&, this](double value, std::size_t c) {
      const double scale = state_.at(name + ".weight")[c] / std::sqrt(state_.at(name + ".running_var")[c] + eps);
      return (value - state_.at(name + ".running_mean")[c]) * scale + state_.at(name + ".bias")[c];
    });
  }

  NaiveNet& relu() {
    return each([](double value, std::size_t) { return std::max(value, 0.0); });
  }

  NaiveNet& max_pool(std::int64_t kernel, std::int64_t stride, std::int64_t padding) {
    const std::int64_t h = (h_ + 2 * padding - kernel) / stride + 1, w = (w_ + 2 * padding - kernel) / stride + 1;
    Values pooled(static_cast<std::size_t>(h * w * c_), -INFINITY);
    for (std::int64_t i = 0; i < h * w * c_ * kernel * kernel; ++i) {
      const std::int64_t tap = i % (kernel * kernel), at = i / (kernel * kernel), place = at / c_;
      const std::int64_t y = place / w * stride - padding + tap / kernel;
      const std::int64_t x = place % w * stride - padding + tap % kernel;
      if (y < 0 || y >= h_ || x < 0 || x >= w_) continue;
      double& largest = pooled[static_cast<std::size_t>(at)];
      largest = std::max(largest, values_[static_cast<std::size_t>((y * w_ + x) * c_ + at % c_)]);
    }
    h_ = h, w_ = w, values_ = pooled;
    return *this;
  }

  NaiveNet& mean() {
    Values means(static_cast<std::size_t>(c_), 0.0);
    for (std::size_t i = 0; i < values_.size(); ++i) {
      means[i % means.size()] += values_[i] / static_cast<double>(h_ * w_);
    }
    values_ = means;
    return *this;
  }

  Values linear(const std::string& name) const {
    Values result = state_.at(name + ".bias");
    for (std::size_t o = 0; o < result.size(); ++o) {
      for (std::size_t i = 0; i < values_.size(); ++i) {
        result[o] += state_.at(name + ".weight")[o * values_.size() + i] * values_[i];
      }
    }
    return result;
  }

 private:
  bool has(const std::string& name) const { return state_.count(name) == 1; }

  Values plain(kernels::Conv2dShape s, const std::string& name) {
    s.o = outputs_.at(name + ".weight");
    return naive::conv2d(s, values_, state_.at(name + ".weight"), state_[name + ".bias"]);
  }

  template <class Function>
  NaiveNet& each(Function function) {
    for (std::size_t i = 0; i < values_.size(); ++i) values_[i] = function(values_[i], i % std::size_t(c_));
    return *this;
  }

  Rules rules_;
  std::int64_t h_, w_, c_;
  Values values_;
  std::map<std::string, Values> state_;
  std::map<std::string, std::int64_t> outputs_;
};

// Other values than the initial ones everywhere, such that offsets are about a pixel.
void randomise(Module& net) {
  Generator generator(3);
  for (auto& [name, tensor] : net.state_dict()) {
    const auto fan_in = static_cast<double>(tensor.numel() / tensor.size(0));
    init::normal_(tensor, tensor.dim() > 1 ? 0 : 0.2, tensor.dim() > 1 ? std::sqrt(2 / fan_in) : 0.1, generator);
    if (name.ends_with("running_var")) init::uniform_(tensor, 0.5, 2, generator);
  }
}

// The logits of one random image must be those of `naive`, a function of that image's NaiveNet.
template <class Naive>
void check_net(const std::string& experiment, const Shape& image_shape, Rules rules, Naive naive) {
  for (const std::string& model : apps::experiment(experiment).models) {
    INFO(experiment << " " << model);
    const ModuleHolder net = apps::experiment(experiment).make_net(model);
    net->to(DType::float64);
    randomise(*net);
    net->eval();
    Generator generator(9);
    const Tensor image = rand(image_shape, {.dtype = DType::float64}, generator);
    const NoGrad no_grad;
    const Values logits = (*net)(image).to_vector<double>();
    NaiveNet reference(*net, image, rules);
    const Values expected = naive(reference);
    REQUIRE(logits.size() == 10);
    for (std::size_t i = 0; i < 10; ++i) CHECK(logits[i] == Approx(expected[i]).epsilon(1e-8).margin(1e-8));
  }
}

struct Spread {
  double mean = 0, std = 0, largest = 0;
};

Spread spread(const Module& net, const std::string& name) {
  const NamedTensors state = net.state_dict();
  const auto found = std::find_if(state.begin(), state.end(), [&](const auto& entry) { return entry.first == name; });
  REQUIRE(found != state.end());
  Spread result;
  const std::vector<float> values = found->second.to_vector<float>();
  for (const double value : values) {
    result.mean += value / double(values.size());
    result.std += value * value / double(values.size());
    result.largest = std::max(result.largest, std::abs(value));
  }
  result.std = std::sqrt(result.std - result.mean * result.mean);
  return result;
}

// Calls `see` with every net of the experiments and its drawing.
void each_drawing(const std::function<void(Module&, const std::string&)>& see) {
  for (const apps::Experiment* experiment : apps::experiments()) {
    for (const std::string& model : experiment->models) {
      INFO(experiment->name << " " << model);
      ModuleHolder net = experiment->make_net(model);
      const Shape image = experiment->data == "mnist" ? Shape{1, 28, 28, 1} : Shape{1, 32, 32, 3};
      see(*net, graph_dot(*net, zeros(image)));
    }
  }
}

}  // namespace

TEST_CASE("E0's nets compute what its description says", "[cpu]") {
  check_net("E0", {1, 28, 28, 1}, {.offset_limit_fraction = 0.25, .mask_scale = 2}, [](NaiveNet& net) {
    net.conv("conv1").relu().max_pool(2, 2, 0).conv("conv2").relu().max_pool(2, 2, 0).conv("conv3").relu();
    return net.conv("conv4").relu().conv("conv5").relu().mean().linear("fc");
  });
}

TEST_CASE("E1's nets compute what its description says", "[cpu]") {
  check_net("E1", {1, 28, 28, 1}, {}, [](NaiveNet& net) {
    return net.conv("conv1").relu().conv("conv2").relu().max_pool(4, 2, 1).conv("conv3").relu().linear("fc");
  });
}

TEST_CASE("E2's nets compute what its description says", "[cpu]") {
  check_net("E2", {1, 32, 32, 3}, {}, [](NaiveNet& net) {
    net.conv("conv1").batch_norm("bn1", 1e-5).relu();
    return net.conv("conv2").batch_norm("bn2", 1e-5).mean().linear("fc");
  });
}

TEST_CASE("E3's nets compute what their header says", "[cpu]") {
  check_net("E3", {1, 28, 28, 1}, {}, [](NaiveNet& net) {
    net.conv("conv1").batch_norm("bn1", 1e-5).relu().max_pool(2, 2, 0);
    net.conv("conv2").batch_norm("bn2", 1e-5).relu().max_pool(2, 2, 0);
    return net.conv("conv3").batch_norm("bn3", 1e-5).relu().mean().linear("fc");
  });
}

TEST_CASE("E4's nets compute what its description says", "[cpu]") {
  check_net("E4", {1, 28, 28, 1}, {}, [](NaiveNet& net) {
    net.conv("conv11").batch_norm("bn11", 1e-3).relu().conv("conv12", 2, false).batch_norm("bn12", 1e-3).relu();
    net.conv("conv21").batch_norm("bn21", 1e-3).relu().conv("conv22", 2, false).batch_norm("bn22", 1e-3).relu();
    return net.mean().linear("fc");
  });
}

TEST_CASE("the nets start as their experiments say") {
  manual_seed(1);
  const ModuleHolder e1 = apps::e1().make_net("deform-v1");
  for (const auto& [name, fan_in] : {std::pair("conv2.weight", 288), {"conv3.weight", 288}, {"fc.weight", 6272}}) {
    INFO(name);
    CHECK(spread(*e1, name).std == Approx(std::sqrt(1.0 / fan_in)).epsilon(0.05));
    CHECK(spread(*e1, name).largest > 3 * std::sqrt(1.0 / fan_in));  // normal, not cut off
  }
  for (const char* name :
       {"conv1.bias", "conv2.bias", "fc.bias", "conv2.offset_conv.weight", "conv3.offset_conv.bias"}) {
    CHECK(spread(*e1, name).largest == 0);
  }

  const ModuleHolder e2 = apps::e2().make_net("deform-v2");
  const double bound = 1 / std::sqrt(9 * 64.0);
  for (const char* name : {"conv2.weight", "conv2.offset_conv.weight", "conv2.mask_conv.weight"}) {
    CHECK(spread(*e2, name).largest == Approx(bound).epsilon(0.01));
    CHECK(spread(*e2, name).std == Approx(bound / std::sqrt(3.0)).epsilon(0.05));
  }
  for (const auto& [name, tensor] : e2->named_parameters()) {
    if (name.ends_with("bias")) CHECK((name == "bn1.bias" || name == "bn2.bias" || name == "fc.bias"));
  }

  const ModuleHolder e4 = apps::e4().make_net("deform-v1");
  // A normal distribution cut off at two standard deviations has 0.8796 of its spread.
  CHECK(spread(*e4, "conv22.weight").std == Approx(0.08796).epsilon(0.02));
  CHECK(spread(*e4, "conv22.weight").largest <= 0.2f);
  CHECK(spread(*e4, "fc.weight").largest == Approx(std::sqrt(6 / 138.0)).epsilon(0.01));
  CHECK(spread(*e4, "conv21.bias").largest == 0);
  CHECK(spread(*e4, "conv11.offset_conv.weight").largest == 0);
  CHECK(spread(*e4, "bn21.weight").mean == 1);
}

TEST_CASE("a net that is not there is named") {
  CHECK_THROWS_WITH(apps::experiment("E9"), "experiment is 'E9', expected E0, E1, E2, E3, E4");
  CHECK_THROWS_WITH(apps::e1().make_net("deform-v2"), "model is 'deform-v2', expected regular, deform-v1");
  CHECK_THROWS_WITH(apps::CifarNet("regular", {64}), "conv_ch is [64], expected two numbers of at least 1");
  CHECK(apps::CifarNet("deform-v2", {5, 7}).conv2->num_parameters() == 9 * 5 * (7 + 27));
}

TEST_CASE("E2's nets are known by their weights", "[cpu]") {
  const TemporaryDirectory folder;
  const std::string path = folder.path("net.safetensors");
  manual_seed(4);
  apps::CifarNet net("deform-v2", {3, 5});
  support::save_weights(path, net, {.experiment = "E2", .model = "deform-v2"}, {});
  const apps::TrainedNet read = apps::load_net(path, Device::cpu());
  CHECK(apps::CifarNet::channels_of(read.net->state_dict()) == std::vector<std::int64_t>{3, 5});
  const Tensor images = rand({2, 32, 32, 3});
  const NoGrad no_grad;
  CHECK((*read.net)(images).to_vector<float>() == net(images).to_vector<float>());
  CHECK_THROWS_WITH(apps::CifarNet::from_state("regular", {}), "there is no conv1.weight, as a net of E2 has");
}

TEST_CASE("E3's nets differ in the kind of their convolutions alone and are known by their weights", "[cpu]") {
  apps::GeometryNet regular("regular", 3, {4, 6, 5, 7});
  const apps::GeometryNet deformable("deform-v1", 3, {4, 6, 5, 7});
  std::map<std::string, Shape> shapes;
  for (const auto& [name, tensor] : regular.state_dict()) shapes.emplace(name, tensor.shape());
  CHECK(shapes.at("conv4.weight") == Shape{7, 3, 3, 5});
  CHECK(shapes.count("conv4.bias") == 0);
  std::string offsets;
  for (const auto& [name, tensor] : deformable.state_dict()) {
    INFO(name);
    if (shapes.count(name) == 1) {
      CHECK(tensor.shape() == shapes.at(name));
      shapes.erase(name);
    } else {
      offsets += name + " ";
    }
  }
  CHECK(shapes.empty());
  CHECK(offsets ==
        "conv2.offset_conv.weight conv2.offset_conv.bias conv3.offset_conv.weight conv3.offset_conv.bias "
        "conv4.offset_conv.weight conv4.offset_conv.bias ");

  randomise(regular);
  regular.eval();
  NamedTensors in_another_order = regular.state_dict();
  std::reverse(in_another_order.begin(), in_another_order.end());
  apps::GeometryNet copy = apps::GeometryNet::from_state("regular", in_another_order);
  copy.eval();
  CHECK(copy.in_channels() == 3);
  const Tensor images = rand({2, 32, 32, 3});
  const NoGrad no_grad;
  CHECK(copy(images).to_vector<float>() == regular(images).to_vector<float>());
  CHECK_THROWS_WITH(apps::GeometryNet::from_state("regular", {}), "there is no conv1.weight, as a net of E3 has");
  CHECK_THROWS_WITH(apps::GeometryNet("regular", 1, {64}),
                    "channels is [64], expected two numbers or more, of at least 1");
  CHECK_THROWS_WITH(apps::GeometryNet("deform-v2"), "model is 'deform-v2', expected regular, deform-v1");
}

TEST_CASE("a deformable net of E4 starts as the regular one computes, and learns offsets alone", "[cpu]") {
  manual_seed(2);
  apps::FourConvNet regular("regular"), net("deform-v1");
  randomise(regular);
  net.load_regular(regular.state_dict());
  const std::vector<Tensor> trained = net.freeze_all_but_offsets();
  CHECK(trained.size() == 8);

  const Tensor images = rand({4, 28, 28, 1});
  regular.eval();
  const std::vector<float> expected = regular(images).to_vector<float>(), found = net(images).to_vector<float>();
  for (std::size_t i = 0; i < expected.size(); ++i) CHECK(found[i] == Approx(expected[i]).epsilon(1e-4).margin(1e-4));

  std::map<std::string, std::vector<float>> before;
  for (const auto& [name, tensor] : net.state_dict()) before[name] = tensor.to_vector<float>();
  Adam optimizer(trained, {.lr = 1e-2});
  cross_entropy(net(images), from_vector<std::int64_t>({1, 2, 3, 4})).backward();
  optimizer.step();
  for (const auto& [name, tensor] : net.state_dict()) {
    INFO(name);
    CHECK((tensor.to_vector<float>() != before[name]) == (name.find("offset_conv") != std::string::npos));
  }

  CHECK_THROWS_WITH(net.load_regular({}), Catch::Matchers::Contains("is missing"));
}

TEST_CASE("drawings of the nets have all their parameters and buffers", "[cpu]") {
  each_drawing([](Module& net, const std::string& dot) {
    std::size_t boxes = 0;
    for (std::size_t at = dot.find("shape=box"); at != std::string::npos; at = dot.find("shape=box", at + 1)) ++boxes;
    CHECK(boxes == 2 + net.named_parameters().size() + net.named_buffers().size());  // and the input and the output
    CHECK_THAT(dot, !Contains("constant"));
  });
}

TEST_CASE("Graphviz draws the nets", "[cpu]") {
  if (run_shell("command -v dot").status != 0) {
    deft::testing::skip("there is no dot");
    return;
  }
  const TemporaryDirectory folder;
  each_drawing([&](Module&, const std::string& dot) {
    write_file(folder.path("net.dot"), dot);
    CHECK(run_shell("dot -Tsvg -o " + folder.path("net.svg") + " " + folder.path("net.dot")).output.empty());
    CHECK_THAT(read_file(folder.path("net.svg")), Contains("</svg>"));
  });
}
