// Progress on a terminal and elsewhere, and tables.
#include "deft/apps/support/progress.h"

#include <cstdlib>

#include "deft/apps/support/table.h"
#include "deft/kernels/runtime/error.h"

#include "catch.h"

using namespace deft::support;

namespace {

// What a loop of four updates, one every five seconds, writes in this style.
std::string shown(ProgressOptions options) {
  char* text = nullptr;
  std::size_t size = 0;
  double now = 100;
  options.stream = open_memstream(&text, &size);
  options.clock = [&now] { return now; };
  {
    Progress progress("epoch 1/2", 400, options);
    for (int i = 1; i <= 4; ++i) {
      now += 5;
      progress.update(100 * i, 0.5 / i);
    }
  }
  std::fclose(options.stream);
  const std::string result(text, size);
  std::free(text);
  return result;
}

}  // namespace

TEST_CASE("elsewhere than on a terminal, progress is a plain line now and then") {
  const std::string expected =
      "epoch 1/2: 200/400 images, loss 0.2500, 20 images/s, 0:10 left\n"
      "epoch 1/2: 400/400 images, loss 0.1250, 20 images/s, 0:00 left\n";
  CHECK(shown({.style = ProgressOptions::Style::lines}) == expected);
  CHECK(shown({.style = ProgressOptions::Style::lines, .line_interval = 60}).empty());
  CHECK(shown({.style = ProgressOptions::Style::off}).empty());
}

TEST_CASE("on a terminal, progress is one line that disappears") {
  const std::string text = shown({.style = ProgressOptions::Style::bar});
  CHECK(text.find('\n') == std::string::npos);
  CHECK(text.find("\repoch 1/2   25% [") == 0);
  CHECK(text.find("loss 0.5000  20 images/s  0:15 left") != std::string::npos);
  CHECK(text.substr(text.size() - 4) == "\r\x1b[K");
}

TEST_CASE("a progress bar fits its width and grows with what is done") {
  ProgressState state{.label = "test", .done = 0, .total = 1000};
  CHECK(progress_bar(state, 30) == "test    0% [>               ]");
  state.done = 500;
  state.seconds = 7200;
  state.loss = 0.25;
  CHECK(progress_bar(state, 70).size() <= 70);
  CHECK(progress_bar(state, 20) == "test   50% [=====>    ]  loss 0.2500  0 images/s  2:00:00 left");
  state.done = 1000;
  CHECK(progress_bar(state, 20).find("100% [==========]") != std::string::npos);
}

TEST_CASE("tables align their columns") {
  const Table table({"<model", "accuracy"}, {8});
  CHECK(table.header() == "model     accuracy\n--------  --------\n");
  CHECK(table.row({"regular", "90.03 %"}) == "regular    90.03 %\n");
  CHECK_THROWS_WITH(table.row({"one"}), "table: the row has 1 cells, expected 2");
  const Table markdown({"<model", "accuracy"}, {8}, Table::Style::markdown);
  CHECK(markdown.header() == "| model    | accuracy |\n| -------- | -------: |\n");
  CHECK(markdown.row({"regular", "90.03 %"}) == "| regular  |  90.03 % |\n");
}
