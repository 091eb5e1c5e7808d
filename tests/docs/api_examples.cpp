// The examples of docs/api.md and README.md. Their lines stand in the pages letter for letter; the checks below them do not.
#include <cmath>
#include <filesystem>

#include "deft/deft.h"

#include "catch.h"
#include "temporary_directory.h"

namespace fs = std::filesystem;

namespace {

struct Net : deft::Module {
  deft::Conv2d conv1 = add("conv1", deft::Conv2d(1, 32, {.kernel_size = 3, .padding = 1}));
  deft::DeformConv2d conv2 =
      add("conv2", deft::DeformConv2d(32, 32, {.kernel_size = 3, .padding = 1, .modulated = true}));
  deft::Linear fc = add("fc", deft::Linear(32, 10));

  deft::Tensor forward(const deft::Tensor& x) override {
    auto h = max_pool2d(relu(conv1(x)), {.kernel_size = 2});
    h = relu(conv2(h));
    return fc(global_avg_pool2d(h));
  }
};

deft::Tensor double_relu(const deft::Tensor& x) { return relu(x) * 2; }

deft::Tensor square(const deft::Tensor& x) {
  deft::Tensor y = x.detach() * x.detach();
  deft::record("square", {x}, {}, {y},
               {.saved = {x}, .apply = [](const deft::BackwardContext& context) -> std::vector<deft::Tensor> {
                  return {2 * context.saved(0) * context.grad()};
                }});
  return y;
}

// Examples that write files name them relatively; this keeps them out of the build folder.
class WorkingDirectory {
 public:
  WorkingDirectory() : before_(fs::current_path()) { fs::current_path(directory_.root()); }
  ~WorkingDirectory() { fs::current_path(before_); }

 private:
  TemporaryDirectory directory_;
  fs::path before_;
};

}  // namespace

TEST_CASE("example: tensors") {
  deft::Tensor a = deft::from_vector<float>({1, 2, 3, 4, 5, 6}, {2, 3});
  deft::Tensor b = deft::ones({3}, {.dtype = deft::DType::float32});
  deft::Tensor c = (a + b) / 2;              // broadcasting as in NumPy
  deft::Tensor rows = sum(c, {1});           // one axis; none means all
  deft::Tensor t = permute(c, {1, 0});       // a copy; reshape shares its elements
  float first = rows.to_vector<float>()[0];  // (2 + 3 + 4) / 2
  double total = sum(c).item();              // the only element
  deft::Tensor half = slice(a, 0, 0, 1);     // the first row, sharing its elements
  std::string text = deft::to_string(t);     // elements, type and shape
  CHECK(first == 4.5f);
  CHECK(total == 13.5);
  CHECK(half.shape() == deft::Shape{1, 3});
  CHECK_THAT(text, Catch::Matchers::Contains("float32 [3, 2]"));
}

TEST_CASE("example: gradients") {
  deft::Tensor x = deft::from_vector<float>({1, 2, 3}).set_requires_grad();
  deft::Tensor y = sum(x * x);
  y.backward();
  std::vector<float> grad = x.grad().to_vector<float>();  // 2, 4, 6
  CHECK(grad == std::vector<float>{2, 4, 6});

  {
    const deft::NoGrad no_grad;  // nothing inside is recorded
    x.copy_(x - 0.1 * x.grad());
  }
  x.set_grad({});
  CHECK(x.to_vector<float>()[1] == Approx(1.6));
}

TEST_CASE("example: a model and its training step") {
  deft::manual_seed(1);  // initial weights, dropout and random tensors follow from it
  Net net;
  deft::Tensor images = deft::randn({8, 28, 28, 1});
  deft::Tensor labels = deft::randint(0, 10, {8});

  deft::Adam optimizer(net.parameters(), {.lr = 1e-3});
  deft::StepLR schedule(optimizer, {.step_size = 1, .gamma = 0.7});

  deft::Tensor loss = cross_entropy(net(images), labels);
  optimizer.zero_grad();
  loss.backward();
  deft::clip_grad_norm_(net.parameters(), 1.0);
  optimizer.step();
  schedule.step();
  CHECK(std::isfinite(loss.item()));
  CHECK(optimizer.lr() == Approx(0.7e-3));

  deft::Tensor logits = net(images);
  deft::Tensor weighted = cross_entropy(logits, labels, {.weight = deft::full({10}, 0.5), .ignore_index = 9});
  deft::Tensor soft = cross_entropy(logits, softmax(deft::randn({8, 10})), {.label_smoothing = 0.1});
  double norm = deft::clip_grad_norm_(net.parameters(), 1.0, {.error_if_nonfinite = true});
  CHECK(std::isfinite(weighted.item()));
  CHECK(std::isfinite(soft.item()));
  CHECK(norm > 0);

  std::string table = deft::to_string(deft::summarize(net, images));
  CHECK_THAT(table, Catch::Matchers::Contains("deform_positions"));

  std::string drawing = deft::graph_dot(net, images);
  CHECK_THAT(drawing, Catch::Matchers::StartsWith("digraph model {"));
}

TEST_CASE("example: saving and loading") {
  const WorkingDirectory scratch;
  Net net;
  deft::save_safetensors("net.safetensors", {.tensors = net.state_dict(), .metadata = {{"model", "net"}}});

  Net other;
  other.load_state_dict(deft::load_safetensors("net.safetensors").tensors);
  other.eval();
  CHECK(other.fc.weight->to_vector<float>() == net.fc.weight->to_vector<float>());

  Net copy = net;               // the same parameters
  Net twin = deft::clone(net);  // parameters of its own
  CHECK(copy.fc.weight->data<float>() == net.fc.weight->data<float>());
  CHECK(twin.fc.weight->data<float>() != net.fc.weight->data<float>());
}

TEST_CASE("example: devices") {
  const deft::Device device = deft::cuda_device_count() > 0 ? deft::Device::cuda() : deft::Device::cpu();
  Net net;
  net.to(device);  // an optimizer made before now trains the moved parameters
  deft::Tensor images = deft::randn({8, 28, 28, 1}, {.device = device});
  std::vector<float> logits = net(images).to_vector<float>();
  CHECK(logits.size() == 80);

  const deft::Device before = deft::default_device();
  deft::set_default_device(device);
  deft::set_matmul_precision(deft::MatmulPrecision::tf32);
  CHECK(deft::zeros({1}).device() == device);
  CHECK(deft::matmul_precision() == deft::MatmulPrecision::tf32);
  deft::set_default_device(before);
  deft::set_matmul_precision(deft::MatmulPrecision::highest);
}

TEST_CASE("example: convolutions on the CPU") {
  deft::set_conv2d_algorithm(deft::Conv2dAlgorithm::direct);
  CHECK(deft::conv2d_algorithm() == deft::Conv2dAlgorithm::direct);
  deft::set_conv2d_algorithm(deft::Conv2dAlgorithm::automatic);
}

TEST_CASE("example: replacing a layer") {
  Net net;
  net.replace("fc", net.fc, deft::Linear(32, 4));           // four classes instead of ten
  deft::Adam optimizer(net.fc.parameters(), {.lr = 1e-3});  // made afterwards, so that it trains the new layer
  CHECK(net(deft::ones({1, 8, 8, 1})).shape() == deft::Shape{1, 4});
  CHECK(net.parameters().back().impl() == net.fc.bias->impl());
  CHECK(optimizer.groups()[0].parameters.size() == 2);
}

TEST_CASE("example: freezing all but the offsets") {
  Net net;
  net.freeze();
  net.conv2.offset_conv.freeze(false);
  deft::Adam optimizer(net.conv2.offset_conv.parameters(), {.lr = 1e-4});
  CHECK(optimizer.groups().size() == 1);
  CHECK_FALSE(net.fc.weight->requires_grad());
}

TEST_CASE("example: the bare deformable convolution") {
  deft::Tensor input = deft::randn({2, 14, 14, 32});
  deft::Tensor offset = deft::zeros({2, 14, 14, 2 * 9});  // (dy, dx) per tap of a 3×3 kernel
  deft::Tensor mask = deft::ones({2, 14, 14, 9});
  deft::Tensor weight = deft::randn({64, 3, 3, 32});
  deft::Tensor output = deform_conv2d(input, offset, weight, {.mask = mask, .padding = 1});

  // With offsets of 0 and masks of 1 it is an ordinary convolution.
  deft::Tensor same = conv2d(input, weight, {.padding = 1});
  CHECK(max(abs(output - same)).item() < 1e-3);
  CHECK(output.shape() == deft::Shape{2, 14, 14, 64});
}

TEST_CASE("example: data") {
  deft::Dataset digits = deft::synthetic_digits(1000, deft::Part::train, 1);
  deft::TrainValidation parts = deft::split_validation(digits, 0.1, 1);
  deft::DataLoader loader(parts.train,
                          {.batch_size = 64,
                           .shuffle = true,
                           .transform = {.steps = {deft::random_affine({.angle = {-15, 15}, .scale = {0.8, 1.2}})},
                                         .mean = {0.1307},
                                         .std = {0.3081}}});
  std::int64_t seen = 0;
  for (const deft::Batch& batch : loader.epoch(0)) {
    seen += batch.images.size(0);  // float32 [64, 28, 28, 1]; batch.labels is int64 [64]
  }
  CHECK(seen == 900);

  deft::Sequential normalised(deft::Conv2d(1, 8, {.kernel_size = 3}), deft::BatchNorm2d(8));
  update_bn(loader.epoch(0), normalised);
  CHECK(max(abs(normalised.named_buffers()[0].second)).item() > 0);
}

TEST_CASE("example: data sets by name") {
  const WorkingDirectory folder;
  fs::create_directories("torchvision_root/FashionMNIST/raw");
  deft::write_file("torchvision_root/FashionMNIST/raw/train-labels-idx1-ubyte",
                   std::string("\0\0\x08\1\0\0\0\1\x09", 9));
  deft::write_file("torchvision_root/FashionMNIST/raw/train-images-idx3-ubyte",
                   std::string("\0\0\x08\3\0\0\0\1\0\0\0\x1c\0\0\0\x1c", 16) + std::string(28 * 28, '\0'));
  deft::Dataset fashion = deft::load_data("fashionmnist", deft::Part::train, "torchvision_root");
  CHECK(fashion.class_names.at(9) == "Ankle boot");
}

TEST_CASE("example: functions of one's own") {
  deft::Tensor x = deft::from_vector<double>({-1, 0.5, 2}).set_requires_grad();
  CHECK(deft::gradcheck([](const std::vector<deft::Tensor>& inputs) { return square(inputs[0]); }, {x}));
  CHECK(deft::gradcheck([](const std::vector<deft::Tensor>& inputs) { return double_relu(inputs[0]); }, {x}));
}

TEST_CASE("example: traces") {
  Net net;
  deft::Trace trace;
  net(deft::randn({1, 28, 28, 1}));
  std::string listing;
  for (const deft::TracedOp& op : trace.ops()) {
    listing += op.module + " " + op.op + " " + to_string(op.outputs[0].shape) + "\n";
  }
  CHECK_THAT(listing, Catch::Matchers::StartsWith("conv1 conv2d [1, 28, 28, 32]"));
}
