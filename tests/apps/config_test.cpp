// Settings from JSON files and flags, and what is said about wrong ones.
#include "deft/apps/support/config.h"

#include "deft/core/file.h"
#include "deft/kernels/runtime/error.h"

#include "catch.h"
#include "temporary_directory.h"

using namespace deft::support;
using Catch::Matchers::Equals;

namespace {

struct Example {
  bool quiet = false;
  std::int64_t batch_size = 64;
  double lr = 1e-3;
  std::string model = "regular";
  std::vector<std::int64_t> channels = {64, 128};
  std::vector<double> rates = {0.1};
  std::vector<std::string> rows;
  Settings settings;

  Example() {
    settings.add("quiet", quiet, "say less");
    settings.add("batch_size", batch_size, "images per step", 1);
    settings.add("lr", lr, "learning rate");
    settings.add("model", model, "net", {"regular", "deform-v1"});
    settings.add("channels", channels, "of the layers", 1);
    settings.add("rates", rates, "to try");
    settings.add("rows", rows, "of the table");
  }
  Example(const Example&) = delete;

  const Setting& setting(const std::string& name) const {
    for (const Setting& one : settings.list()) {
      if (one.name == name) return one;
    }
    throw deft::Error("no setting " + name);
  }
};

// Loads `json` from a file of which the error, without the folder, must be `error`.
void check_load_error(const std::string& json, const std::string& error) {
  const TemporaryDirectory directory;
  const std::string path = directory.path("c.json");
  deft::write_file(path, json);
  const Example example;
  INFO(json);
  std::string found;
  try {
    example.settings.load_json(path);
  } catch (const deft::Error& thrown) {
    found = thrown.what();
  }
  CHECK(found == path + ": " + error);
}

void check_text_error(const std::string& name, const std::string& text, const std::string& error) {
  const Example example;
  CHECK_THROWS_WITH(example.settings.set_from_text(example.setting(name), text), Equals(error));
}

}  // namespace

TEST_CASE("a JSON file sets what it names and leaves the rest") {
  const TemporaryDirectory directory;
  const std::string path = directory.path("c.json");
  deft::write_file(path, R"({"lr": 2, "model": "deform-v1", "quiet": true})");
  const Example example;
  example.settings.load_json(path);
  CHECK(example.lr == 2);
  CHECK(example.model == "deform-v1");
  CHECK(example.quiet);
  CHECK(example.batch_size == 64);
  CHECK(example.channels == std::vector<std::int64_t>{64, 128});

  deft::write_file(path, R"({"channels": [3, 4, 5]})");
  example.settings.load_json(path);
  CHECK(example.channels == std::vector<std::int64_t>{3, 4, 5});
  example.settings.set_from_text(example.setting("channels"), "6,7");
  CHECK(example.channels == std::vector<std::int64_t>{6, 7});

  deft::write_file(path, R"({"rates": [1, 0.5], "rows": ["a", "b c"]})");
  example.settings.load_json(path);
  CHECK(example.rates == std::vector<double>{1, 0.5});
  CHECK(example.rows == std::vector<std::string>{"a", "b c"});
  example.settings.set_from_text(example.setting("rates"), "1e-3,2");
  example.settings.set_from_text(example.setting("rows"), "x,y z");
  CHECK(example.rates == std::vector<double>{1e-3, 2});
  CHECK(example.rows == std::vector<std::string>{"x", "y z"});
}

TEST_CASE("settings written as JSON load again") {
  const TemporaryDirectory directory;
  const std::string path = directory.path("c.json");
  Example written;
  written.batch_size = 7;
  written.lr = 0.1;
  written.channels = {9};
  written.rates = {0.1, 3};
  written.rows = {"x"};
  deft::write_file(path, written.settings.to_json());
  const Example read;
  read.settings.load_json(path);
  CHECK(read.batch_size == 7);
  CHECK(read.lr == 0.1);
  CHECK(read.channels == std::vector<std::int64_t>{9});
  CHECK(read.model == "regular");
  CHECK(read.rates == written.rates);
  CHECK(read.rows == written.rows);
}

TEST_CASE("a wrong JSON file gets one line with file, key and value") {
  check_load_error(R"({"batchsize": 3})", "unknown key 'batchsize', did you mean 'batch_size'?");
  check_load_error(R"({"modle": "x"})", "unknown key 'modle', did you mean 'model'?");
  check_load_error(R"({"batch_size": "ten"})", "batch_size is \"ten\", expected an integer");
  check_load_error(R"({"batch_size": 1.5})", "batch_size is 1.5, expected an integer");
  check_load_error(R"({"batch_size": 18446744073709551615})",
                   "batch_size is 18446744073709551615, expected an integer");
  check_load_error(R"({"batch_size": 0})", "batch_size is 0, expected at least 1");
  check_load_error(R"({"lr": true})", "lr is true, expected a number");
  check_load_error(R"({"lr": -1})", "lr is -1, expected at least 0");
  check_load_error(R"({"quiet": 1})", "quiet is 1, expected true or false");
  check_load_error(R"({"model": 3})", "model is 3, expected a string");
  check_load_error(R"({"model": "v9"})", "model is 'v9', expected regular, deform-v1");
  check_load_error(R"({"channels": 64})", "channels is 64, expected a list of integers");
  check_load_error(R"({"channels": [64, "x"]})", "channels[1] is \"x\", expected an integer");
  check_load_error(R"({"channels": [0]})", "channels[0] is 0, expected at least 1");
  check_load_error(R"({"rates": ["x"]})", "rates[0] is \"x\", expected a number");
  check_load_error(R"({"rates": 1})", "rates is 1, expected a list of numbers");
  check_load_error(R"({"rows": "a"})", "rows is \"a\", expected a list of strings");
  check_load_error(R"({"rows": [1]})", "rows[0] is 1, expected a string");
  check_load_error("[1]", "holds array, expected a JSON object");
  check_load_error("{\"lr\": }",
                   "not JSON: parse error at line 1, column 8: syntax error while parsing value - unexpected '}'; "
                   "expected '[', '{', or a literal");
}

TEST_CASE("a missing configuration file is named") {
  const Example example;
  CHECK_THROWS_WITH(example.settings.load_json("/nowhere/c.json"),
                    Equals("/nowhere/c.json: cannot open: No such file or directory"));
}

TEST_CASE("a wrong flag gets one line with flag and text") {
  check_text_error("batch_size", "ten", "--batch-size is 'ten', expected an integer");
  check_text_error("batch_size", "3x", "--batch-size is '3x', expected an integer");
  check_text_error("batch_size", "0", "--batch-size is 0, expected at least 1");
  check_text_error("batch_size", "99999999999999999999", "--batch-size is '99999999999999999999', expected an integer");
  check_text_error("lr", "nan", "--lr is nan, expected at least 0");
  check_text_error("lr", "", "--lr is '', expected a number");
  check_text_error("channels", "64,,2", "--channels is '', expected integers with commas between them");
  check_text_error("channels", "64 128", "--channels is '64 128', expected integers with commas between them");
  check_text_error("channels", "64,0", "--channels is 0, expected at least 1");
  check_text_error("rates", "1,x", "--rates is 'x', expected numbers with commas between them");
  check_text_error("rates", "1,-2", "--rates is -2, expected at least 0");
  check_text_error("rows", "a,,b", "--rows is 'a,,b', expected strings with commas between them");
  check_text_error("model", "v9", "--model is 'v9', expected regular, deform-v1");
}

TEST_CASE("the nearest word has the fewest insertions, deletions, changes and swaps") {
  CHECK(nearest("epoch", {"seed", "epochs", "out"}) == "epochs");
  CHECK(nearest("sede", {"side", "seed"}) == "side");
  CHECK(nearest("ltr", {"lr", "out"}) == "lr");
  CHECK(nearest("ot", {"at", "to"}) == "at");
  CHECK(nearest("otu", {"at", "out"}) == "out");
  CHECK(nearest("", {"gamma", "lr"}) == "lr");
}
