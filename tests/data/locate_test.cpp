// Where data sets are looked for.
#include "deft/data/locate.h"

#include <cstdlib>
#include <optional>

#include "catch.h"
#include "data/files.h"
#include "temporary_directory.h"

using namespace deft;
using Catch::Matchers::Contains;
using Catch::Matchers::EndsWith;

namespace fs = std::filesystem;

namespace {

// Sets an environment variable, or unsets it, until the end of the scope.
class Variable {
 public:
  Variable(const char* name, const std::optional<std::string>& value) : name_(name) {
    if (const char* old = std::getenv(name)) old_ = old;
    set(value);
  }
  ~Variable() { set(old_); }
  Variable(const Variable&) = delete;
  Variable& operator=(const Variable&) = delete;

 private:
  void set(const std::optional<std::string>& value) const {
    value ? setenv(name_, value->c_str(), 1) : unsetenv(name_);
  }

  const char* name_;
  std::optional<std::string> old_;
};

// An explicit folder, $DEFT_DATA and a cache, all empty.
struct Places {
  TemporaryDirectory root;
  fs::path given = root.path("given"), environment = root.path("environment");
  fs::path cache = root.path("cache") + "/deft";
  Variable data{"DEFT_DATA", environment.string()}, xdg{"XDG_CACHE_HOME", root.path("cache")};
};

void put_mnist(const fs::path& folder) { write_bytes(folder / "t10k-images-idx3-ubyte", {}); }

}  // namespace

TEST_CASE("data is looked for in the given folder, then $DEFT_DATA, then the cache") {
  const Places places;
  put_mnist(places.cache / "mnist");
  CHECK(locate_data("mnist") == places.cache / "mnist");
  put_mnist(places.environment);
  CHECK(locate_data("mnist") == places.environment);
  put_mnist(places.given / "mnist");
  CHECK(locate_data("mnist", places.given.string()) == places.given / "mnist");
  CHECK(locate_data("mnist", (places.given / "mnist").string()) == places.given / "mnist");
}

TEST_CASE("CIFAR-10 may lie in its own folder, in cifar10 or in both") {
  const Places places;
  for (const char* below : {"cifar10/cifar-10-batches-bin", "cifar10", "cifar-10-batches-bin", "."}) {
    write_bytes(places.environment / below / "test_batch.bin", {});
    CHECK(fs::equivalent(locate_data("cifar10"), places.environment / below));
  }
}

TEST_CASE("the cache lies in the home folder unless XDG says otherwise") {
  const Places places;
  const Variable xdg("XDG_CACHE_HOME", std::nullopt), home("HOME", places.root.path("home"));
  put_mnist(places.root.root() / "home/.cache/deft/mnist");
  CHECK(locate_data("mnist") == places.root.root() / "home/.cache/deft/mnist");
}

TEST_CASE("data that is nowhere is an error that names all places and remedies") {
  const Places places;
  const Variable data("DEFT_DATA", std::nullopt);
  CHECK_THROWS_WITH(locate_data("mnist"), Contains("no MNIST files in --data (not set), $DEFT_DATA (not set)") &&
                                              Contains("the cache (" + places.cache.string() + ")") &&
                                              Contains("scripts/download_data.sh mnist") &&
                                              Contains("--data synthetic"));
  CHECK_THROWS_WITH(locate_data("cifar10"), Contains("CIFAR-10") && !Contains("synthetic"));
  CHECK_THROWS_WITH(locate_data("imagenet"),
                    Contains("'imagenet', expected mnist, fashionmnist, kmnist, emnist, qmnist, cifar10, cifar100"));
  put_mnist(places.cache);
  CHECK_THROWS_WITH(
      locate_data("mnist", places.given.string()),
      Contains("no MNIST files in --data (" + places.given.string() + "); without --data, $DEFT_DATA " +
               "(not set) and the cache (" + places.cache.string() + ") are searched; fetch them with ") &&
          Contains("--data synthetic"));
}

TEST_CASE("an archive is reported where nothing better is found") {
  const Places places;
  write_bytes(places.environment / "cifar10/cifar10-jpeg.tar.xz", {});
  CHECK_THROWS_WITH(locate_data("cifar10"), Contains("cifar10/cifar10-jpeg.tar.xz"));
  write_bytes(places.cache / "cifar10/test_batch.bin", {});
  CHECK(locate_data("cifar10") == places.cache / "cifar10");
}

TEST_CASE("a data set is loaded by name, or drawn") {
  const Places places;
  for (const char* part : {"train", "t10k"}) {
    write_bytes(places.given / (part + std::string("-images-idx3-ubyte")), idx({3, 28, 28}));
    write_bytes(places.given / (part + std::string("-labels-idx1-ubyte")), idx({3}, 10));
  }
  const TrainTest mnist = load_data("mnist", places.given.string());
  CHECK(mnist.train.size() == 3);
  CHECK(mnist.test.name == "IDX images");
  const TrainTest drawn = load_data("mnist", "synthetic");
  CHECK(drawn.train.size() == 60000);
  CHECK(drawn.test.synthetic);
  const TrainTest few = load_data("mnist", "synthetic", 5);
  CHECK(few.train.images.to_vector<std::uint8_t>() == first_samples(drawn.train, 5).images.to_vector<std::uint8_t>());
  CHECK(few.test.size() == 5);
  CHECK(load_data("mnist", Part::test, places.given.string(), 2).size() == 2);
  CHECK(load_data("mnist", Part::test, places.given.string(), 20).size() == 3);
  fs::remove(places.given / "train-images-idx3-ubyte");
  CHECK(load_data("mnist", Part::test, places.given.string()).size() == 3);
  CHECK_THROWS_WITH(load_data("cifar10", "synthetic"), Contains("not for cifar10"));
}

TEST_CASE("torchvision's folders are found below its root") {
  const Places places;
  const fs::path root = places.given;
  for (const char* title : {"FashionMNIST", "KMNIST"}) put_mnist(root / title / "raw");
  write_bytes(root / "QMNIST/raw/qmnist-test-images-idx3-ubyte", {});
  write_bytes(root / "EMNIST/raw/emnist-digits-test-images-idx3-ubyte", {});
  CHECK_THROWS_WITH(locate_data("mnist", root.string()), "data: no MNIST files in --data (" + root.string() +
                                                             "), but FashionMNIST in " + root.string() +
                                                             "/FashionMNIST/raw");
  put_mnist(root / "MNIST/raw");
  CHECK(locate_data("mnist", root.string()) == root / "MNIST/raw");
  CHECK(locate_data("mnist", (root / "MNIST").string()) == root / "MNIST/raw");
  CHECK(locate_data("mnist", (root / "FashionMNIST").string()) == root / "FashionMNIST/raw");
  CHECK(locate_data("fashionmnist", root.string()) == root / "FashionMNIST/raw");
  CHECK(locate_data("kmnist", root.string()) == root / "KMNIST/raw");
  CHECK(locate_data("qmnist", root.string()) == root / "QMNIST/raw");
  CHECK(locate_data("emnist", (root / "EMNIST/raw").string()) == root / "EMNIST/raw");
  CHECK_THROWS_WITH(
      locate_data("kmnist", (root / "MNIST/raw").string()),
      Contains("no KMNIST files in --data") && EndsWith(", but MNIST in " + (root / "MNIST/raw").string()));
  CHECK_THROWS_WITH(locate_data("kmnist"),
                    EndsWith("; torchvision.datasets.KMNIST(FOLDER, download=True) fetches them"));
}

TEST_CASE("data in MNIST's files is only taken for what it is called") {
  const Places places;
  put_mnist(places.environment);
  put_mnist(places.cache / "fashion-mnist");
  CHECK(locate_data("fashionmnist") == places.cache / "fashion-mnist");
  CHECK(locate_data("mnist") == places.environment);
  // EMNIST's files lie about beside MNIST's folder.
  fs::rename(places.environment / "t10k-images-idx3-ubyte",
             places.environment / "emnist-digits-test-images-idx3-ubyte");
  CHECK_THROWS_WITH(locate_data("mnist"), Contains("no MNIST files in --data (not set)"));
  put_mnist(places.environment / "mnist");
  CHECK(locate_data("mnist") == places.environment / "mnist");
  CHECK(locate_data("emnist") == places.environment);
  CHECK(locate_data("mnist", places.environment.string()) == places.environment / "mnist");
  fs::remove_all(places.environment / "mnist");
  CHECK(locate_data("mnist", places.environment.string()) == places.environment);
  CHECK(locate_data("mnist", (places.cache / "fashion-mnist").string()) == places.cache / "fashion-mnist");
}

TEST_CASE("MNIST in other files than IDX says what to do") {
  const Places places;
  const auto error_with = [&](const std::string& name, const std::string& set = "mnist") {
    const std::string folder = places.root.path(name + " only");
    write_bytes(fs::path(folder) / name, {});
    try {
      locate_data(set, folder);
    } catch (const Error& error) {
      return std::string(error.what());
    }
    return std::string();
  };
  const std::string npz = places.root.path("mnist.npz only") + "/mnist.npz";
  CHECK(error_with("mnist.npz") == "mnist: " + npz +
                                       " is not in IDX files such as train-images-idx3-ubyte: convert it with "
                                       "scripts/npz_to_idx.py " +
                                       npz);
  CHECK_THAT(error_with("gzip.zip", "emnist"), Contains("unzip "));
  for (const auto& [name, set] : {std::pair("mnist_train.csv", "mnist"),
                                  {"train-00000-of-00001.parquet", "mnist"},
                                  {"kmnist-train-imgs.npz", "kmnist"}}) {
    CHECK_THAT(error_with(name, set), Contains(name) && Contains("is not in IDX files"));
  }
  // Files of one data set are not taken for another one's.
  CHECK_THAT(error_with("mnist.npz", "fashionmnist"), Contains("no FashionMNIST files"));
  CHECK_THAT(error_with("fashion-mnist_train.csv"), Contains("no MNIST files"));
}

TEST_CASE("a split of EMNIST is chosen by the name of the data set") {
  const TemporaryDirectory folder;
  for (const auto& [split, count] : {std::pair("digits", 3u), {"letters", 5u}}) {
    const std::string start = folder.path(std::string("emnist-") + split + "-test-");
    write_bytes(start + "images-idx3-ubyte", idx({count, 28, 28}));
    write_bytes(start + "labels-idx1-ubyte", idx({count}));
  }
  const std::string root = folder.root().string();
  CHECK(load_data("emnist-digits", Part::test, root).size() == 3);
  CHECK(load_data("emnist-digits", Part::test, root).name == "EMNIST digits");
  CHECK_THROWS_WITH(load_data("emnist", Part::test, root),
                    Contains("splits letters, digits") && EndsWith("load_data(\"emnist-letters\")"));
  CHECK_THROWS_WITH(load_data("emnist-x", Part::test, root), Contains("split is 'x', expected byclass"));
}

TEST_CASE("both parts have the same classes where the labels count them") {
  const TemporaryDirectory folder;
  for (const auto& [part, count] : {std::pair("train", 12u), {"t10k", 15u}}) {
    write_bytes(folder.path(part + std::string("-images-idx3-ubyte")), idx({count, 28, 28}));
    write_bytes(folder.path(part + std::string("-labels-idx1-ubyte")), idx({count}));
  }
  const TrainTest data = load_data("mnist", folder.root().string());
  CHECK(data.train.class_names.size() == 15);
  CHECK(data.test.class_names == data.train.class_names);
}
