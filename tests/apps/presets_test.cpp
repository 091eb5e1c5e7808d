// What scaled_mnist's experiments do besides E0's training: E1's images, E4's second step, and the presets.
#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "deft/apps/support/canvas.h"
#include "deft/core/file.h"
#include "deft/core/safetensors.h"

#include "few_digits.h"

using Catch::Matchers::Contains;
using Catch::Matchers::StartsWith;
using deft::read_file;
namespace fs = std::filesystem;

TEST_CASE("E1's training draws the same images for any number of threads and after a break", "[long]") {
  const TemporaryDirectory directory;
  const std::string e1 = device == "cpu" ? "--experiment E1 --model deform-v1" : "--experiment E1 --model regular";
  const std::string whole = train(directory, "whole", e1 + " --epochs 3 --save-epoch-freq 2 --threads 1");
  const std::string parts = train(directory, "parts", e1 + " --epochs 1 --threads 2");
  train(directory, "parts", e1 + " --epochs 3 --threads 2 --resume");
  CHECK(read_file(whole + "/last.safetensors") == read_file(parts + "/last.safetensors"));

  CHECK_FALSE(fs::exists(whole + "/epoch-1.safetensors"));
  CHECK(deft::load_safetensors(whole + "/epoch-2.safetensors").metadata.at("epoch") == "2");
  CHECK_THAT(read_file(whole + "/log.csv"),
             Contains("test_loss,test_accuracy,train_seconds,test_seconds,elapsed_seconds\n"));

  // The test images are those of the run, whoever tests.
  const auto last = deft::load_safetensors(whole + "/last.safetensors").metadata.at("accuracy");
  char line[32];
  std::snprintf(line, sizeof line, "expanded  %7.2f %%\n", 100 * std::stod(last));
  const ProgramResult eval =
      scaled_mnist("eval --data synthetic --no-progress --weights " + whole + "/last.safetensors" + limit + on_device);
  CHECK_THAT(eval.output, Contains(line));
}

TEST_CASE("finetune trains E4's offsets and nothing else", "[long]") {
  const TemporaryDirectory directory;
  const std::string regular = train(directory, "regular", "--experiment E4 --epochs 1");
  const auto finetune = [&](const std::string& name, const std::string& arguments) {
    return scaled_mnist("finetune" + tiny.substr(5) + " --lr 0.01 --regular " + regular + " --out " +
                        directory.path(name) + " " + arguments);
  };
  const ProgramResult result = finetune("whole", "--epochs 2");
  INFO(result.output);
  REQUIRE(result.status == 0);
  CHECK_THAT(result.output,
             Contains("test images    regular  deform-v1\n") && Contains("\nplain ") && Contains("\nscaled "));

  const auto before = deft::load_safetensors(regular + "/last.safetensors");
  const auto after = deft::load_safetensors(directory.path("whole/last.safetensors"));
  CHECK(after.metadata.at("model") == "deform-v1");
  std::size_t same = 0, offsets = 0;
  for (const auto& [name, tensor] : after.tensors) {
    INFO(name);
    if (name.find("offset_conv") != std::string::npos) {
      const std::vector<float> values = tensor.to_vector<float>();
      CHECK(std::any_of(values.begin(), values.end(), [](float value) { return value != 0; }));
      ++offsets;
      continue;
    }
    for (const auto& [old_name, old] : before.tensors) {
      if (name != old_name) continue;
      CHECK(tensor.to_vector<float>() == old.to_vector<float>());
      ++same;
    }
  }
  CHECK(offsets == 8);
  const auto says = [&](const std::string& run, const char* text) {
    return read_file(run + "/report.html").find(text) != std::string::npos;
  };
  CHECK(says(regular, "The first training images as they are.") == deft::support::can_draw());
  CHECK(says(directory.path("whole"), "The first training images, shifted by up to a pixel and zoomed out") ==
        deft::support::can_draw());
  CHECK(same == before.tensors.size());

  REQUIRE(finetune("parts", "--epochs 1 --threads 1").status == 0);
  REQUIRE(finetune("parts", "--epochs 2 --threads 2 --resume").status == 0);
  if (device == "cpu")
    CHECK(read_file(directory.path("whole/last.safetensors")) == read_file(directory.path("parts/last.safetensors")));

  const std::string e0 = train(directory, "e0", "--epochs 1");
  check_error("finetune --regular " + e0 + on_device,
              "--regular: " + e0 + "/best.safetensors holds E0's regular net, expected E4's regular net");
}

TEST_CASE("the presets hold what the experiments' descriptions say", "[cpu]") {
  const auto same = [](const std::string& preset, const nlohmann::json& expected) {
    INFO(preset);
    CHECK(nlohmann::json::parse(read_file(DEFT_CONFIGS "/" + preset + ".json")) == expected);
  };
  for (const std::string model : {"regular", "deform-v1", "deform-v2"}) {
    const std::string preset = "e0_" + (model == "regular" ? model : "deform_v" + model.substr(8));
    same(preset, {{"experiment", "E0"},
                  {"model", model},
                  {"epochs", 14},
                  {"batch_size", 64},
                  {"lr", 1e-3},
                  {"gamma", 0.7},
                  {"seed", 1}});
  }
  for (const auto& [preset, model] : {std::pair("e1_regular", "regular"), {"e1_deform_v1", "deform-v1"}}) {
    same(preset, {{"experiment", "E1"},
                  {"model", model},
                  {"epochs", 20},
                  {"batch_size", 100},
                  {"lr", 1e-3},
                  {"gamma", 1},
                  {"seed", 1},
                  {"save_epoch_freq", 1}});
  }
  for (const auto& [preset, type] : {std::pair("e2_regular", 1), {"e2_deform_v1", 2}, {"e2_deform_v2", 3}}) {
    same(preset, {{"model_type", type},
                  {"conv_ch", {64, 128}},
                  {"batch_size", 32},
                  {"test_size", 0.1},
                  {"random_seed", 1},
                  {"learning_rate", 1e-3},
                  {"weight_decay", 0.01},
                  {"num_epoch", 30},
                  {"save_epoch_freq", 30}});
  }
  same("e3",
       {{"channels", {32, 64, 64}}, {"epochs", 10}, {"batch_size", 64}, {"lr", 2e-3}, {"gamma", 0.8}, {"seed", 1}});
  same("e4_regular", {{"experiment", "E4"},
                      {"model", "regular"},
                      {"epochs", 10},
                      {"batch_size", 64},
                      {"lr", 1e-3},
                      {"gamma", 1},
                      {"seed", 1}});
  same("e4_deform_v1", {{"epochs", 10}, {"batch_size", 64}, {"lr", 1e-4}, {"seed", 1}});
}

TEST_CASE("the presets of the experiments run", "[long]") {
  const TemporaryDirectory directory;
  const std::string few = " --data synthetic --limit 8 --max-steps 1 --quiet" + on_device + " --out ";
  for (const auto& [preset, experiment, model] : {std::tuple("e0_regular", "E0", "regular"),
                                                  {"e0_deform_v1", "E0", "deform-v1"},
                                                  {"e0_deform_v2", "E0", "deform-v2"},
                                                  {"e1_regular", "E1", "regular"},
                                                  {"e1_deform_v1", "E1", "deform-v1"},
                                                  {"e4_regular", "E4", "regular"},
                                                  {"e4_deform_v1", "E4", "deform-v1"}}) {
    const std::string out = directory.path(preset), config = DEFT_CONFIGS "/" + std::string(preset) + ".json";
    const bool tunes = preset == std::string("e4_deform_v1");
    const ProgramResult result = scaled_mnist((tunes ? "finetune --regular " + directory.path("e4_regular") : "train") +
                                              " --config " + config + few + out);
    INFO(preset << ": " << result.output);
    REQUIRE(result.status == 0);
    const auto weights = deft::load_safetensors(out + "/last.safetensors");
    CHECK(weights.metadata.at("experiment") == experiment);
    CHECK(weights.metadata.at("model") == model);
  }
}

TEST_CASE("finetune looks for the regular net where train leaves it, and writes a folder of its own") {
  const TemporaryDirectory directory;
  const auto run = [&](const std::string& arguments) {
    return run_shell("cd " + directory.root().string() + " && " DEFT_SCALED_MNIST " " + arguments);
  };
  const std::string few = " --data synthetic --limit 8 --epochs 1 --quiet" + on_device;
  const ProgramResult missing = run("finetune --seed 3" + few);
  CHECK(missing.status == 1);
  CHECK(missing.output ==
        "scaled_mnist: --regular: runs/E4-regular-seed3 is missing; "
        "`scaled_mnist train --config apps/configs/e4_regular.json --seed 3` makes it\n");

  REQUIRE(run("train --experiment E4 --seed 3" + few).status == 0);
  const ProgramResult result = run("finetune --seed 3" + few);
  INFO(result.output);
  REQUIRE(result.status == 0);
  CHECK(fs::exists(directory.path("runs/E4-finetuned-seed3/last.safetensors")));
  CHECK_FALSE(fs::exists(directory.path("runs/E4-deform-v1-seed3")));
}

TEST_CASE("a run's folder stands for the weights that its experiment reports") {
  const TemporaryDirectory directory;
  for (const auto& [experiment, weights, epoch] :
       {std::tuple{"E0", "best.safetensors", "the best epoch"}, {"E4", "last.safetensors", "the last epoch"}}) {
    const std::string run = train(directory, experiment, std::string("--epochs 1 --experiment ") + experiment);
    const ProgramResult result =
        scaled_mnist("eval --data synthetic --limit 8 --no-progress --weights " + run + on_device);
    INFO(result.output);
    CHECK(result.status == 0);
    CHECK_THAT(result.output, StartsWith(run + "/" + weights + ": " + experiment));
    CHECK_THAT(read_file(run + "/report.html"), Contains(std::string("The weights are those of ") + epoch));
  }
}
