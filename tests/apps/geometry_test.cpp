// What experiment E3 does to its images, and the program geometry as users run it, on a few images.
#include <cmath>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "deft/apps/experiments/cells.h"
#include "deft/apps/support/canvas.h"
#include "deft/core/file.h"
#include "deft/core/safetensors.h"
#include "deft/data/random.h"
#include "deft/kernels/runtime/error.h"

#include "catch.h"
#include "few_images.h"
#include "program.h"
#include "temporary_directory.h"
#include "test_device.h"
#include "uniform.h"

using namespace deft;
using Catch::Matchers::Contains;
namespace fs = std::filesystem;

namespace {

const std::string device = to_string(testing::test_device());
const std::string quiet_on_device = " --no-progress --device " + device;
// Two steps.
const std::string tiny = " --limit 24 --batch-size 12 --epochs 1 --channels 4,4";

// MNIST and CIFAR-10 side by side.
struct Files {
  Files() {
    write_few_mnist(directory.root() / "mnist", "train");
    write_few_mnist(directory.root() / "mnist", "t10k");
    write_few_cifar10(directory.root() / "cifar10");
  }

  std::string arguments(const std::string& out) const {
    return quiet_on_device + " --data " + directory.root().string() + " --out " + directory.path(out) + " ";
  }
  /// Runs cells on these files, with results in the folder `out` beside them; returns what the program says.
  std::string run(const std::string& out, const std::string& more) const {
    const ProgramResult result = geometry("run" + tiny + arguments(out) + more);
    INFO(result.output);
    REQUIRE(result.status == 0);
    return result.output;
  }
  nlohmann::json json(const std::string& name) const { return nlohmann::json::parse(text(name)); }
  std::string text(const std::string& name) const { return read_file(directory.path(name)); }

  TemporaryDirectory directory;
};

void check_error(const std::string& arguments, const std::string& error) {
  const ProgramResult result = geometry(arguments);
  CHECK(result.status == 1);
  CHECK(result.output == "geometry: " + error + "\n");
}

std::string names(const std::vector<std::string>& words) {
  std::string text;
  for (const apps::Cell& cell : apps::select_cells(words)) text += cell.name() + " ";
  return text;
}

AffineMatrix drawn(const apps::Row& row, std::uint64_t index) {
  PhiloxSequence random = draws(0, Draw::augment, 0, index);
  return draw_matrix(row.transform.steps, {28, 28}, random);
}

}  // namespace

TEST_CASE("E3 turns by up to 45 degrees and shifts by up to a fifth of the side, in black") {
  for (const apps::Row& row : apps::e3().rows) {
    INFO(row.name);
    CHECK(row.transform.interpolation == Interpolation::bilinear);
    CHECK(row.transform.border == Border::constant);
    CHECK_FALSE(row.transform.fill.has_value());
    const bool turns = row.name.find("rotated") != std::string::npos;
    const bool shifts = row.name.find("translated") != std::string::npos;
    std::vector<double> angles, down, right;
    for (std::uint64_t i = 0; i < 4000; ++i) {
      const AffineMatrix m = drawn(row, i);
      REQUIRE(m.xx * m.yy - m.xy * m.yx == Approx(1));
      REQUIRE(m.xx == Approx(m.yy));
      angles.push_back(std::atan2(m.yx, m.xx) * 180 / std::acos(-1.0));
      // The matrix leads back: in = turn · (out − shift), so the shift is −turn⁻¹ · offset, turn⁻¹ the transpose.
      down.push_back(-(m.xy * m.x + m.yy * m.y));
      right.push_back(-(m.xx * m.x + m.yx * m.y));
    }
    check_uniform(angles, turns ? -45 : 0, turns ? 45 : 0);
    check_uniform(down, shifts ? -5.6 : 0, shifts ? 5.6 : 0);
    check_uniform(right, shifts ? -5.6 : 0, shifts ? 5.6 : 0);
  }
}

TEST_CASE("E3 has twelve cells, and words that mean some of them") {
  CHECK(apps::cells().size() == 12);
  CHECK(names({}).find("mnist-plain-regular mnist-plain-deform-v1 mnist-rotated-regular ") == 0);
  CHECK(names({"cifar10", "mnist-rotated-deform-v1"}) ==
        "mnist-rotated-deform-v1 cifar10-plain-regular cifar10-plain-deform-v1 cifar10-rotated-regular "
        "cifar10-rotated-deform-v1 ");
  CHECK(names({"mnist-rotated", "mnist-rotated"}) == "mnist-rotated-regular mnist-rotated-deform-v1 ");
  CHECK(apps::select_cells({"regular"}).size() == 6);
  CHECK_THROWS_WITH(names({"mnist", "mnist-rotatd"}),
                    "--cells: unknown cell 'mnist-rotatd', did you mean 'mnist-rotated'?");
  CHECK(apps::selection_row().name == "mnist-rotated-translated");
}

TEST_CASE("geometry runs all cells in one command and shows the table", "[long]") {
  const Files files;
  const std::string output = files.run("all", "");
  CHECK_THAT(output,
             Contains("cell 1 of 12: mnist-plain-regular\n") && Contains("cell 12 of 12: cifar10-rotated-deform-v1\n"));

  const nlohmann::json records = files.json("all/summary.json").at("cells");
  REQUIRE(records.size() == 12);
  const std::vector<double> published = {98.82, 99.10, 95.78, 98.27, 95.71, 98.27,
                                         87.28, 94.03, 67.36, 68.52, 53.01, 55.16};
  for (std::size_t i = 0; i < records.size(); ++i) {
    const nlohmann::json& record = records[i];
    const std::string name = record.at("cell");
    INFO(name);
    CHECK(name == apps::cells()[i].name());
    CHECK(record.at("published") == published[i]);
    const nlohmann::json run = files.json("all/" + name + "/summary.json");
    CHECK(run.at("experiment") == "E3");
    CHECK(run.at("model") == record.at("model"));
    CHECK(record.at("accuracy").get<double>() == Approx(100 * run.at("final_accuracy").get<double>()));
    CHECK(record.at("seconds").get<double>() ==
          Approx(run.at("seconds_per_epoch")[0].get<double>() + run.at("test_seconds_per_epoch")[0].get<double>()));
  }
  CHECK_THAT(output, Contains("\nMNIST rotated and translated  "));

  // What is done is not done again, and what is missing is; the table has all.
  const std::string weights = files.text("all/cifar10-rotated-regular/last.safetensors");
  const std::string summary = files.text("all/mnist-plain-deform-v1/summary.json");
  const std::string page = files.text("all/mnist-rotated-deform-v1/report.html");
  CHECK_THAT(page, Contains("Test on MNIST rotated") && Contains("The 24 test images."));
  CHECK((page.find("The first training images of MNIST rotated.") != std::string::npos) == support::can_draw());
  const std::string cell = files.directory.path("all/mnist-rotated-deform-v1");
  CHECK_THAT(scaled_mnist("report " + cell).output,
             Contains("scaled_mnist: " + cell + ": is a run of E3, expected one of E0, E1, E4\n"));
  fs::remove_all(files.directory.path("all/cifar10-rotated-regular"));
  const std::string again = files.run("all", "--resume");
  CHECK_THAT(again, Contains("cell 2 of 12: mnist-plain-deform-v1 is done\n") &&
                        Contains("cell 11 of 12: cifar10-rotated-regular\n"));
  CHECK(files.text("all/cifar10-rotated-regular/last.safetensors") == weights);
  CHECK(files.text("all/mnist-plain-deform-v1/summary.json") == summary);
  CHECK(files.text("all/mnist-rotated-deform-v1/report.html") == page);
  CHECK(again.substr(again.rfind("\naccuracy  ")) == output.substr(output.rfind("\naccuracy  ")));

  // Some cells alone leave the others in the table as their folders say, unless their settings are other ones.
  for (const auto& [name, accuracy] :
       {std::pair("cifar10-rotated-regular", 0.5), {"cifar10-rotated-deform-v1", 0.75}}) {
    nlohmann::json run = files.json("all/" + std::string(name) + "/summary.json");
    run["final_accuracy"] = accuracy;
    write_file(files.directory.path("all/" + std::string(name) + "/summary.json"), run.dump());
  }
  CHECK_THAT(
      files.run("all", "--resume --cells mnist-rotated"),
      Contains("\nCIFAR-10 rotated              50.00 %    53.01 %    75.00 %    55.16 %      +25.00      +2.15\n"));
  CHECK(files.json("all/summary.json").at("cells").size() == 12);
  CHECK_THAT(files.run("all", "--lr 0.01 --cells mnist-rotated-regular"),
             Contains("MNIST                               –"));
  CHECK(files.json("all/summary.json").at("cells").size() == 1);
  CHECK_THAT(geometry("run --resume --cells cifar10-plain-regular --lr 0.01" + tiny + files.arguments("all")).output,
             Contains("checkpoint.safetensors: was written with lr 0.002, this run has lr 0.01\n"));
}

TEST_CASE("a cell of geometry goes on from its checkpoint to the same bits", "[long]") {
  const Files files;
  // A GPU adds up the input gradient of a deformable convolution in whatever order its threads come.
  const std::string cell =
      device == "cpu" ? "--cells mnist-rotated-translated-deform-v1" : "--cells mnist-rotated-translated-regular";
  const std::string folder = cell.substr(cell.rfind(' ') + 1) + "/last.safetensors";
  files.run("whole", cell + " --epochs 2 --threads 1");
  files.run("parts", cell + " --threads 2");
  files.run("parts", cell + " --epochs 2 --threads 2 --resume");
  CHECK(files.text("whole/" + folder) == files.text("parts/" + folder));
  CHECK(load_safetensors(files.directory.path("whole/" + folder)).metadata.at("epoch") == "2");
}

TEST_CASE("geometry chooses a regular net without test images, and run takes the choice as its preset", "[long]") {
  const TemporaryDirectory directory;
  write_few_mnist(directory.root(), "train");
  const std::string here = quiet_on_device + " --data " + directory.root().string() + " --limit 40";
  const ProgramResult result = geometry("select --nets 4-4,6-4-5 --lrs 0.001,0.01 --epochs 2 --batch-size 18 --out " +
                                        directory.path("select") + here);
  INFO(result.output);
  REQUIRE(result.status == 0);
  CHECK_THAT(result.output,
             Contains("36 training and 4 validation images") && Contains("\n6-4-5                  0.01         540 "));
  double best = 0;
  for (const char* name : {"4-4-lr0.001", "4-4-lr0.01", "6-4-5-lr0.001", "6-4-5-lr0.01"}) {
    const nlohmann::json run =
        nlohmann::json::parse(read_file(directory.path("select/" + std::string(name) + "/summary.json")));
    CHECK(run.at("model") == "regular");
    CHECK(run.at("evaluation") == "validation");
    best = std::max(best, run.at("best_accuracy").get<double>());
  }
  const std::string preset = directory.path("select/preset.json");
  const nlohmann::json chosen = nlohmann::json::parse(read_file(preset));
  std::string name;
  for (const auto& channels : chosen.at("channels")) name += channels.dump() + "-";
  name += "lr" + chosen.at("lr").dump();
  const nlohmann::json run = nlohmann::json::parse(read_file(directory.path("select/" + name + "/summary.json")));
  CHECK(run.at("best_accuracy") == best);
  CHECK(run.at("best_epoch") == chosen.at("epochs"));

  write_few_mnist(directory.root(), "t10k");
  const std::string candidate = directory.path("select/4-4-lr0.001");
  CHECK_THAT(geometry("report " + candidate + quiet_on_device).output,
             Contains("checkpoint.safetensors: is not the checkpoint of a cell that `geometry run` trained\n"));
  CHECK_FALSE(fs::exists(candidate + "/report.html"));
  const ProgramResult trained = geometry("run --cells mnist-plain-regular --max-steps 1 --config " + preset +
                                         " --out " + directory.path("run") + here);
  INFO(trained.output);
  CHECK(trained.status == 0);
}

TEST_CASE("geometry tests a trained net on all images of its data set, as scaled_mnist does", "[long]") {
  const Files files;
  files.run("run", "--cells mnist-rotated-regular,cifar10-plain-regular");
  const auto line = [&](const char* title, const std::string& cell) {
    char text[64];
    std::snprintf(text, sizeof text, "\n%s  %7.2f %%\n", title,
                  100 * files.json("run/" + cell + "/summary.json").at("final_accuracy").get<double>());
    return std::string(text);
  };
  const std::string here = quiet_on_device + " --limit 24 --data " + files.directory.root().string() + " --weights ";
  const std::string digits = files.directory.path("run/mnist-rotated-regular");
  const std::string pictures = files.directory.path("run/cifar10-plain-regular");
  CHECK_THAT(geometry("eval" + here + digits).output,
             Contains(line("MNIST rotated               ", "mnist-rotated-regular")) &&
                 Contains("\nMNIST rotated and translated "));
  CHECK_THAT(
      geometry("eval" + here + pictures).output,
      Contains(line("CIFAR-10                    ", "cifar10-plain-regular")) && Contains("\nCIFAR-10 rotated "));

  CHECK_THAT(scaled_mnist("eval" + here + digits + "/last.safetensors").output,
             Contains(line("   rotated", "mnist-rotated-regular")));
  CHECK_THAT(scaled_mnist("eval" + here + pictures).output,
             Contains("last.safetensors: the net is for images of cifar10, expected one for mnist\n"));
}

TEST_CASE("the preset of E3 runs", "[long]") {
  const Files files;
  const ProgramResult result =
      geometry("run --config " DEFT_CONFIGS "/e3.json --limit 8 --max-steps 1 --quiet --cells cifar10-rotated" +
               files.arguments("preset"));
  INFO(result.output);
  CHECK(result.status == 0);
  CHECK(result.output.empty());
  CHECK(files.json("preset/summary.json").at("cells").size() == 2);
}

TEST_CASE("geometry names what does not fit") {
  const TemporaryDirectory directory;
  check_error("run --cells mnist-rotate", "--cells: unknown cell 'mnist-rotate', did you mean 'mnist-rotated'?");
  check_error("run --cells mnist,,cifar10", "--cells is 'mnist,,cifar10', expected strings with commas between them");
  check_error("run --channels 8 --data synthetic --limit 8 --cells mnist-plain --out " + directory.path("run"),
              "channels is [8], expected two numbers or more, of at least 1");
  check_error("select --nets 8-x --data synthetic", "--nets: '8-x' is not a net such as 32-64-64");
  check_error("select --nets 8-0 --data synthetic", "--nets: '8-0' is not a net such as 32-64-64");
  check_error("select --lrs 0.1,fast", "--lrs is 'fast', expected numbers with commas between them");
  check_error("select --limit 4 --data synthetic", "select: a tenth of 4 images is none to validate with");
  check_error("eval", "--weights is required: weights file of a cell's run, or its folder");

  // Before anything is trained.
  fs::create_directories(directory.path("old/mnist-plain-regular"));
  write_file(directory.path("old/mnist-plain-regular/summary.json"), "[]");
  check_error("run --data synthetic --limit 8 --cells mnist-rotated --out " + directory.path("old"),
              directory.path("old") + "/mnist-plain-regular/summary.json: holds array, expected a JSON object");
  const ProgramResult missing =
      geometry("run --data synthetic --limit 8 --out " + directory.path("none") + quiet_on_device);
  CHECK(missing.output == "geometry: data: 'synthetic' stands in only for mnist, not for cifar10\n");
  CHECK_FALSE(fs::exists(directory.path("none")));

  CHECK_THAT(geometry("eval --weights e0_regular").output,
             Contains("e0_regular.safetensors: experiment is 'E0', expected E3\n"));
  const std::string path = directory.path("w.safetensors");
  save_safetensors(path, {.tensors = {}, .metadata = {{"experiment", "E3"}, {"model", "regular"}}});
  check_error("eval --weights " + path, path + ": there is no conv1.weight, as a net of E3 has");
}
