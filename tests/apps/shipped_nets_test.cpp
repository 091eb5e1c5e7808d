// The trained nets that come with deft, as the programs use them.
#include "deft/apps/experiments/shipped_nets.h"

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "deft/apps/support/canvas.h"
#include "deft/core/file.h"

#include "few_digits.h"
#include "picture_pixels.h"
#include "real_mnist.h"

using Catch::Matchers::Contains;
using deft::read_file;
namespace fs = std::filesystem;

TEST_CASE("eval and predict take a net that comes with deft when no weights are given") {
  const TemporaryDirectory directory;
  const std::string few = " --no-progress --data synthetic --limit 8" + on_device;
  CHECK_THAT(scaled_mnist("eval" + few).output, Contains("/e0_deform_v2.safetensors: E0, deform-v2, on 8 test images"));
  CHECK_THAT(scaled_mnist("eval --weights e0_regular" + few).output,
             Contains("/e0_regular.safetensors: E0, regular, "));

  // A file of the user's own comes before the name.
  const ProgramResult own = run_shell("cd " + directory.root().string() +
                                      " && : > e0_regular && " DEFT_SCALED_MNIST " eval --weights e0_regular" + few);
  CHECK_THAT(own.output, Contains("scaled_mnist: e0_regular: "));

  deft::write_file(directory.path("blank.pgm"),
                   "P5 28 28 255\n" + std::string(28 * 14, '\0') + std::string(28 * 14, '\xff'));
  CHECK(scaled_mnist("predict " + directory.path("blank.pgm") + on_device).status == 0);
}

TEST_CASE("visualize takes nets that come with deft when no weights are given") {
  if (without_cairo()) return;
  const TemporaryDirectory directory;
  const std::string out = directory.path("picture.png");
  for (const char* command : {"offsets", "gradient"}) {
    const ProgramResult result =
        visualize(command + std::string(" --size 28 --data synthetic --out ") + out + on_device);
    INFO(result.output);
    CHECK(result.status == 0);
    CHECK(fs::remove(out));
  }
}

TEST_CASE("a net that should come with deft and is not there is named") {
  const TemporaryDirectory directory;
  fs::create_directory(directory.path("bin"));
  fs::copy(DEFT_SCALED_MNIST, directory.path("bin/scaled_mnist"));
  const std::string root = fs::canonical(directory.root()).string();
  CHECK_THAT(scaled_mnist("eval --weights ''").output,
             Contains("scaled_mnist: --weights is empty, expected a weights"));
  const ProgramResult result = run_shell(directory.path("bin/scaled_mnist") + " eval");
  CHECK(result.status == 1);
  CHECK(result.output == "scaled_mnist: " + root +
                             "/share/deft/models/e0_deform_v2.safetensors: is missing, the net e0_deform_v2 that comes "
                             "with deft; --weights names another one\n");
}

TEST_CASE("eval writes what it measures as JSON") {
  const TemporaryDirectory directory;
  const std::string file = directory.path("eval.json");
  const std::string arguments = "eval --no-progress --data synthetic --limit 8 --json " + file + on_device;
  REQUIRE(scaled_mnist(arguments).status == 0);
  const auto result = nlohmann::json::parse(read_file(file));
  CHECK(result["experiment"] == "E0");
  CHECK(result["model"] == "deform-v2");
  CHECK(result["images"] == 8);
  double mean = 0;
  for (const auto& [scale, accuracy] : result["accuracy"].items()) mean += scale == "mean" ? 0 : accuracy.get<double>();
  CHECK(result["accuracy"]["mean"].get<double>() == Approx(mean / 11));

  const std::string e4 = train(directory, "e4", "--experiment E4 --epochs 1");
  REQUIRE(scaled_mnist(arguments + " --weights " + e4).status == 0);
  CHECK(nlohmann::json::parse(read_file(file))["accuracy"].size() == 2);
  const ProgramResult blocked = scaled_mnist(arguments + " --json " + file + "/x");
  CHECK(blocked.status == 1);
  CHECK_THAT(blocked.output, Contains("scaled_mnist: " + file + "/x: cannot create: Not a directory\n"));
}

TEST_CASE("the nets that come with deft recognise MNIST's digits", "[long]") {
  if (!real_mnist()) return;
  const TemporaryDirectory directory;
  const std::vector<std::string> names = deft::apps::shipped_nets();
  REQUIRE(std::find(names.begin(), names.end(), deft::apps::default_net) != names.end());
  for (const std::string& name : names) {
    const std::string file = directory.path(name);
    INFO(name);
    REQUIRE(scaled_mnist("eval --limit 100 --no-progress --weights " + name + " --json " + file + on_device).status ==
            0);
    const auto accuracy = nlohmann::json::parse(read_file(file))["accuracy"];
    CHECK(accuracy[accuracy.contains("plain") ? "plain" : "1.0"].get<double>() > 0.95);  // on all images, 0.97 to 0.99
  }
}
