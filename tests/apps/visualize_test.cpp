// The program visualize as users run it, on small images and nets without training.
#include <filesystem>

#include "deft/apps/nets/nets.h"
#include "deft/apps/support/canvas.h"
#include "deft/apps/support/checkpoint.h"
#include "deft/core/file.h"
#include "deft/data/image.h"

#include "few_digits.h"
#include "read_gif.h"

using Catch::Matchers::Contains;
using deft::read_file;
namespace fs = std::filesystem;

namespace {

bool without_cairo() {
  if (!deft::support::can_draw()) WARN("SKIPPED: built without cairo");
  return !deft::support::can_draw();
}

// A weights file of a net as it starts.
std::string untrained(const TemporaryDirectory& directory, const std::string& experiment, const std::string& model) {
  const std::string path = directory.path(experiment + model + ".safetensors");
  deft::support::save_weights(path, *deft::apps::make_net(experiment, model),
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
    const ProgramResult result = visualize("offsets --size 84 --out " + out + image + on_device + " --weights " +
                                           untrained(directory, experiment, model));
    INFO(result.output);
    CHECK(result.status == 0);
    CHECK(deft::load_image(out).size(0) > 84);
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
  WARN("SKIPPED: built without giflib");
  CHECK(result.output == "visualize: deft was built without giflib, which writes animations\n");
#endif
}

TEST_CASE("visualize draws receptive fields side by side, and data sets", "[long]") {
  if (without_cairo()) return;
  const TemporaryDirectory directory;
  const std::string out = directory.path("picture.png");
  const ProgramResult fields =
      visualize("gradient --size 84 --out " + out + " --image " + stroke(directory) + on_device + " --regular " +
                untrained(directory, "E1", "regular") + " --deformable " + untrained(directory, "E1", "deform-v1"));
  INFO(fields.output);
  CHECK(fields.status == 0);
  CHECK(deft::load_image(out).size(1) > 2 * 84);
  for (const char* what : {"E0 --part test", "E1 --part train", "E4 --part train", "E4 --part test"}) {
    const ProgramResult grid = visualize(
        std::string("dataset --data synthetic --rows 2 --columns 3 --size 28 --experiment ") + what + " --out " + out);
    INFO(grid.output);
    CHECK(grid.status == 0);
    CHECK(deft::load_image(out).size(0) > 2 * 28);
  }
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
