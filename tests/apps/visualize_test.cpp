// The program visualize as users run it, on small images and nets without training.
#include <filesystem>

#include "deft/apps/experiments/experiment.h"
#include "deft/apps/support/checkpoint.h"
#include "deft/core/file.h"
#include "deft/data/image.h"

#include "few_digits.h"
#include "few_images.h"
#include "picture_pixels.h"
#include "read_gif.h"

using Catch::Matchers::Contains;
using deft::read_file;
using deft::Tensor;
namespace fs = std::filesystem;

namespace {

// A weights file of a net as it starts.
std::string untrained(const TemporaryDirectory& directory, const std::string& experiment, const std::string& model) {
  const std::string path = directory.path(experiment + model + ".safetensors");
  deft::support::save_weights(path, *deft::apps::experiment(experiment).make_net(model),
                              {.experiment = experiment, .model = model, .seed = 7, .data = "none"}, {.epoch = 3});
  return path;
}

// A white stroke on black, as a PGM.
std::string stroke(const TemporaryDirectory& directory) {
  std::string pixels(28 * 28, '\0');
  for (int y = 6; y < 22; ++y) pixels[static_cast<std::size_t>(y * 28 + 14)] = '\xff';
  const std::string path = directory.path("stroke.pgm");
  deft::write_file(path, "P5 28 28 255\n" + pixels);
  return path;
}

void run_visualize(const std::string& arguments) {
  const ProgramResult result = visualize(arguments);
  INFO(result.output);
  REQUIRE(result.status == 0);
}

void check_refused(const std::string& arguments, const std::string& error) {
  const ProgramResult result = visualize(arguments);
  CHECK(result.status == 1);
  CHECK(result.output == "visualize: " + error + "\n");
}

}  // namespace

TEST_CASE("visualize draws sampling points of each experiment's net", "[long]") {
  if (without_cairo()) return;
  const TemporaryDirectory directory;
  const std::string image = " --image " + stroke(directory), out = directory.path("points.png");
  for (const auto& [experiment, model] : {std::pair("E0", "deform-v2"), {"E1", "deform-v1"}, {"E2", "deform-v1"}}) {
    run_visualize("offsets --size 84 --out " + out + image + on_device + " --weights " +
                  untrained(directory, experiment, model));
    CHECK(inked_at_edges(deft::load_image(out)) == 0);
    fs::remove(out);
  }
  const std::string net = untrained(directory, "E0", "deform-v2");
  CHECK(
      visualize("offsets --out " + directory.path("points.svg") + image + " --cell 0,6 --layer conv4 --weights " + net)
          .status == 0);
  CHECK_THAT(read_file(directory.path("points.svg")), Contains("<svg"));
}

TEST_CASE("visualize animates a turning image") {
  if (without_cairo()) return;
  const TemporaryDirectory directory;
  const std::string out = directory.path("points.gif");
  const ProgramResult result = visualize("offsets --frames 3 --size 56 --image " + stroke(directory) + " --out " + out +
                                         on_device + " --weights " + untrained(directory, "E0", "deform-v1"));
  INFO(result.output);
#ifdef DEFT_HAVE_GIFLIB
  CHECK(result.status == 0);
  const auto file = read_gif(read_file(out));
  CHECK(file->ImageCount == 3);
  for (int i = 0; i < file->ImageCount; ++i) {
    GraphicsControlBlock control;
    REQUIRE(DGifSavedExtensionToGCB(file.get(), i, &control) == GIF_OK);
    CHECK(control.DelayTime == 15);
  }
#else
  CHECK(result.output == "visualize: deft was built without giflib, which writes animations\n");
#endif
}

TEST_CASE("visualize draws receptive fields side by side, and data sets", "[long]") {
  if (without_cairo()) return;
  const TemporaryDirectory directory;
  const std::string out = directory.path("picture.png");
  const std::string regular = " --regular " + untrained(directory, "E1", "regular"),
                    deformable = " --deformable " + untrained(directory, "E1", "deform-v1");
  for (const std::string& nets : {regular + " --size 84" + deformable, regular, deformable}) {
    run_visualize("gradient --out " + out + " --image " + stroke(directory) + on_device + nets);
    CHECK(inked_at_edges(deft::load_image(out)) == 0);
  }
  const std::string grid = "dataset --data synthetic --rows 2 --out " + out + " --experiment ";
  for (const char* what : {"E0 --part test", "E1 --part train", "E4 --part train", "E4 --part test"}) {
    run_visualize(grid + what + " --size 28");
    CHECK(inked_at_edges(deft::load_image(out)) == 0);
  }

  // Fewer columns are the first ones of more.
  run_visualize(grid + "E1 --part train --size 256 --columns 2");
  const Tensor two = deft::load_image(out);
  run_visualize(grid + "E1 --part train --size 256 --columns 3");
  const Tensor three = deft::load_image(out);
  REQUIRE(three.size(1) > two.size(1));
  std::int64_t different = 0;
  for (std::int64_t y = 0; y < two.size(0); ++y) {
    for (std::int64_t x = 0; x < two.size(1); ++x) different += pixel(two, x, y) != pixel(three, x, y);
  }
  CHECK(different == 0);
}

TEST_CASE("visualize shows the images of a row of E3", "[long]") {
  if (without_cairo()) return;
  const TemporaryDirectory directory;
  const std::string out = directory.path("picture.png");
  write_few_cifar10(directory.root());
  // The few images are noise, and turned ones have black corners.
  const auto black = [&](const char* row) {
    run_visualize("dataset --experiment E3 --rows 2 --columns 2 --size 64 --out " + out + " --data " +
                  directory.root().string() + " --row " + row);
    const Tensor picture = deft::load_image(out);
    CHECK(inked_at_edges(picture) == 0);
    std::int64_t count = 0;
    for (std::int64_t y = 80; y < picture.size(0); ++y) {
      for (std::int64_t x = 0; x < picture.size(1); ++x) count += pixel(picture, x, y) == Rgb{0, 0, 0};
    }
    return count;
  };
  CHECK(black("cifar10-rotated") > black("cifar10-plain") + 100);
  check_refused("dataset --experiment E0 --row cifar10-plain",
                "--row is 'cifar10-plain', expected --experiment E3 with it, not E0");
  CHECK_THAT(visualize("dataset --experiment E3 --row cifar").output,
             Contains("--row is 'cifar', expected mnist-plain, "));
}

TEST_CASE("visualize refuses what it cannot draw") {
  const TemporaryDirectory directory;
  const std::string image = " --image " + stroke(directory), net = untrained(directory, "E0", "deform-v1");
  const std::string regular = untrained(directory, "E0", "regular");
  const std::string weights = " --weights " + net;
  check_refused("offsets --weights " + regular + image,
                "the net has no deformable convolution, whose sampling points could be shown");
  check_refused("offsets --cell 7,0" + weights + image, "cell 7,0 is not in the output of conv5, which has 7×7 cells");
  check_refused("offsets --cell 7" + weights + image, "--cell expects two numbers, row and column: 3,3");
  check_refused("offsets --layer conv3" + weights + image,
                "the net has no deformable layer 'conv3', it has conv4, conv5");
  check_refused("offsets --index 10000 --data synthetic" + weights,
                "--index is 10000, expected 0 to 9999: synthetic digits has 10000 test images");
  check_refused(
      "gradient --regular " + regular + " --deformable " + untrained(directory, "E1", "deform-v1") + image,
      regular + " is a net of E0 and " + directory.path("E1deform-v1.safetensors") + " of E1, expected one experiment");
  check_refused("offsets --frames 1001" + weights + image, "--frames is 1001, expected at most 1000");
  check_refused("offsets --seconds 60.5" + weights + image, "--seconds is 60.5, expected at most 60");
  check_refused("offsets --out x.jpg" + weights + image,
                "--out is 'x.jpg', expected a name that ends in one of .png, .svg, .gif");
}
