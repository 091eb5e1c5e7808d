// The golden file: every operation against PyTorch and torchvision, forward and backward.
#include <functional>
#include <set>

#include "deft/deft.h"

#include "catch.h"
#include "golden/golden_file.h"

using namespace deft;

namespace {

using Inputs = std::map<std::string, Tensor>;
using Operation = std::function<Tensor(const GoldenCase&, const Inputs&)>;

Size2 size(const GoldenCase& golden, const char* key) {
  return {golden.attributes.at(key).at(0).get<std::int64_t>(), golden.attributes.at(key).at(1).get<std::int64_t>()};
}

Padding2 padding(const GoldenCase& golden) {
  const Size2 both = size(golden, "padding");
  return {both.h, both.w};
}

Tensor optional_input(const Inputs& inputs, const char* name) {
  const auto found = inputs.find(name);
  return found == inputs.end() ? Tensor() : found->second;
}

Tensor run_conv2d(const GoldenCase& golden, const Inputs& inputs) {
  return conv2d(inputs.at("input"), inputs.at("weight"),
                {.bias = optional_input(inputs, "bias"),
                 .stride = size(golden, "stride"),
                 .padding = padding(golden),
                 .dilation = size(golden, "dilation"),
                 .groups = golden.attributes.at("groups")});
}

Tensor run_deform_conv2d(const GoldenCase& golden, const Inputs& inputs) {
  return deform_conv2d(inputs.at("input"), inputs.at("offset"), inputs.at("weight"),
                       {.mask = optional_input(inputs, "mask"),
                        .bias = optional_input(inputs, "bias"),
                        .stride = size(golden, "stride"),
                        .padding = padding(golden),
                        .dilation = size(golden, "dilation"),
                        .groups = golden.attributes.at("groups"),
                        .offset_groups = golden.attributes.at("offset_groups")});
}

Tensor run_max_pool2d(const GoldenCase& golden, const Inputs& inputs) {
  return max_pool2d(
      inputs.at("input"),
      {.kernel_size = size(golden, "kernel_size"), .stride = size(golden, "stride"), .padding = padding(golden)});
}

Tensor run_avg_pool2d(const GoldenCase& golden, const Inputs& inputs) {
  return avg_pool2d(inputs.at("input"), {.kernel_size = size(golden, "kernel_size"),
                                         .stride = size(golden, "stride"),
                                         .padding = padding(golden),
                                         .count_include_pad = golden.attributes.at("count_include_pad")});
}

const std::map<std::string, Operation>& operations() {
  static const std::map<std::string, Operation> table = {
      {"conv2d", run_conv2d},
      {"deform_conv2d", run_deform_conv2d},
      {"max_pool2d", run_max_pool2d},
      {"avg_pool2d", run_avg_pool2d},
      {"adaptive_avg_pool2d",
       [](const GoldenCase& golden, const Inputs& inputs) {
         return adaptive_avg_pool2d(inputs.at("input"), size(golden, "output_size"));
       }},
      {"linear",
       [](const GoldenCase&, const Inputs& inputs) {
         return linear(inputs.at("input"), inputs.at("weight"), optional_input(inputs, "bias"));
       }},
      {"relu", [](const GoldenCase&, const Inputs& inputs) { return relu(inputs.at("input")); }},
      {"sigmoid", [](const GoldenCase&, const Inputs& inputs) { return sigmoid(inputs.at("input")); }},
      {"tanh", [](const GoldenCase&, const Inputs& inputs) { return tanh(inputs.at("input")); }},
      {"softmax", [](const GoldenCase&, const Inputs& inputs) { return softmax(inputs.at("input"), -1); }},
      {"log_softmax", [](const GoldenCase&, const Inputs& inputs) { return log_softmax(inputs.at("input"), -1); }},
      {"cross_entropy",
       [](const GoldenCase& golden, const Inputs& inputs) {
         return reshape(cross_entropy(inputs.at("input"), golden.tensors.at("target"),
                                      {.label_smoothing = golden.attributes.at("label_smoothing")}),
                        {1});
       }},
  };
  return table;
}

void require_close(const GoldenCase& golden, const std::string& what, const Tensor& actual, DType dtype) {
  const double tolerance = dtype == DType::float64 ? 1e-9 : 1e-4;
  const double error = relative_error(actual, golden.tensor(what, DType::float64));
  INFO(golden.name << " (" << golden.op << ") " << to_string(dtype) << " " << what << ": error " << error);
  REQUIRE(error <= tolerance);
}

// Inputs are the tensors that have a gradient; everything else a case holds is read by name.
Inputs differentiable_inputs(const GoldenCase& golden, DType dtype) {
  Inputs inputs;
  for (const auto& [name, tensor] : golden.tensors) {
    if (name.rfind("grad_", 0) != 0 || name == "grad_output") continue;
    const std::string input = name.substr(5);
    inputs.emplace(input, to_channels_last(golden.tensor(input, dtype)).detach().set_requires_grad());
  }
  return inputs;
}

void check_gradients(const GoldenCase& golden, const Inputs& inputs, const Tensor& output, DType dtype) {
  require_close(golden, "output", to_channels_first(output), dtype);
  output.backward({.gradient = to_channels_last(golden.tensor("grad_output", dtype))});
  for (const auto& [name, tensor] : inputs) {
    REQUIRE(tensor.grad().defined());
    require_close(golden, "grad_" + name, to_channels_first(tensor.grad()), dtype);
  }
}

void check_operation(const GoldenCase& golden, DType dtype) {
  const Inputs inputs = differentiable_inputs(golden, dtype);
  REQUIRE(inputs.count("input") == 1);
  check_gradients(golden, inputs, operations().at(golden.op)(golden, inputs), dtype);
}

void check_batch_norm(const GoldenCase& golden, DType dtype) {
  const Inputs inputs = differentiable_inputs(golden, dtype);
  const Tensor mean = golden.tensor("running_mean_before", dtype).clone();
  const Tensor variance = golden.tensor("running_var_before", dtype).clone();
  const Tensor output = batch_norm(inputs.at("input"), {.running_mean = mean,
                                                        .running_var = variance,
                                                        .weight = inputs.at("weight"),
                                                        .bias = inputs.at("bias"),
                                                        .training = golden.attributes.at("training"),
                                                        .momentum = golden.attributes.at("momentum"),
                                                        .eps = golden.attributes.at("eps")});
  check_gradients(golden, inputs, output, dtype);
  require_close(golden, "running_mean_after", mean, dtype);
  require_close(golden, "running_var_after", variance, dtype);
}

std::unique_ptr<Optimizer> make_optimizer(const GoldenCase& golden, const std::vector<Tensor>& parameters) {
  const nlohmann::json& attributes = golden.attributes;
  for (const auto& [key, value] : attributes.items()) {
    static const std::set<std::string> known = {"name",  "op",           "kind",     "lr",  "momentum",
                                                "betas", "weight_decay", "nesterov", "eps", "dtype"};
    if (known.count(key) == 0) throw Error(golden.name + ": unknown optimizer attribute '" + key + "'");
  }
  const double lr = attributes.at("lr");
  const std::string kind = attributes.at("kind");
  if (kind == "sgd") {
    return std::make_unique<SGD>(parameters, SGDOptions{.lr = lr,
                                                        .momentum = attributes.value("momentum", 0.0),
                                                        .weight_decay = attributes.value("weight_decay", 0.0),
                                                        .nesterov = attributes.value("nesterov", false)});
  }
  AdamOptions options{.lr = lr,
                      .betas = attributes.value("betas", AdamOptions().betas),
                      .eps = attributes.value("eps", AdamOptions().eps),
                      .weight_decay = attributes.value("weight_decay", AdamOptions().weight_decay)};
  if (kind == "adam") return std::make_unique<Adam>(parameters, options);
  if (kind != "adamw") throw Error(golden.name + ": unknown optimizer '" + kind + "'");
  return std::make_unique<AdamW>(
      parameters, AdamWOptions{.lr = options.lr,
                               .betas = options.betas,
                               .eps = options.eps,
                               .weight_decay = attributes.value("weight_decay", AdamWOptions().weight_decay)});
}

void check_optimizer(const GoldenCase& golden, DType dtype) {
  constexpr int steps = 5;
  std::vector<Tensor> parameters;
  for (const char* name : {"param0_initial", "param1_initial"}) {
    parameters.push_back(golden.tensor(name, dtype).clone().set_requires_grad());
  }
  const auto optimizer = make_optimizer(golden, parameters);
  for (int step = 0; step < steps; ++step) {
    const auto tensor_name = [&](std::size_t i, const char* what) {
      return "param" + std::to_string(i) + "_" + what + std::to_string(step);
    };
    for (std::size_t i = 0; i < 2; ++i) parameters[i].set_grad(golden.tensor(tensor_name(i, "grad"), dtype));
    optimizer->step();
    for (std::size_t i = 0; i < 2; ++i) require_close(golden, tensor_name(i, "after"), parameters[i].detach(), dtype);
  }
}

// torchvision's affine with these attributes, as one matrix per image in the images' type.
Tensor affine_matrices(const GoldenCase& golden, const Tensor& images) {
  const nlohmann::json& attributes = golden.attributes;
  const AffineStep step = random_affine({.angle = attributes.at("angle").get<double>(),
                                         .scale = attributes.at("scale").get<double>(),
                                         .shear_y = attributes.at("shear").at(1).get<double>(),
                                         .shear_x = attributes.at("shear").at(0).get<double>(),
                                         .shift_y = attributes.at("translate").at(1).get<double>(),
                                         .shift_x = attributes.at("translate").at(0).get<double>()});
  PhiloxSequence unused(0, 0);
  const AffineMatrix matrix = draw_matrix({step}, {images.size(1), images.size(2)}, unused);
  std::vector<double> values;
  for (std::int64_t i = 0; i < images.size(0); ++i) {
    values.insert(values.end(), {matrix.xx, matrix.xy, matrix.x, matrix.yx, matrix.yy, matrix.y});
  }
  return from_vector(values, {images.size(0), 2, 3}).to(images.dtype());
}

// Where a bilinear sample reaches over the border, torchvision weights it with its share of the image once more, on top
// of the zeros that it already read outside, before it adds the fill; affine_warp blends pixels and fill once.
Tensor affine_bilinear(const Tensor& images, const Tensor& matrices, double fill) {
  const Tensor inside = ones({images.size(0), images.size(1), images.size(2), 1}, {.dtype = images.dtype()});
  const Tensor warped = affine_warp(cat({images, inside}, -1), matrices, {.interpolation = Interpolation::bilinear});
  const Tensor share = slice(warped, -1, -1, warped.size(-1));
  return slice(warped, -1, 0, -1) * share + (1 - share) * fill;
}

void check_affine(const GoldenCase& golden, DType dtype) {
  const bool nearest = golden.attributes.at("interpolation") == "nearest";
  if (nearest && dtype != golden.tensors.at("input").dtype()) return;  // other arithmetic, other pixels at ties
  const Tensor images = to_channels_last(golden.tensor("input", dtype));
  const Tensor matrices = affine_matrices(golden, images);
  const double fill = golden.attributes.at("fill");
  if (!nearest)
    return require_close(golden, "output", to_channels_first(affine_bilinear(images, matrices, fill)), dtype);
  const Tensor output = affine_warp(images, matrices, {.interpolation = Interpolation::nearest, .fill = {fill}});
  INFO(golden.name);
  REQUIRE(to_channels_first(output).to(DType::float64).to_vector<double>() ==
          golden.tensor("output", DType::float64).to_vector<double>());
}

void check(const GoldenCase& golden, DType dtype) {
  if (golden.op == "batch_norm2d") return check_batch_norm(golden, dtype);
  if (golden.op == "optimizer") return check_optimizer(golden, dtype);
  if (golden.op == "affine") return check_affine(golden, dtype);
  INFO(golden.name << ": unknown op '" << golden.op << "'");
  REQUIRE(operations().count(golden.op) == 1);
  check_operation(golden, dtype);
}

}  // namespace

TEST_CASE("every case of the golden files, in float64 and float32") {
  for (const GoldenCase& golden : read_golden_cases()) {
    INFO("case " << golden.name);
    for (const DType dtype : {DType::float64, DType::float32}) check(golden, dtype);
  }
}
