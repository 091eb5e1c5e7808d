// The program cifar10 as users run it, on a few random images in CIFAR-10's files.
#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "deft/apps/support/canvas.h"
#include "deft/core/file.h"
#include "deft/core/safetensors.h"
#include "deft/data/loader.h"
#include "deft/data/locate.h"
#include "deft/layers/conv2d.h"

#include "catch.h"
#include "few_images.h"
#include "program.h"
#include "temporary_directory.h"
#include "test_device.h"

using Catch::Matchers::Contains;
using deft::read_file;

namespace {

const std::string device = to_string(deft::testing::test_device());
// Four images are held out, and three steps trained.
const std::string tiny = " --limit 40 --batch-size 12 --conv-ch 4,6 --no-progress --device " + device;

class Files {
 public:
  Files() { write_few_cifar10(directory.root()); }

  /// Runs a command on these files, with its results in the folder `out` beside them.
  ProgramResult run(const std::string& command, const std::string& out, const std::string& arguments) const {
    return cifar10(command + tiny + " --data " + directory.root().string() + " --outdir " + directory.path(out) + " " +
                   arguments);
  }
  std::string train(const std::string& out, const std::string& arguments) const {
    const ProgramResult result = run("train", out, arguments);
    INFO(result.output);
    REQUIRE(result.status == 0);
    return directory.path(out) + "/train";
  }

  TemporaryDirectory directory;
};

void check_error(const std::string& arguments, const std::string& error) {
  const ProgramResult result = cifar10(arguments);
  CHECK(result.status == 1);
  CHECK(result.output == "cifar10: " + error + "\n");
}

}  // namespace

TEST_CASE("cifar10 takes the configuration files of E2's authors", "[long]") {
  const Files files;
  const std::string train_json = files.directory.path("train.json"), test_json = files.directory.path("test.json");
  const std::string out = files.directory.path("result");
  deft::write_file(train_json, R"({"outdir": ")" + out + R"(", "model_type": 3, "conv_ch": [4, 6], "batch_size": 12,
      "test_size": 0.1, "random_seed": 0, "learning_rate": 0.001, "weight_decay": 0.01, "num_epoch": 2,
      "save_epoch_freq": 2})");
  deft::write_file(test_json, R"({"outdir": ")" + out + R"(", "model_type": 3, "model": ")" + out +
                                  R"(/train/epoch-2.safetensors", "conv_ch": [4, 6], "batch_size": 12})");
  const std::string here =
      " --limit 40 --no-progress --device " + device + " --data " + files.directory.root().string();
  const ProgramResult train = cifar10("train --config " + train_json + here);
  INFO(train.output);
  REQUIRE(train.status == 0);
  CHECK_THAT(train.output, Contains("36 training and 4 held-out images") && Contains("validation loss"));
  CHECK_THAT(read_file(out + "/train/log.csv"), Contains("validation_loss,validation_accuracy"));
  const auto summary = nlohmann::json::parse(read_file(out + "/train/summary.json"));
  CHECK(summary["model"] == "deform-v2");
  CHECK(summary["evaluation"] == "validation");
  CHECK(summary["seed"] == 0);

  const ProgramResult test = cifar10("test --config " + test_json + here);
  INFO(test.output);
  REQUIRE(test.status == 0);
  const auto result = nlohmann::json::parse(read_file(out + "/test/summary.json"));
  CHECK(result["images"] == 40);
  char accuracy[32];
  std::snprintf(accuracy, sizeof accuracy, "accuracy %.2f %%", 100 * result["accuracy"].get<double>());
  CHECK_THAT(test.output, Contains(accuracy));

  // The report tests the last weights too.
  const std::string html = read_file(out + "/train/report.html");
  std::snprintf(accuracy, sizeof accuracy, "\"value\">%.2f\u00a0%%", 100 * result["accuracy"].get<double>());
  CHECK_THAT(html, Contains(accuracy) && Contains("best validation accuracy") && Contains("airplane"));
  CHECK((html.find("<h2>Training images</h2>") != std::string::npos) == deft::support::can_draw());
  const ProgramResult report = cifar10("report " + out + " --no-progress --device " + device);
  CHECK(report.output == out + "/train/report.html\n");
  CHECK(read_file(out + "/train/report.html") == html);
}

TEST_CASE("cifar10 gives the same bits after a break and for any number of threads", "[long]") {
  const Files files;
  const std::string model = device == "cpu" ? "--model-type 3" : "--model-type 1";
  const std::string whole = files.train("whole", model + " --num-epoch 2 --threads 1");
  const std::string parts = files.train("parts", model + " --num-epoch 1 --threads 2");
  files.train("parts", model + " --num-epoch 2 --threads 2 --resume");
  CHECK(read_file(whole + "/last.safetensors") == read_file(parts + "/last.safetensors"));

  const ProgramResult other = files.run("train", "parts", model + " --resume --test-size 0.2");
  CHECK_THAT(other.output, Contains("was written with test_size 0.1, this run has test_size 0.2"));
}

namespace {

// Per channel.
struct Statistics {
  std::vector<double> mean, var;

  void move(const Statistics& to, double momentum) {
    for (std::size_t c = 0; c < mean.size(); ++c) {
      mean[c] += momentum * (to.mean[c] - mean[c]);
      var[c] += momentum * (to.var[c] - var[c]);
    }
  }
};

// Unbiased ones of values [..., 4].
Statistics statistics(const std::vector<float>& values) {
  Statistics result;
  const std::size_t count = values.size() / 4;
  for (std::size_t c = 0; c < 4; ++c) {
    double sum = 0, squares = 0;
    for (std::size_t i = 0; i < count; ++i) sum += values[4 * i + c];
    const double mean = sum / static_cast<double>(count);
    for (std::size_t i = 0; i < count; ++i) squares += std::pow(values[4 * i + c] - mean, 2);
    result.mean.push_back(mean);
    result.var.push_back(squares / static_cast<double>(count - 1));
  }
  return result;
}

// A run of one epoch whose weights stand still (learning rate 0): 4 training and 36 held-out images in batches of 4.
class StillRun {
 public:
  explicit StillRun(const std::string& arguments) {
    const std::string run = files_.train(
        "run", "--num-epoch 1 --learning-rate 0 --test-size 0.9 --batch-size 4 --random-seed 5 " + arguments);
    state_ = deft::load_safetensors(run + "/last.safetensors").tensors;
    parts_ = split_validation(load_data("cifar10", deft::Part::train, files_.directory.root().string(), 40), 0.9, 5);
    REQUIRE(parts_.validation.size() == 36);
  }

  // The statistics of each batch before bn1.
  std::vector<Statistics> batches(const deft::Dataset& images, bool shuffle) const {
    const deft::DataLoader loader(images,
                                  {.batch_size = 4, .shuffle = shuffle, .seed = 5, .device = deft::Device::cpu()});
    std::vector<Statistics> result;
    for (const deft::Batch& batch : loader.epoch(1)) {
      result.push_back(statistics(conv2d(batch.images, tensor("conv1.weight"), {.padding = 1}).to_vector<float>()));
    }
    return result;
  }
  std::vector<Statistics> training() const { return batches(parts_.train, true); }
  std::vector<Statistics> held_out() const { return batches(parts_.validation, false); }

  void check_running(const Statistics& expected) const {
    for (std::size_t c = 0; c < 4; ++c) {
      CHECK(tensor("bn1.running_mean").to_vector<float>()[c] == Approx(expected.mean[c]).epsilon(1e-4));
      CHECK(tensor("bn1.running_var").to_vector<float>()[c] == Approx(expected.var[c]).epsilon(1e-4));
    }
  }

 private:
  deft::Tensor tensor(const std::string& name) const {
    return std::find_if(state_.begin(), state_.end(), [&](const auto& entry) { return entry.first == name; })->second;
  }

  Files files_;
  deft::NamedTensors state_;
  deft::TrainValidation parts_;
};

}  // namespace

// E2's authors never call eval(): each epoch ends with the held-out batches, in order, in training mode.
TEST_CASE("cifar10 moves the running statistics by the held-out images too") {
  const StillRun run("");
  Statistics expected{std::vector<double>(4, 0.0), std::vector<double>(4, 1.0)};
  for (const Statistics& batch : run.training()) expected.move(batch, 0.1);
  for (const Statistics& batch : run.held_out()) expected.move(batch, 0.1);
  run.check_running(expected);
}

TEST_CASE("cifar10 --update-bn takes the running statistics of the training images") {
  const StillRun run("--update-bn");
  REQUIRE(run.training().size() == 1);
  run.check_running(run.training()[0]);
}

TEST_CASE("the presets of E2 run", "[long]") {
  const Files files;
  for (const auto& [preset, model] :
       {std::pair("e2_regular", "regular"), {"e2_deform_v1", "deform-v1"}, {"e2_deform_v2", "deform-v2"}}) {
    const std::string run =
        files.train(preset, "--max-steps 1 --config " DEFT_CONFIGS "/" + std::string(preset) + ".json");
    CHECK(deft::load_safetensors(run + "/last.safetensors").metadata.at("model") == model);
  }
}

TEST_CASE("cifar10 names what does not fit") {
  const Files files;
  check_error("train --model-type 4", "model_type is 4, expected 1, 2 or 3");
  check_error("train --conv-ch 64", "conv_ch is [64], expected two numbers of at least 1");
  check_error("train --conv-ch 64,x", "--conv-ch is 'x', expected integers with commas between them");
  check_error("test", "--outdir is required: the folder of the run, where the result goes too");
  check_error("test --outdir /nowhere", "/nowhere/train/last.safetensors: cannot open: No such file or directory");
  CHECK_THAT(cifar10("train --data synthetic").output, Contains("'synthetic' stands in only for mnist"));
  CHECK_THAT(files.run("train", "run", "--test-size 1").output,
             Contains("test_size is 1, which makes 0 training and 40 held-out images of 40"));

  const std::string run = files.train("run", "--num-epoch 1");
  CHECK_THAT(files.run("test", "run", "--model-type 2").output,
             Contains("last.safetensors: holds E2's regular net, expected E2's deform-v1 net (model_type 2)"));
  CHECK_THAT(files.run("test", "run", "--conv-ch 4,7").output,
             Contains("last.safetensors: conv_ch is 4,6, expected 4,7\n"));
}
