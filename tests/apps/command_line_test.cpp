// Command lines: flags over files over defaults, and one line for every mistake.
#include "deft/apps/support/command_line.h"

#include <cstdlib>

#include "deft/core/file.h"
#include "deft/kernels/runtime/error.h"

#include "catch.h"
#include "temporary_directory.h"

using namespace deft::support;

namespace {

// A program with two commands, run in this process.
struct Example {
  std::int64_t epochs = 14;
  bool quiet = false;
  std::string image;
  std::string ran;
  std::string errors;
  Program program;

  Example() {
    Command train{.name = "train", .summary = "trains", .config_file = true};
    train.settings.add("epochs", epochs, "passes", 1);
    train.settings.add("quiet", quiet, "say less");
    train.run = [this] {
      ran = "train";
      return 0;
    };
    Command predict{.name = "predict", .summary = "predicts"};
    predict.settings.add_positional("image", image, "picture");
    predict.run = [this]() -> int {
      ran = "predict";
      if (image == "bad") throw deft::Error("bad: not an image");
      return 7;
    };
    program = {.name = "digits", .summary = "Digits.", .commands = {train, predict}};
  }
  Example(const Example&) = delete;

  int run(std::vector<const char*> arguments) {
    arguments.insert(arguments.begin(), "digits");
    char* text = nullptr;
    std::size_t size = 0;
    std::FILE* stream = open_memstream(&text, &size);
    const int status = run_program(program, static_cast<int>(arguments.size()), arguments.data(), stream);
    std::fclose(stream);
    errors.assign(text, size);
    std::free(text);
    return status;
  }
};

void check_error(const std::vector<const char*>& arguments, const std::string& error) {
  Example example;
  CHECK(example.run(arguments) == 1);
  CHECK(example.errors == "digits: " + error + "\n");
  CHECK(example.ran.empty());
}

}  // namespace

TEST_CASE("flags override the configuration file, which overrides the defaults") {
  const TemporaryDirectory directory;
  const std::string path = directory.path("c.json");
  deft::write_file(path, R"({"epochs": 3, "quiet": true})");
  Example example;
  CHECK(example.run({"train"}) == 0);
  CHECK(example.epochs == 14);
  CHECK(example.run({"train", "--config", path.c_str()}) == 0);
  CHECK(example.epochs == 3);
  CHECK(example.run({"train", "--epochs", "5", "--config", path.c_str(), "--quiet=false"}) == 0);
  CHECK(example.epochs == 5);
  CHECK_FALSE(example.quiet);
  CHECK(example.run({"train", "--epochs=6", "--epochs=7"}) == 0);
  CHECK(example.epochs == 7);
  CHECK(example.errors.empty());
}

TEST_CASE("a command's status is the program's") {
  Example example;
  CHECK(example.run({"predict", "seven.png"}) == 7);
  CHECK(example.image == "seven.png");
  CHECK(example.run({"predict", "bad"}) == 1);
  CHECK(example.errors == "digits: bad: not an image\n");
}

TEST_CASE("a program may have a default command") {
  Example example;
  example.program.default_command = "train";
  CHECK(example.run({}) == 0);
  CHECK(example.ran == "train");
  CHECK(example.run({"--epochs", "2"}) == 0);
  CHECK(example.epochs == 2);
}

TEST_CASE("a mistake on the command line is one line and exit status 1") {
  check_error({}, "expected a command first, see digits --help");
  check_error({"trian"}, "unknown command 'trian', did you mean 'train'?");
  check_error({"train", "--epoch", "3"}, "unknown flag '--epoch', did you mean '--epochs'?");
  check_error({"train", "--epoch=3"}, "unknown flag '--epoch', did you mean '--epochs'?");
  check_error({"train", "--confg", "x"}, "unknown flag '--confg', did you mean '--config'?");
  check_error({"train", "-quite"}, "unknown flag '-quite', did you mean '--quiet'?");
  check_error({"train", "5"}, "unexpected argument '5'");
  check_error({"train", "--epochs", "many"}, "--epochs is 'many', expected an integer");
  check_error({"train", "--epochs", "0"}, "--epochs is 0, expected at least 1");
  check_error({"train", "--epochs"}, "--epochs: 1 required INT missing");
  check_error({"train", "--quiet=maybe"}, "--quiet is 'maybe', expected true or false");
  check_error({"predict"}, "IMAGE is required");
  check_error({"train", "--config", "/nowhere/c.json"}, "/nowhere/c.json: cannot open: No such file or directory");
}
