// report.html: what stands in it, and that it says what the run's files say.
#include "deft/apps/support/report.h"

#include <cmath>
#include <filesystem>
#include <limits>
#include <regex>

#include "deft/apps/support/canvas.h"
#include "deft/apps/support/detail/html.h"
#include "deft/apps/support/evaluate.h"
#include "deft/core/file.h"
#include "deft/core/shape_ops.h"
#include "deft/kernels/runtime/error.h"

#include "few_digits.h"

using namespace deft;
using Catch::Matchers::Contains;
namespace fs = std::filesystem;

namespace {

std::size_t count(const std::string& text, const std::string& part) {
  std::size_t found = 0;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++found;
  return found;
}

// The pixels of an image are its logits.
struct PixelNet : Module {
  Tensor forward(const Tensor& images) override {
    return reshape(images, {images.size(0), images.numel() / images.size(0)});
  }
};

}  // namespace

TEST_CASE("an evaluation says of every image what was found, how surely, and its loss") {
  // Logits 0 and 1, thrice: an image per row.
  const Dataset dataset{.name = "pixels",
                        .images = from_vector<std::uint8_t>({0, 255, 255, 0, 0, 255}, {3, 1, 2, 1}),
                        .labels = from_vector<std::int64_t>({1, 1, 1}),
                        .class_names = {"a", "b"}};
  PixelNet net;
  const support::Evaluation result = support::evaluate(net, DataLoader(dataset, {.batch_size = 2}));
  REQUIRE(result.predictions.size() == 1);
  const support::Predictions& found = result.predictions[0];
  CHECK(found.labels == std::vector<std::int64_t>{1, 1, 1});
  CHECK(found.found == std::vector<std::int64_t>{1, 0, 1});
  const double sure = std::exp(1) / (1 + std::exp(1));
  for (std::size_t i = 0; i < 3; ++i) {
    CHECK(found.probabilities[i] == Approx(sure));
    CHECK(found.losses[i] == Approx(-std::log(i == 1 ? 1 - sure : sure)));
  }
  CHECK(result.accuracy == Approx(2.0 / 3));
  CHECK(result.loss == Approx(-(2 * std::log(sure) + std::log(1 - sure)) / 3));
}

TEST_CASE("confusions are counted over all parts") {
  const support::Predictions one{.labels = {0, 1, 1}, .found = {0, 0, 1}}, other{.labels = {1}, .found = {0}};
  CHECK(support::confusion_counts({one, other}, 2) == std::vector<std::vector<std::int64_t>>{{1, 0}, {2, 1}});
  CHECK_THROWS_WITH(support::confusion_counts({one}, 1), "predictions: class is 1, expected 0 to 0");
}

TEST_CASE("the worst images come once each, in their worst form") {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const auto losses = [](std::vector<float> values) {
    return support::Predictions{.labels = std::vector<std::int64_t>(values.size()), .losses = std::move(values)};
  };
  const auto worst = support::worst_images({losses({1, 5, 2, 0}), losses({4, 3, 2, nan})}, 3);
  REQUIRE(worst.size() == 3);
  CHECK((worst[0].image == 3 && worst[0].form == 1));
  CHECK((worst[1].image == 1 && worst[1].form == 0));
  CHECK((worst[2].image == 0 && worst[2].form == 1));
  CHECK(support::worst_images({losses({1})}, 9).size() == 1);
  CHECK_THROWS_WITH(support::worst_images({losses({1}), losses({1, 2})}, 1),
                    "worst_images: form 1 has 2 images, expected 1");
}

TEST_CASE("texts and files come into a page whole") {
  CHECK(support::escape_html(R"(<a href="x">Tom & 'Jerry'</a>)") ==
        "&lt;a href=&quot;x&quot;&gt;Tom &amp; &#39;Jerry&#39;&lt;/a&gt;");
  // RFC 4648, section 10.
  const char* const encoded[] = {"", "Zg==", "Zm8=", "Zm9v", "Zm9vYg==", "Zm9vYmE=", "Zm9vYmFy"};
  for (std::size_t length = 0; length <= 6; ++length) {
    CHECK(support::data_uri("text/plain", std::string("foobar").substr(0, length)) ==
          std::string("data:text/plain;base64,") + encoded[length]);
  }
  CHECK(support::data_uri("a/b", "\xff\xfe\x00") == "data:a/b;base64,//4=");
  const std::string table = support::to_html({.caption = "<c>", .titles = {"&"}, .rows = {{"<r>", "\"v\""}}});
  CHECK_THAT(table, Contains("<caption>&lt;c&gt;</caption>") && Contains("<th scope=\"col\">&amp;</th>") &&
                        Contains("<th scope=\"row\">&lt;r&gt;</th><td>&quot;v&quot;</td>"));
}

TEST_CASE("a run ends with a report, which the command report writes again to the byte") {
  const TemporaryDirectory directory;
  const std::string out = train(directory, "run", "--model deform-v2 --epochs 2 --seed 5");
  const std::string html = read_file(out + "/report.html");
  CHECK_THAT(html, Contains("<h1>E0 · deform-v2 · seed 5</h1>") && Contains("<html lang=\"en\">") &&
                       Contains("<h2>Training</h2>") && Contains("<h2>Test at all scales</h2>") &&
                       Contains("<h3>Confusion matrix</h3>") && Contains("<h3>Worst-classified images</h3>") &&
                       Contains("<h2>Settings and machine</h2>") && Contains("<th scope=\"row\">batch_size</th>"));
  const std::size_t drawn = support::can_draw() ? 1 : 0;
  for (const char* title : {"Where the net looks", "Receptive fields", "Training images"}) {
    INFO(title);
    CHECK(count(html, "<h2>" + std::string(title) + "</h2>") == drawn);
  }
  CHECK(count(html, "alt=\"Receptive field: test image 0, scale ") == 3 * drawn);
  CHECK(count(html, "<figure class=\"picture") == (4 + 3 + 1) * drawn);

  // Nothing comes from elsewhere, and every image says what it shows.
  CHECK(count(html, "http://") + count(html, "https://") + count(html, "<script") == 0);
  CHECK(count(html, "<img ") == count(html, "<img src=\"data:image/"));
  CHECK(count(html, "<img ") == count(html, " alt=\"") - count(html, " alt=\"\""));
  const std::size_t images = static_cast<std::size_t>(3 * batch_size);
  const std::size_t worst = std::min<std::size_t>(24, images);
  CHECK(count(html, "<br>loss ") == worst);
  static const std::regex worst_alt("alt=\"Test image [0-9]+: [0-9]\"");
  CHECK(std::distance(std::sregex_iterator(html.begin(), html.end(), worst_alt), {}) ==
        static_cast<std::ptrdiff_t>(worst * drawn));
  CHECK((count(html, "<img ") >= worst + 3) == support::can_draw());

  // Every test image stands in the confusion matrix, at each of the eleven scales.
  static const std::regex cell("<td class=\"(hit|miss)[^>]*>([0-9]+)</td>");
  std::size_t sum = 0;
  for (std::sregex_iterator at(html.begin(), html.end(), cell), end; at != end; ++at) sum += std::stoul((*at)[2]);
  CHECK(sum == 11 * images);

  fs::remove(out + "/report.html");
  const ProgramResult again = scaled_mnist("report " + out + " --no-progress" + ::on_device);
  CHECK(again.status == 0);
  CHECK(again.output == out + "/report.html\n");
  CHECK(read_file(out + "/report.html") == html);
}

TEST_CASE("a report names what a folder lacks") {
  const TemporaryDirectory directory;
  const std::string nowhere = directory.path("nowhere"), run = directory.path("a<b>&'c'");
  check_error("report " + nowhere, nowhere + ": there is no such folder");
  check_error("report " + directory.root().string(),
              directory.root().string() +
                  ": is not the folder of a training run, or no epoch of it is done: it has no config.json");

  train(directory, "run", "--epochs 1");
  fs::rename(directory.path("run"), run);
  const std::string quoted = "\"" + run + "\"", command = "report " + quoted + " --no-progress" + ::on_device;
  write_file(run + "/config.json", R"({"data": "synthetic", "limit": 4, "out": "a<b>&'c'"})");
  REQUIRE(scaled_mnist(command).status == 0);
  const std::string html = read_file(run + "/report.html");
  CHECK_THAT(html, Contains("<td>a&lt;b&gt;&amp;&#39;c&#39;</td>") && !Contains("a<b>"));
  // A regular net samples nothing.
  CHECK(count(html, "<h2>Where the net looks</h2>") == 0);
  CHECK(count(html, "<figure class=\"picture") == (support::can_draw() ? 3 + 1 : 0));

  // In the order in which they are read.
  for (const char* name : {"checkpoint.safetensors", "summary.json"}) {
    fs::remove(run + "/" + name);
    check_error(command, run + ": is not the folder of a training run, or no epoch of it is done: it has no " + name);
  }
  fs::remove(run + "/best.safetensors");
  check_error(command, run + "/best.safetensors: cannot open: No such file or directory");
  write_file(run + "/config.json", R"({"limit": "x"})");
  check_error(command, run + "/config.json: limit is \"x\", expected an integer");
  CHECK(read_file(run + "/report.html") == html);
}
