// MNIST and what comes in its files: names, classes, damage.
#include "deft/data/mnist.h"

#include "deft/kernels/runtime/error.h"

#include "catch.h"
#include "data/files.h"
#include "temporary_directory.h"

using namespace deft;
using Catch::Matchers::Contains;
using Catch::Matchers::EndsWith;

namespace {

const Bytes three_images = idx({3, 28, 28}), three_labels = idx({3}, 10);

void write_mnist(const std::filesystem::path& folder) {
  write_bytes(folder / "train-images-idx3-ubyte", three_images);
  write_gz(folder / "train-labels-idx1-ubyte.gz", three_labels);
}

// An IDX file of bytes with these values.
Bytes idx_of(const std::vector<std::uint32_t>& sizes, const Bytes& values) {
  return first(idx(sizes), 4 + 4 * sizes.size()) + values;
}

// Two images with these labels, and the same for the test part.
void write_pair(const std::filesystem::path& folder, const std::string& prefix, const std::string& test,
                const Bytes& labels) {
  for (const std::string& part : {std::string("train"), test}) {
    write_gz(folder / (prefix + part + "-images-idx3-ubyte.gz"), idx({2, 28, 28}));
    write_gz(folder / (prefix + part + "-labels-idx1-ubyte.gz"), idx_of({2}, labels));
  }
}

std::vector<std::int64_t> labels_of(const Dataset& dataset) { return dataset.labels.to_vector<std::int64_t>(); }

}  // namespace

TEST_CASE("MNIST is read from plain and compressed files under their several names") {
  const TemporaryDirectory folder;
  write_mnist(folder.root());
  write_gz(folder.path("t10k-images.idx3-ubyte.gz"), idx({2, 28, 28}));
  write_bytes(folder.path("t10k-labels.idx1-ubyte"), idx({2}, 10));
  const Dataset train = load_mnist(folder.root(), Part::train), test = load_mnist(folder.root(), Part::test);
  CHECK(train.images.shape() == Shape{3, 28, 28, 1});
  CHECK(train.images.data<std::uint8_t>()[1000] == 1000 % 256);
  CHECK(train.labels.to_vector<std::int64_t>() == std::vector<std::int64_t>{0, 1, 2});
  CHECK(train.class_names.at(7) == "7");
  CHECK(train.source == folder.root().string());
  CHECK_FALSE(train.synthetic);
  CHECK(test.size() == 2);
  CHECK(holds_mnist(folder.root()));
  CHECK_FALSE(holds_mnist(folder.root() / "elsewhere"));
}

TEST_CASE("MNIST files that do not belong together are refused") {
  const TemporaryDirectory folder;
  const auto error = [&] { load_mnist(folder.root(), Part::train); };
  CHECK_THROWS_WITH(error(), EndsWith("has no train-images-idx3-ubyte, neither plain nor .gz"));
  write_mnist(folder.root());
  std::filesystem::remove(folder.path("train-labels-idx1-ubyte.gz"));
  CHECK_THROWS_WITH(error(), EndsWith("has no train-labels-idx1-ubyte, neither plain nor .gz"));
  write_bytes(folder.path("train-labels-idx1-ubyte"), idx({4}, 10));
  CHECK_THROWS_WITH(error(), EndsWith("train-labels-idx1-ubyte: holds 4 labels, expected 3 as train-images-idx3-ubyte "
                                      "holds images"));
  write_bytes(folder.path("train-labels-idx1-ubyte"), idx({0}));
  CHECK_THROWS_WITH(error(), Contains("holds 0 labels, expected 3"));
  write_bytes(folder.path("train-images-idx3-ubyte"), idx({3, 32, 28}));
  CHECK_THROWS_WITH(error(), EndsWith("train-images-idx3-ubyte: images are 32×28, expected 28×28"));
  write_bytes(folder.path("train-images-idx3-ubyte"), idx({0, 28, 28}));
  CHECK_THROWS_WITH(error(), EndsWith("train-images-idx3-ubyte: holds 0 images"));
}

TEST_CASE("MNIST's files may lie in folders of their names, as in Kaggle's archive") {
  const TemporaryDirectory folder;
  std::filesystem::create_directory(folder.path("train-images-idx3-ubyte"));  // an empty one, beside the file
  write_bytes(folder.path("train-images.idx3-ubyte"), three_images);
  write_bytes(folder.path("train-labels-idx1-ubyte/train-labels-idx1-ubyte"), three_labels);
  write_bytes(folder.path("t10k-images-idx3-ubyte/t10k-images-idx3-ubyte"), idx({2, 28, 28}));
  write_bytes(folder.path("t10k-images.idx3-ubyte"), idx({2, 28, 28}));
  write_bytes(folder.path("t10k-labels.idx1-ubyte/t10k-labels.idx1-ubyte"), idx({2}, 10));
  CHECK(load_mnist(folder.root(), Part::train).size() == 3);
  CHECK(load_mnist(folder.root(), Part::test).size() == 2);
  std::filesystem::remove(folder.path("train-images.idx3-ubyte"));
  CHECK_THROWS_WITH(load_mnist(folder.root(), Part::train),
                    EndsWith("has no train-images-idx3-ubyte, neither plain nor .gz"));
}

TEST_CASE("data in MNIST's files that is not MNIST is called by its folder, or IDX images") {
  const TemporaryDirectory root;
  const auto load = [&](const std::string& folder) {
    write_pair(root.path(folder), "", "t10k", {0, 9});
    return load_mnist(root.path(folder), Part::test);
  };
  for (const char* folder :
       {"FashionMNIST", "fashion-mnist/", "Fashion_MNIST", "FashionMNIST/raw", "fashionmnist/raw/"}) {
    INFO(folder);
    const Dataset fashion = load(folder);
    CHECK(fashion.name == "FashionMNIST");
    CHECK(fashion.class_names.at(0) == "T-shirt/top");
    CHECK(fashion.class_names.at(9) == "Ankle boot");
    CHECK(fashion.note.empty());
  }
  const Dataset kuzushiji = load("KMNIST/raw");
  CHECK(kuzushiji.name == "KMNIST");
  CHECK(kuzushiji.class_names == std::vector<std::string>{"o", "ki", "su", "tsu", "na", "ha", "ma", "ya", "re", "wo"});
  CHECK(load("qmnist").name == "QMNIST");
  for (const char* folder : {"mnist", "MNIST/raw", "raw", "fashion"}) {
    INFO(folder);
    const Dataset unknown = load(folder);
    CHECK(unknown.name == "IDX images");
    CHECK(unknown.class_names == std::vector<std::string>{"0", "1", "2", "3", "4", "5", "6", "7", "8", "9"});
    CHECK(unknown.note == root.path(folder) +
                              ": loaded as IDX images, its classes named by number: the labels are not MNIST's, and "
                              "the folder is not called FashionMNIST, KMNIST, EMNIST or QMNIST");
  }
}

TEST_CASE("IDX images have as many classes as their labels say, those of known data sets their own") {
  const TemporaryDirectory root;
  write_pair(root.path("some"), "", "t10k", {3, 25});
  const Dataset letters = load_mnist(root.path("some"), Part::train);
  CHECK(letters.class_names.size() == 26);
  CHECK(letters.class_names.back() == "25");
  CHECK(labels_of(letters) == std::vector<std::int64_t>{3, 25});
  write_pair(root.path("KMNIST"), "", "t10k", {3, 10});
  CHECK_THROWS_WITH(load_mnist(root.path("KMNIST"), Part::train),
                    EndsWith("train-labels-idx1-ubyte.gz: label 1 is 10, expected 0 to 9"));
}

TEST_CASE("EMNIST's images are put upright and its splits have their own classes") {
  const TemporaryDirectory root;
  const auto load = [&](const std::string& split) {
    const std::string folder = root.path(split);
    write_pair(folder, "emnist-" + split + "-", "test", {1, 2});
    return load_mnist(folder, Part::test);
  };
  const Dataset letters = load("letters");
  CHECK(letters.name == "EMNIST letters");
  CHECK(letters.class_names.size() == 27);
  CHECK(letters.class_names.at(1) == "a");
  CHECK(letters.class_names.at(26) == "z");
  CHECK(labels_of(letters) == std::vector<std::int64_t>{1, 2});
  CHECK(letters.images.shape() == Shape{2, 28, 28, 1});
  // In the file the bytes count up: row 2, column 5 of the second image is its byte 5 · 28 + 2.
  CHECK(letters.images.data<std::uint8_t>()[784 + 2 * 28 + 5] == (784 + 5 * 28 + 2) % 256);
  CHECK(load("digits").class_names.size() == 10);
  CHECK(load("mnist").name == "EMNIST mnist");
  CHECK(load("byclass").class_names.at(61) == "z");
  for (const char* split : {"bymerge", "balanced"}) {
    const std::vector<std::string> names = load(split).class_names;
    CHECK(names.size() == 47);
    CHECK(names.at(10) == "A");
    CHECK(names.at(36) == "a");
    CHECK(names.at(46) == "t");
  }
  // Files that were given MNIST's names do not say which split they are.
  write_pair(root.path("EMNIST"), "", "t10k", {1, 40});
  const Dataset renamed = load_mnist(root.path("EMNIST"), Part::train);
  CHECK(renamed.name == "EMNIST");
  CHECK(renamed.class_names.size() == 41);
  CHECK(renamed.images.data<std::uint8_t>()[784 + 2 * 28 + 5] == (784 + 5 * 28 + 2) % 256);
  CHECK_THAT(renamed.note, EndsWith("its classes named by number: the files' names do not say which of EMNIST's splits "
                                    "they are"));
}

TEST_CASE("of several splits of EMNIST one must be chosen") {
  const TemporaryDirectory folder;
  for (const char* split : {"balanced", "digits"}) {
    write_pair(folder.root(), std::string("emnist-") + split + "-", "test", {1, 2});
  }
  CHECK_THROWS_WITH(load_mnist(folder.root(), Part::train),
                    "mnist: " + folder.root().string() +
                        " holds EMNIST's splits balanced, digits, expected one; the option split chooses it, "
                        "and so does load_data(\"emnist-balanced\")");
  CHECK(load_mnist(folder.root(), Part::train, {.split = "digits"}).name == "EMNIST digits");
  CHECK_THROWS_WITH(load_mnist(folder.root(), Part::train, {.split = "letters"}),
                    EndsWith("has no emnist-letters-train-images-idx3-ubyte, neither plain nor .gz"));
  CHECK_THROWS_WITH(load_mnist(folder.root(), Part::train, {.split = "all"}),
                    "mnist: split is 'all', expected byclass, bymerge, balanced, letters, digits, mnist");
}

TEST_CASE("QMNIST's labels are the first of eight columns") {
  const TemporaryDirectory folder;
  const auto columns = [](std::uint8_t count, const Bytes& classes) {
    Bytes bytes = {0, 0, 12, 2, 0, 0, 0, static_cast<std::uint8_t>(classes.size()), 0, 0, 0, count};
    for (const std::uint8_t label : classes) {
      bytes = bytes + Bytes{0, 0, 0, label} + Bytes(std::size_t{4} * (count - 1u), 77);
    }
    return bytes;
  };
  write_gz(folder.path("qmnist-test-images-idx3-ubyte.gz"), idx({2, 28, 28}));
  write_gz(folder.path("qmnist-test-labels-idx2-int.gz"), columns(8, {7, 2}));
  const Dataset test = load_mnist(folder.root(), Part::test);
  CHECK(test.name == "QMNIST");
  CHECK(labels_of(test) == std::vector<std::int64_t>{7, 2});
  CHECK(test.class_names.at(7) == "7");
  CHECK_THROWS_WITH(load_mnist(folder.root(), Part::train),
                    EndsWith("has no qmnist-train-images-idx3-ubyte, neither plain nor .gz"));
  const auto error = [&] { load_mnist(folder.root(), Part::test); };
  write_gz(folder.path("qmnist-test-labels-idx2-int.gz"), columns(3, {7, 2}));
  CHECK_THROWS_WITH(error(), EndsWith("has 3 columns, expected 8"));
  write_gz(folder.path("qmnist-test-labels-idx2-int.gz"), columns(8, {7, 10}));
  CHECK_THROWS_WITH(error(), EndsWith("label 1 is 10, expected 0 to 9"));
  write_gz(folder.path("qmnist-test-labels-idx2-int.gz"), idx({2}, 10));
  CHECK_THROWS_WITH(error(), EndsWith("magic number is 0x00000801, expected 0x00000c02"));
}
