// Image files in a folder per class, as torchvision's ImageFolder has them.
#include "deft/data/image_folder.h"

#include "deft/kernels/runtime/error.h"

#include "catch.h"
#include "data/files.h"
#include "temporary_directory.h"

using namespace deft;
using Catch::Matchers::Contains;
using Catch::Matchers::EndsWith;

namespace fs = std::filesystem;

namespace {

// A grey image of one value, as binary PNM, which any of the names may have.
void write_image(const fs::path& path, std::uint8_t value, int height = 5, int width = 6) {
  const std::string header = "P5 " + std::to_string(width) + " " + std::to_string(height) + " 255\n";
  write_bytes(path, Bytes(header.begin(), header.end()) + Bytes(static_cast<std::size_t>(height * width), value));
}

// The first pixel of every image.
Bytes first_pixels(const Dataset& dataset) {
  Bytes pixels;
  for (std::int64_t i = 0; i < dataset.size(); ++i) {
    pixels.push_back(dataset.images.data<std::uint8_t>()[i * dataset.height() * dataset.width() * dataset.channels()]);
  }
  return pixels;
}

}  // namespace

TEST_CASE("an image folder has a class per subfolder") {
  const TemporaryDirectory folder;
  write_image(folder.root() / "dog/b.png", 3);
  write_image(folder.root() / "dog/a.PNG", 2);
  write_image(folder.root() / "cat/1.jpeg", 1);
  const Dataset dataset = load_image_folder(folder.root());
  CHECK(dataset.class_names == std::vector<std::string>{"cat", "dog"});
  CHECK(dataset.labels.to_vector<std::int64_t>() == std::vector<std::int64_t>{0, 1, 1});
  CHECK(dataset.images.shape() == Shape{3, 5, 6, 3});
  CHECK(first_pixels(dataset) == Bytes{1, 2, 3});
  CHECK(dataset.source == folder.root().string());
}

// The order is what make_dataset of torchvision 0.29 gives for these files.
TEST_CASE("an image folder lists nested, hidden and linked files as torchvision does") {
  const TemporaryDirectory folder;
  const std::vector<std::string> samples = {".private/1.png", "Dog/deep/er/1.png", "cat/.png",     "cat/.x.png",
                                            "cat/10.PNG",     "cat/2.png",         "cat/Z/1.png",  "cat/a/1.png",
                                            "cat/a-b/1.png",  "cat/a.b/1.png",     "cat/a/b/1.png"};
  for (std::size_t i = 0; i < samples.size(); ++i)
    write_image(folder.root() / samples[i], static_cast<std::uint8_t>(i));
  for (const char* passed_over : {"1.png", "cat/notes.txt", "cat/x.png~", "cat/x.pnm"}) {
    write_bytes(folder.root() / passed_over, {1});
  }
  fs::create_directory_symlink(folder.root() / "Dog", folder.root() / "cat/link");
  fs::create_directory_symlink(folder.root() / "cat/Z", folder.root() / "wolf");
  const Dataset dataset = load_image_folder(folder.root(), {.channels = 1});
  CHECK(dataset.class_names == std::vector<std::string>{".private", "Dog", "cat", "wolf"});
  CHECK(first_pixels(dataset) == Bytes{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 1, 6});
  CHECK(dataset.labels.to_vector<std::int64_t>() == std::vector<std::int64_t>{0, 1, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 3});
}

TEST_CASE("an image folder is called by its name, however its path is written") {
  const TemporaryDirectory folder;
  write_image(folder.root() / "pets/cat/1.png", 1);
  for (const char* path : {"pets", "pets/", "pets//", "pets/.", "pets/cat/..", "pets/cat/../"}) {
    INFO(path);
    CHECK(load_image_folder(folder.path(path)).name == "pets");
  }
  const fs::path before = fs::current_path();
  fs::current_path(folder.root() / "pets");
  const std::string name = load_image_folder(".").name;
  fs::current_path(before);
  CHECK(name == "pets");
}

TEST_CASE("an image folder that cannot be a data set says why") {
  const TemporaryDirectory folder;
  const auto error = [&] { load_image_folder(folder.root()); };
  CHECK_THROWS_WITH(error(), EndsWith("has no subfolders, expected one per class"));
  CHECK_THROWS_WITH(load_image_folder(folder.path("none")), EndsWith("none is not a folder"));
  write_image(folder.root() / "a/1.png", 1);
  write_image(folder.root() / "a/b/2.png", 2, 7, 6);
  CHECK_THROWS_WITH(error(), Contains("2.png: is 7×6 pixels, expected 5×6 as") && Contains("1.png"));
  CHECK(load_image_folder(folder.root(), {.channels = 1, .height = 4, .width = 4}).images.shape() == Shape{2, 4, 4, 1});
  fs::create_directories(folder.root() / "b/c");
  CHECK_THROWS_WITH(error(), EndsWith("b holds no images"));
  write_bytes(folder.root() / "b/c/notes.txt", {1});
  CHECK_THROWS_WITH(error(), EndsWith("b holds no images"));
  fs::create_symlink(folder.root() / "gone.png", folder.root() / "b/c/1.png");
  CHECK_THROWS_WITH(load_image_folder(folder.root(), {.height = 4, .width = 4}),
                    EndsWith("b/c/1.png: cannot be opened (No such file or directory)"));
}

TEST_CASE("images that torchvision reads and deft does not are refused, not passed over") {
  for (const char* name : {"a/2.tif", "a/b/2.TIFF", "a/2.WebP"}) {
    const TemporaryDirectory folder;
    write_image(folder.root() / "a/1.png", 1);
    write_bytes(folder.root() / name, {1});
    CHECK_THROWS_WITH(load_image_folder(folder.root()),
                      "image folder: " + folder.path(name) +
                          " is a TIFF or WebP file by its name, expected PNG, JPEG, BMP or binary PNM");
  }
}

TEST_CASE("links that lead back into an image folder are named") {
  const TemporaryDirectory folder;
  const auto error = [&] { load_image_folder(folder.root()); };
  const std::string root = fs::canonical(folder.root()).string();
  write_image(folder.root() / "a/b/1.png", 1);
  const fs::path up = folder.root() / "a/b/up";
  for (const char* target : {".", "..", "../.."}) {
    fs::create_directory_symlink(target, up);
    CHECK_THROWS_WITH(error(), Contains("a/b/up leads back to " + root) && EndsWith(", which it lies in"));
    fs::remove(up);
  }
  fs::create_directory_symlink(".", folder.root() / "self");
  CHECK_THROWS_WITH(error(), Contains("self leads back to " + root + ", which it lies in"));
  fs::remove(folder.root() / "self");

  const fs::path loop = folder.root() / "loop";  // a link to itself
  fs::create_symlink(loop, loop);
  CHECK_THROWS_WITH(error(), Contains("image folder: " + loop.string() + ": Too many levels of symbolic links"));
  CHECK_THROWS_WITH(load_image_folder(loop), Contains("loop: Too many levels"));
}
