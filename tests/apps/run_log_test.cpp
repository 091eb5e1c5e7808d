// Charts, event files and drawings of training runs.
#include "deft/apps/support/run_log.h"

#include <cmath>
#include <filesystem>
#include <map>

#include "deft/apps/support/canvas.h"
#include "deft/apps/support/curves.h"
#include "deft/data/image.h"
#include "deft/kernels/runtime/error.h"

#include "event_records.h"
#include "few_digits.h"
#include "picture_pixels.h"

using namespace deft;
using namespace deft::support;
using Catch::Matchers::Contains;
namespace fs = std::filesystem;

namespace {

const RunInfo info{.experiment = "E9",
                   .model = "regular",
                   .seed = 3,
                   .data = "MNIST rotated, here",
                   .evaluation = "validation",
                   .device = "cpu"};

// Epoch e takes 10 s of training and 2 s of evaluation and has loss 1 / e.
History history_of(int epochs) {
  History history;
  for (int e = 1; e <= epochs; ++e) {
    history.epochs.push_back({.epoch = e,
                              .learning_rate = 0.5,
                              .train_loss = 1.0 / e,
                              .train_accuracy = 0.25,
                              .test = {.accuracy = 0.125 * e, .per_scale = {{"0.5", 0.0625 * e}}},
                              .seconds = 10,
                              .test_seconds = 2});
  }
  return history;
}

std::vector<std::string> event_files(const std::string& folder) {
  std::vector<std::string> paths;
  for (const auto& entry : fs::directory_iterator(folder)) {
    if (entry.path().filename().string().starts_with("events.")) paths.push_back(entry.path().string());
  }
  return paths;
}

// The scalars of the one event file of a folder, by step and tag; each may stand there once.
std::map<std::pair<std::uint64_t, std::string>, Scalar> scalars_in(const std::string& folder) {
  const std::vector<std::string> files = event_files(folder);
  REQUIRE(files.size() == 1);
  std::map<std::pair<std::uint64_t, std::string>, Scalar> scalars;
  for (const Scalar& scalar : scalars_of(files[0])) {
    INFO(scalar.tag << " at step " << scalar.step);
    CHECK(scalars.emplace(std::pair(scalar.step, scalar.tag), scalar).second);
  }
  return scalars;
}

}  // namespace

TEST_CASE("a run's event file holds every epoch once, with the times at which they ended", "[cpu]") {
  if (!can_write_events()) {
    deft::testing::skip("built without protobuf");
    return;
  }
  const TemporaryDirectory folder;
  const std::string path = folder.root().string();
  {
    RunLog first(RunDirectory(path), info);
    first.start({});
    CHECK(event_files(path).empty());
    first.add_epoch(history_of(1));
    CHECK(scalars_in(path).size() == 7);
  }
  RunLog resumed(RunDirectory(path), info);
  resumed.start(history_of(2));
  resumed.add_epoch(history_of(3));

  auto scalars = scalars_in(path);
  CHECK(scalars.size() == 3 * 7);  // a loss that was not measured is left out
  for (std::uint64_t step = 1; step <= 3; ++step) {
    const auto value = [&](const char* tag) { return scalars.at({step, tag}).value; };
    const auto e = static_cast<float>(step);
    CHECK(value("loss/train") == 1 / e);
    CHECK(value("accuracy/train") == 0.25f);
    CHECK(value("accuracy/validation") == 0.125f * e);
    CHECK(value("accuracy_at_scale/0.5") == 0.0625f * e);
    CHECK(value("learning_rate") == 0.5f);
    CHECK(value("seconds/train") == 10);
    CHECK(value("seconds/validation") == 2);
  }
  const auto ended = [&](std::uint64_t step) { return scalars.at({step, "loss/train"}).wall_time; };
  CHECK(ended(2) - ended(1) == Approx(12).margin(1));
}

TEST_CASE("a run's folder is cleared of what runs have written and of nothing else", "[cpu]") {
  const TemporaryDirectory folder;
  const RunDirectory directory(folder.root().string());
  RunLog log(directory, info);
  log.start(history_of(1));
  for (const char* name : {"notes.txt", "epoch-.safetensors", "epoch-7.safetensors.bak",
                           "events.out.tfevents.1700000000.host.1.0", "events.out.tfevents.17.deft.x"}) {
    write_file(folder.path(name), "");
  }
  write_file(directory.snapshot(12), "");
  write_file(directory.graph(), "");
  directory.remove_results();
  CHECK(std::distance(fs::directory_iterator(folder.root()), fs::directory_iterator()) == 5);
}

TEST_CASE("curves show percents, and no line of what was not measured", "[cpu]") {
  const LineChart loss = loss_chart(info, history_of(2)), accuracy = accuracy_chart(info, history_of(2));
  CHECK(loss.title == "E9, MNIST rotated, regular, seed 3: loss");
  REQUIRE(loss.series.size() == 1);
  CHECK(loss.series[0].name == "training");
  REQUIRE(accuracy.series.size() == 2);
  CHECK(accuracy.y_label == "accuracy in %");
  CHECK(accuracy.series[0].points[1].y == 25);
  CHECK(accuracy.series[1].name == "validation, best 25.00 % in epoch 2");
  CHECK(accuracy.series[1].points[1].x == 2);
  CHECK(accuracy.series[1].points[1].y == 25);
}

TEST_CASE("a picture that cannot be written is an error with its path", "[cpu]") {
  if (without_cairo()) return;
  const TemporaryDirectory folder;
  fs::create_directories(folder.path("accuracy.png/in the way"));
  RunLog log(RunDirectory(folder.root().string()), info);
  CHECK_THROWS_WITH(log.start(history_of(1)), Contains("accuracy.png: ") && !Contains("\n"));
}

TEST_CASE("a run draws its net and its curves, and goes on with them when it is resumed") {
  const TemporaryDirectory directory;
  const std::string out = train(directory, "run", "--model deform-v2 --epochs 1");
  const std::string graph = read_file(out + "/graph.dot");
  CHECK_THAT(graph, Contains("label=\"offset_conv.weight\\n[18, 3, 3, 32]\"") && Contains("deform_conv2d"));
  fs::remove(out + "/loss.png");
  fs::remove(out + "/graph.dot");
  const ProgramResult resumed = scaled_mnist(tiny + " --model deform-v2 --epochs 1 --resume --out " + out);
  REQUIRE(resumed.status == 0);
  const bool says_so = resumed.output.find("left out: ") != std::string::npos;
  CHECK(says_so == !(can_draw() && can_write_events()));
  CHECK(read_file(out + "/graph.dot") == graph);
  train(directory, "run", "--model deform-v2 --epochs 2 --resume");

  if (can_draw()) {
    for (const char* name : {"/loss.png", "/accuracy.png"})
      CHECK(load_image(out + name).shape() == Shape{780, 1290, 3});
  }
  if (can_write_events()) {
    const auto scalars = scalars_in(out);
    CHECK(scalars.size() == 2 * (7 + 11));
    CHECK(scalars.contains({2, "accuracy_at_scale/1.5"}));
  }
}
