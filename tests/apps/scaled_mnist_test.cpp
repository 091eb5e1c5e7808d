// The program as users run it, on a few synthetic digits.
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>

#include "deft/apps/support/canvas.h"
#include "deft/apps/support/compare.h"
#include "deft/core/file.h"
#include "deft/core/safetensors.h"
#include "deft/kernels/runtime/dispatch.h"

#include "data/files.h"
#include "few_digits.h"
#include "picture_pixels.h"

using Catch::Matchers::Contains;
using deft::read_file;
namespace fs = std::filesystem;

namespace {

std::set<std::string> names_in(const std::string& folder) {
  std::set<std::string> names;
  for (const auto& entry : fs::directory_iterator(folder)) names.insert(entry.path().filename().string());
  return names;
}

}  // namespace

TEST_CASE("a training run leaves its summary, log, weights and settings") {
  const TemporaryDirectory directory;
  const std::string out = train(directory, "run", "--model deform-v2 --epochs 2 --seed 5 --threads 1");

  const auto summary = nlohmann::json::parse(read_file(out + "/summary.json"));
  CHECK(summary["experiment"] == "E0");
  CHECK(summary["model"] == "deform-v2");
  CHECK(summary["epochs"] == 2);
  CHECK(summary["seed"] == 5);
  CHECK(summary["threads"] == 1);
  CHECK(summary["device"] == device);
  CHECK(summary["precision"] == "highest");
  CHECK(summary["data"].get<std::string>().find("synthetic digits") == 0);
  CHECK(summary["seconds_per_epoch"].size() == 2);
  // conv1 to conv5 and fc, and the offset and mask convolutions of the last two.
  CHECK(summary["parameters"] == 320 + 4 * 9248 + 330 + 2 * (9 * 32 * 27 + 27));
  REQUIRE(summary["per_scale"].size() == 11);
  double mean = 0;
  for (const auto& accuracy : summary["per_scale"]) mean += accuracy.get<double>() / 11;
  CHECK(summary["best_accuracy"].get<double>() == Approx(mean));
  CHECK(summary["per_scale"].contains("0.5"));
  CHECK(summary["per_scale"].contains("1.5"));
  CHECK(summary["best_accuracy"].get<double>() >= summary["final_accuracy"].get<double>());

  std::ifstream log(out + "/log.csv");
  std::string line;
  std::getline(log, line);
  CHECK_THAT(line, Contains("epoch,learning_rate,train_loss,train_accuracy") && Contains("accuracy_at_0.5"));
  std::getline(log, line);
  CHECK(line.rfind("1,0.001,", 0) == 0);
  std::getline(log, line);
  CHECK(line.rfind("2,0.0007,", 0) == 0);

  const auto weights = deft::load_safetensors(out + "/last.safetensors");
  CHECK(weights.metadata.at("experiment") == "E0");
  CHECK(weights.metadata.at("model") == "deform-v2");
  CHECK(weights.metadata.at("epoch") == "2");
  CHECK(weights.metadata.at("seed") == "5");
  CHECK(std::stod(weights.metadata.at("accuracy")) == summary["final_accuracy"].get<double>());

  const auto config = nlohmann::json::parse(read_file(out + "/config.json"));
  CHECK(config["batch_size"] == batch_size);
  CHECK(config["model"] == "deform-v2");

  const ProgramResult eval = scaled_mnist("eval --data synthetic --no-progress --weights " + out + limit + on_device);
  CHECK(eval.status == 0);
  char best[32];
  std::snprintf(best, sizeof best, "mean  %7.2f %%\n", 100 * summary["best_accuracy"].get<double>());
  CHECK_THAT(eval.output, Contains(best));
}

TEST_CASE("a resumed run and another number of threads give the same bits") {
  const TemporaryDirectory directory;
  // A GPU adds up the input gradient of a deformable convolution in whatever order its threads come.
  const std::string model = device == "cpu" ? "--model deform-v2" : "--model regular";
  const std::string whole = train(directory, "whole", model + " --epochs 3 --threads 1");
  const std::string parts = train(directory, "parts", model + " --epochs 1 --threads 2");
  train(directory, "parts", model + " --epochs 3 --threads 2 --resume");
  CHECK(read_file(whole + "/last.safetensors") == read_file(parts + "/last.safetensors"));
  CHECK(read_file(whole + "/best.safetensors") == read_file(parts + "/best.safetensors"));

  const ProgramResult other = scaled_mnist(tiny + " " + model + " --resume --seed 2 --out " + parts);
  CHECK(other.status == 1);
  CHECK_THAT(other.output, Contains("checkpoint.safetensors: was written with seed 1, this run has seed 2"));

  const std::string again = tiny + " " + model + " --resume --out " + parts;
  CHECK_THAT(scaled_mnist(again + " --conv-algorithm direct").output,
             Contains("was written with conv_algorithm automatic, this run has conv_algorithm direct"));
  const std::string config = read_file(parts + "/config.json"), summary = read_file(parts + "/summary.json");
  const ProgramResult fewer = scaled_mnist(again + " --epochs 2");
  CHECK(fewer.status == 1);
  CHECK_THAT(fewer.output, Contains("checkpoint.safetensors: 3 epochs are done, more than the 2 of this run\n"));
  CHECK(read_file(parts + "/config.json") == config);

  // What is done keeps what its files say of it: this machine and these threads had no part in it.
  CHECK(scaled_mnist(again + " --epochs 3 --threads 1").status == 0);
  CHECK(read_file(parts + "/config.json") == config);
  CHECK(read_file(parts + "/summary.json") == summary);
  std::filesystem::remove(parts + "/summary.json");
  CHECK(scaled_mnist(again + " --epochs 3").status == 0);
  CHECK(nlohmann::json::parse(read_file(parts + "/summary.json"))["epochs"] == 3);
}

TEST_CASE("a run goes on from a checkpoint of another device") {
  const TemporaryDirectory directory;
  const auto run = [&](const std::string& name, const std::string& where, const std::string& arguments) {
    return train(directory, name, arguments + " --model deform-v2 --limit 16 --batch-size 4 --device " + where);
  };
  const auto metadata = [](const std::string& out, const char* key) {
    return deft::load_safetensors(out + "/checkpoint.safetensors").metadata.at(key);
  };
  const auto last_loss = [&](const std::string& out) {
    return nlohmann::json::parse(metadata(out, "history")).back().at("train_loss").get<double>();
  };
  const std::string cpu = "cpu";
  const double expected = last_loss(run("whole", cpu, "--epochs 2"));
  for (const auto& [name, first, second] : {std::tuple("there", cpu, device), std::tuple("back", device, cpu)}) {
    run(name, first, "--epochs 1");
    const std::string out = run(name, second, "--epochs 2 --resume");
    CHECK(last_loss(out) == Approx(expected).epsilon(1e-4));
    CHECK(metadata(out, "device") == second);
  }
}

TEST_CASE("a run does not go on from a checkpoint of other data") {
  const TemporaryDirectory directory;
  for (const char* part : {"train", "t10k"}) {
    write_bytes(directory.path(part + std::string("-images-idx3-ubyte")), idx({4, 28, 28}));
    write_bytes(directory.path(part + std::string("-labels-idx1-ubyte")), idx({4}, 10));
  }
  const std::string run =
      "train --no-progress --epochs 1 --data " + directory.root().string() + " --out " + directory.path("run");
  REQUIRE(scaled_mnist(run).status == 0);
  CHECK(scaled_mnist(run + " --resume").status == 0);
  write_bytes(directory.path("t10k-labels-idx1-ubyte"), idx({4}, 3));
  CHECK_THAT(
      scaled_mnist(run + " --resume").output,
      Contains("was written with test data IDX images, 4 images, CRC-32 ") && Contains(", this run has test data "));
  write_bytes(directory.path("train-images-idx3-ubyte"), idx({5, 28, 28}));
  write_bytes(directory.path("train-labels-idx1-ubyte"), idx({5}, 10));
  write_bytes(directory.path("t10k-labels-idx1-ubyte"), idx({4}, 10));
  CHECK_THAT(scaled_mnist(run + " --resume").output, Contains("was written with training data IDX images, 4 images") &&
                                                         Contains("this run has training data IDX images, 5 images"));
}

TEST_CASE("programs say which images they were given") {
  const TemporaryDirectory directory;
  const auto write = [&](const std::string& folder, const Bytes& label_file) {
    for (const char* part : {"train", "t10k"}) {
      write_bytes(directory.path(folder + "/" + part + "-images-idx3-ubyte"), idx({12, 28, 28}));
      write_bytes(directory.path(folder + "/" + part + "-labels-idx1-ubyte"), label_file);
    }
  };
  const auto on = [&](const std::string& command, const std::string& folder) {
    return scaled_mnist(command + " --no-progress --device " + device + " --data " + directory.path(folder));
  };
  write("FashionMNIST", idx({12}, 10));
  const std::string out = directory.path("run");
  const ProgramResult fashion = on("train --epochs 1 --out " + out, "FashionMNIST");
  REQUIRE(fashion.status == 0);
  CHECK_THAT(fashion.output, Contains("\ndata: FashionMNIST, " + directory.path("FashionMNIST") + ": 12 training") &&
                                 !Contains("note: "));
  CHECK_THAT(read_file(out + "/report.html"), Contains("T-shirt/top") && Contains("Ankle boot"));

  write("mnist", idx({12}, 10));
  const std::string note = "note: " + directory.path("mnist") + ": loaded as IDX images, its classes named by number: ";
  const std::string output = on("train --epochs 1 --out " + out, "mnist").output;
  CHECK(output.find(note) == 0);
  CHECK(output.find("note: ", 1) == std::string::npos);  // once for both parts
  CHECK(on("train --quiet --epochs 1 --out " + out, "mnist").output.empty());
  CHECK_THAT(on("eval --weights " + out, "mnist").output, Contains(note) && Contains("12 test images (IDX images, "));

  write("many", idx({12}));
  const ProgramResult many = on("train --out " + out, "many");
  CHECK(many.status == 1);
  CHECK(many.output == "scaled_mnist: " + directory.path("many") + ": IDX images with 12 classes, expected 10\n");
}

TEST_CASE("a new run in the folder of an old one leaves nothing of it") {
  const TemporaryDirectory directory;
  const std::string out = train(directory, "run", "--epochs 1 --seed 1 --save-epoch-freq 1");
  REQUIRE(fs::exists(out + "/epoch-1.safetensors"));
  const ProgramResult result = scaled_mnist(tiny + " --lr 1e30 --epochs 1 --out " + out);
  REQUIRE(result.status == 1);  // before its first epoch was saved
  CHECK(names_in(out) == std::set<std::string>{"config.json", "graph.dot"});
  CHECK(nlohmann::json::parse(read_file(out + "/config.json"))["lr"] == 1e30);
}

TEST_CASE("text that is not UTF-8 does not end a run") {
  const TemporaryDirectory directory;
  const std::string data = directory.path("d\xff");
  for (const char* part : {"train", "t10k"}) {
    write_bytes(data + "/" + part + "-images-idx3-ubyte", idx({4, 28, 28}));
    write_bytes(data + "/" + part + "-labels-idx1-ubyte", idx({4}, 10));
  }
  const ProgramResult result = run_shell("DEFT_DATA='" + data + "' " DEFT_SCALED_MNIST +
                                         " train --quiet --epochs 1 --out " + directory.path("run"));
  CHECK(result.output.empty());
  CHECK(result.status == 0);
  CHECK(nlohmann::json::parse(read_file(directory.path("run/summary.json")))["data"].is_string());
}

TEST_CASE("compare puts figures of one name into one row") {
  const TemporaryDirectory directory;
  const auto write = [&](const std::string& name, const std::string& per_scale) {
    fs::create_directory(directory.path(name));
    deft::write_file(directory.path(name + "/summary.json"),
                     R"({"model": ")" + name +
                         R"(", "device": "cpu", "seed": 1, "parameters": 2, "epochs": 1, "seconds_per_epoch": [1],
                         "test_seconds_per_epoch": [1], "best_accuracy": 0.5, "per_scale": )" +
                         per_scale + "}");
    return directory.path(name) + " ";
  };
  const ProgramResult result = scaled_mnist("compare " + write("a", R"({"0.5": 0.11, "1.0": 0.12})") +
                                            write("b", R"({"1.0": 0.22, "2.0": 0.23})"));
  INFO(result.output);
  std::string words;  // a space for all that stand between two
  std::istringstream text(result.output);
  for (std::string word; text >> word;) words += word + " ";
  CHECK_THAT(words, Contains("accuracy at 0.5 11.00 % accuracy at 1.0 12.00 % 22.00 % accuracy at 2.0 23.00 % best"));
}

TEST_CASE("compare draws accuracies by epoch and by scale") {
  const TemporaryDirectory directory;
  const std::vector<std::string> runs = {train(directory, "a", "--epochs 2"),
                                         train(directory, "b", "--epochs 1 --seed 2"),
                                         train(directory, "c", "--epochs 1 --model deform-v2")};
  const auto summary = [&](std::size_t run) { return nlohmann::json::parse(read_file(runs[run] + "/summary.json")); };
  const deft::support::LineChart by_epoch = deft::support::accuracy_by_epoch(runs);
  CHECK(by_epoch.title == "E0: accuracy by epoch");
  CHECK(by_epoch.y_label == "test accuracy in %");
  REQUIRE(by_epoch.series.size() == 3);
  CHECK(by_epoch.series[0].name == "regular");
  CHECK(by_epoch.series[1].name.empty());  // of the same net: the legend has it once
  CHECK(by_epoch.series[2].name == "deform-v2");
  CHECK(by_epoch.series[0].color == by_epoch.series[1].color);
  CHECK(by_epoch.series[0].color != by_epoch.series[2].color);
  REQUIRE(by_epoch.series[0].points.size() == 2);
  CHECK(by_epoch.series[0].points[1].x == 2);
  CHECK(by_epoch.series[0].points[1].y == Approx(100 * summary(0)["final_accuracy"].get<double>()));

  const deft::support::LineChart by_scale = deft::support::accuracy_by_scale(runs);
  REQUIRE(by_scale.series[2].points.size() == 11);
  CHECK(by_scale.series[2].points[10].x == 1.5);
  CHECK(by_scale.series[2].points[10].y == Approx(100 * summary(2)["per_scale"]["1.5"].get<double>()));

  const std::string all = "compare " + runs[0] + " " + runs[2];
  check_error(all + " --chart x.jpg", "--chart is 'x.jpg', expected a name that ends in one of .png, .svg");
  if (without_cairo()) return;
  for (const auto& [flag, name, content] :
       {std::tuple("--chart", "epochs.svg", "<svg"), {"--scale-chart", "scales.png", "PNG"}}) {
    const std::string file = directory.path(name);
    REQUIRE(scaled_mnist(all + " " + flag + " " + file).status == 0);
    CHECK_THAT(read_file(file), Contains(content));
  }
}

TEST_CASE("a weights file that does not fit is named") {
  const TemporaryDirectory directory;
  const std::string path = directory.path("w.safetensors");
  deft::save_safetensors(path, {.tensors = {}, .metadata = {{"experiment", "E2"}, {"model", "regular"}}});
  check_error("predict x.png --weights " + path, path + ": experiment is 'E2', expected E0, E1, E3, E4");
  deft::save_safetensors(path, {.tensors = {}, .metadata = {{"experiment", "E0"}, {"model", "v9"}}});
  check_error("predict x.png --weights " + path, path + ": model is 'v9', expected regular, deform-v1, deform-v2");
  deft::save_safetensors(path, {.tensors = {}, .metadata = {{"experiment", "E0"}, {"model", "regular"}}});
  CHECK_THAT(scaled_mnist("predict x.png --weights " + path).output, Contains("scaled_mnist: " + path + ": "));
}

TEST_CASE("flags override the configuration file") {
  const TemporaryDirectory directory;
  const std::string config = directory.path("c.json");
  deft::write_file(config, R"({"epochs": 2, "seed": 9, "data": "synthetic", "limit": 32, "quiet": true})");
  const std::string out = directory.path("run");
  const ProgramResult result = scaled_mnist("train --config " + config + " --epochs 1 --out " + out);
  CHECK(result.status == 0);
  CHECK(result.output.empty());
  const auto summary = nlohmann::json::parse(read_file(out + "/summary.json"));
  CHECK(summary["epochs"] == 1);
  CHECK(summary["seed"] == 9);

  deft::write_file(config, R"({"epoch": 2})");
  check_error("train --config " + config, config + ": unknown key 'epoch', did you mean 'epochs'?");
}

TEST_CASE("the option --conv-algorithm chooses how a run computes") {
  const TemporaryDirectory directory;
  const auto weights = [&](const std::string& algorithm) {
    const std::string out = train(directory, algorithm, "--epochs 1 --conv-algorithm " + algorithm);
    CHECK(nlohmann::json::parse(read_file(out + "/summary.json"))["conv_algorithm"] == algorithm);
    return read_file(out + "/last.safetensors");
  };
  CHECK((weights("direct") == weights("winograd")) == (device != "cpu"));  // GPUs always compute directly
  check_error("train --conv-algorithm fft", "--conv-algorithm is 'fft', expected automatic, direct, winograd");
}

TEST_CASE("mistakes are one line and exit status 1") {
  check_error("train --epoch 3", "unknown flag '--epoch', did you mean '--epochs'?");
  check_error("train --model deform", "model is 'deform', expected regular, deform-v1, deform-v2");
  check_error("train --experiment E1 --model deform-v2", "model is 'deform-v2', expected regular, deform-v1");
  check_error("train --experiment E9", "--experiment is 'E9', expected E0, E1, E4");
  check_error("train --precision half", "--precision is 'half', expected highest, tf32");
  check_error("train --threads -1 --data synthetic", "--threads is -1, expected at least 0");
  check_error("train --threads 5000000000 --data synthetic", "threads is 5000000000, expected at most 1024");
  check_error("eval --data synthetic --weights /nowhere/w.safetensors",
              "/nowhere/w.safetensors: cannot open: No such file or directory");
  const TemporaryDirectory directory;
  check_error(tiny + " --quiet --update-bn --out " + directory.path("run"),
              "update_bn: the net has no BatchNorm2d that is not frozen");
  check_error("compare /nowhere", "/nowhere/summary.json: cannot open: No such file or directory");
  const ProgramResult help = scaled_mnist("train --help");
  CHECK(help.status == 0);
  CHECK_THAT(help.output, Contains("--epochs INT=14") && Contains("--gamma NUMBER=0.7"));
}

TEST_CASE("a device that is not there is named, with the reason") {
  const std::string train_on = "train --data synthetic --limit 8 --device ";
  check_error(train_on + "gpu", "device: 'gpu', expected cpu, cuda or cuda:N");
  const int count = deft::cuda_device_count();
  const std::string beyond = "cuda:" + std::to_string(count);
  if (!deft::built_with_cuda) {
    check_error(train_on + "cuda", "cuda:0: this deft was built without CUDA");
  } else if (count == 0) {
    CHECK_THAT(scaled_mnist(train_on + "cuda").output, Contains("scaled_mnist: cuda:0: ") && Contains("GPU"));
  } else {
    check_error(train_on + beyond,
                beyond + ": there is no such GPU, the last one is cuda:" + std::to_string(count - 1));
  }
}

TEST_CASE("a full disk and a folder that cannot be written are one line, and leave no half-written file") {
  check_error("compare --help > /dev/full", "standard output: No space left on device");
  const TemporaryDirectory directory;
  deft::write_file(directory.path("file"), "");
  const ProgramResult blocked = scaled_mnist(tiny + " --out " + directory.path("file/run"));
  CHECK(blocked.status == 1);
  CHECK_THAT(blocked.output, Contains("file/run: cannot make this folder: Not a directory"));

  // A limit on the size of files stands for the full disk: the weights do not fit, what is smaller does.
  const std::string out = directory.path("run");
  const ProgramResult full =
      run_shell("ulimit -f 64; trap '' XFSZ; " DEFT_SCALED_MNIST " " + tiny + " --epochs 1 --out " + out);
  CHECK(full.status == 1);
  CHECK_THAT(full.output, Contains("best.safetensors: cannot write: File too large"));
  CHECK(names_in(out) == std::set<std::string>{"config.json", "graph.dot"});
}

TEST_CASE("an interrupted run says so and keeps its checkpoint") {
  const TemporaryDirectory directory;
  const std::string out = directory.path("run");
  // The loop waits for the first checkpoint, then sends Ctrl-C.
  const ProgramResult result =
      run_shell(DEFT_SCALED_MNIST " " + tiny + " --epochs 100000 --out " + out + " & pid=$!; while ! [ -e " + out +
                "/summary.json ]; do sleep 0.05; done; kill -INT $pid; wait $pid");
  CHECK(result.status == 130);
  CHECK_THAT(result.output, Contains("interrupted: ") && Contains("--resume goes on from there"));
  const auto done = nlohmann::json::parse(read_file(out + "/summary.json"))["epochs"].get<int>();
  train(directory, "run", "--resume --epochs " + std::to_string(done + 1));

  const ProgramResult early =
      run_shell(DEFT_SCALED_MNIST " train --data synthetic --limit 20000 --threads 1 --no-progress --out " + out +
                " & pid=$!; while [ -e " + out + "/summary.json ]; do sleep 0.05; done; kill -INT $pid; wait $pid");
  CHECK(early.status == 130);
  CHECK_THAT(early.output, Contains("interrupted: 0 of 14 epochs are saved in ") && !Contains("--resume"));
}

TEST_CASE("a run whose loss is no number ends with an error") {
  const TemporaryDirectory directory;
  const ProgramResult result = scaled_mnist(tiny + " --lr 1e30 --epochs 3 --quiet --out " + directory.path("run"));
  CHECK(result.status == 1);
  CHECK_THAT(result.output, Contains("the loss is nan after") || Contains("the loss is inf after"));
}

TEST_CASE("predict shows what it sees in an image file") {
  const TemporaryDirectory directory;
  const std::string run = train(directory, "run", "--epochs 1");
  // A dark stroke on a light sheet, as a PGM.
  std::string sheet(60 * 40, '\xf0');
  for (int y = 10; y < 50; ++y)
    sheet[static_cast<std::size_t>(y * 40 + 20)] = sheet[static_cast<std::size_t>(y * 40 + 21)] = '\x10';
  deft::write_file(directory.path("one.pgm"), "P5 40 60 255\n" + sheet);
  const ProgramResult result = scaled_mnist("predict " + directory.path("one.pgm") + " --weights " + run + on_device);
  CHECK(result.status == 0);
  CHECK_THAT(result.output, Contains("one.pgm: ") && Contains("probability"));

  deft::write_file(directory.path("blank.pgm"), "P5 40 60 255\n" + std::string(60 * 40, '\xf0'));
  const ProgramResult blank = scaled_mnist("predict " + directory.path("blank.pgm") + " --weights " + run);
  CHECK(blank.status == 1);
  CHECK_THAT(blank.output,
             Contains("blank.pgm: its brightest and darkest pixels differ by 0 of 255: no digit to see\n"));
}
