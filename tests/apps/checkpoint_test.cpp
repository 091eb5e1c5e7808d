// Checkpoints of other runs and damaged ones.
#include "deft/apps/support/checkpoint.h"

#include "deft/kernels/runtime/error.h"
#include "deft/layers/linear.h"
#include "deft/optim/sgd.h"

#include "catch.h"
#include "temporary_directory.h"

using namespace deft;
using namespace deft::support;
using Catch::Matchers::Contains;
using Catch::Matchers::StartsWith;

namespace {

// A layer in training, with the state of a run of no epochs.
struct Run {
  explicit Run(std::int64_t outputs = 2)
      : model(3, outputs), optimizer(model.parameters(), {.lr = 0.1}), scheduler(optimizer, {.step_size = 1}) {}

  Linear model;
  SGD optimizer;
  StepLR scheduler;
  TrainingState state{model, optimizer, scheduler};
};

}  // namespace

TEST_CASE("a checkpoint of another model is refused with its file's name") {
  const TemporaryDirectory directory;
  const std::string path = directory.path("c.safetensors");
  save_checkpoint(path, Run().state, {{"seed", "1"}}, Device::cpu());
  Run other(5);
  CHECK_THROWS_WITH(load_checkpoint(path, other.state, {{"seed", "1"}}), StartsWith(path + ": "));
}

TEST_CASE("settings are compared as they were written, text or not") {
  const TemporaryDirectory directory;
  const std::string path = directory.path("c.safetensors");
  const std::map<std::string, std::string> settings = {{"init", "run\xff.safetensors"}};  // no UTF-8
  Run run;
  save_checkpoint(path, run.state, settings, Device::cpu());
  load_checkpoint(path, run.state, settings);
  CHECK_THROWS_WITH(load_checkpoint(path, run.state, {{"init", "x"}}), Contains("this run has init x"));

  Safetensors file = load_safetensors(path);
  file.metadata["settings"] = R"({"init": 3})";
  save_safetensors(path, file);
  CHECK_THROWS_WITH(load_checkpoint(path, run.state, {{"init", "x"}}),
                    path + ": was written with init 3, this run has init x");
}
