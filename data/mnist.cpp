#include "deft/data/mnist.h"

#include <fmt/format.h>
#include <zlib.h>

#include <algorithm>
#include <cctype>
#include <optional>
#include <string_view>

#include "deft/core/shape_ops.h"
#include "deft/data/detail/paths.h"
#include "deft/data/idx.h"
#include "deft/kernels/runtime/error.h"

namespace deft {
namespace {

namespace fs = std::filesystem;
using Names = std::vector<std::string>;

constexpr std::int64_t side = 28;
constexpr std::int64_t qmnist_columns = 8;  // of a label: the class, then where the digit comes from

const Names& emnist_splits() {
  static const Names splits = {"byclass", "bymerge", "balanced", "letters", "digits", "mnist"};
  return splits;
}

// How a data set names its files.
struct Naming {
  std::string prefix;
  const char* test;    // what the test part is called
  const char* labels;  // how the names of label files end
  std::string split;   // of EMNIST
};

const std::vector<Naming>& namings() {
  static const std::vector<Naming> all = [] {
    std::vector<Naming> list = {{"", "t10k", "idx1-ubyte", ""}, {"qmnist-", "test", "idx2-int", ""}};
    for (const std::string& split : emnist_splits()) {
      list.push_back({"emnist-" + split + "-", "test", "idx1-ubyte", split});
    }
    return list;
  }();
  return all;
}

// FOLDER/STEM-ENDING or one of its variants. Some of Kaggle's archives have a file in a folder of its name, beside
// others that have an empty folder of that name.
std::optional<fs::path> find_file(const fs::path& folder, const std::string& stem, const std::string& ending) {
  for (const fs::path& place : {folder, folder / (stem + "-" + ending), folder / (stem + "." + ending)}) {
    for (const char* separator : {"-", "."}) {
      for (const char* compression : {"", ".gz"}) {
        fs::path path = place / (stem + separator + ending + compression);
        if (is_file(path)) return path;
      }
    }
  }
  return std::nullopt;
}

struct Files {
  std::optional<fs::path> images, labels;
};

std::string stem(const Naming& naming, Part part) {
  return naming.prefix + (part == Part::train ? "train" : naming.test);
}

Files find_files(const fs::path& folder, const Naming& naming, Part part) {
  return {find_file(folder, stem(naming, part) + "-images", "idx3-ubyte"),
          find_file(folder, stem(naming, part) + "-labels", naming.labels)};
}

bool holds(const fs::path& folder, const Naming& naming) {
  for (const Part part : {Part::train, Part::test}) {
    const Files files = find_files(folder, naming, part);
    if (files.images || files.labels) return true;
  }
  return false;
}

// The naming that the files in `folder` follow; MNIST's where there are none.
const Naming& naming_of(const fs::path& folder, const std::string& split) {
  if (const Names& splits = emnist_splits();
      !split.empty() && std::find(splits.begin(), splits.end(), split) == splits.end()) {
    throw Error(fmt::format("mnist: split is '{}', expected {}", split, fmt::join(splits, ", ")));
  }
  std::vector<const Naming*> found;
  for (const Naming& naming : namings()) {
    if (split.empty() ? holds(folder, naming) : naming.split == split) found.push_back(&naming);
  }
  if (found.size() > 1 && !found[0]->split.empty()) {
    std::string text;
    for (const Naming* naming : found) text += (text.empty() ? "" : ", ") + naming->split;
    throw Error(
        fmt::format("mnist: {} holds EMNIST's splits {}, expected one; the option split chooses it, and so "
                    "does load_data(\"emnist-{}\")",
                    folder.string(), text, found[0]->split));
  }
  return found.empty() ? namings()[0] : *found[0];
}

// A data set apart from its images and labels.
struct Identity {
  std::string name;
  Names class_names = {};  // empty: by number
  bool transposed = false;
  std::string note = {};  // why there are no names of classes
};

Names characters(std::string_view text) {
  Names names;
  for (const char c : text) names.emplace_back(1, c);
  return names;
}

const char* const digits = "0123456789";

// Cohen, Afshar, Tapson, van Schaik, "EMNIST: an extension of MNIST to handwritten letters", section II: bymerge and
// balanced have one class for both cases of the letters that look alike in both.
Names emnist_classes(const std::string& split) {
  if (split == "digits" || split == "mnist") return characters(digits);
  const std::string upper = "ABCDEFGHIJKLMNOPQRSTUVWXYZ", lower = "abcdefghijklmnopqrstuvwxyz";
  if (split == "letters") {
    Names names = characters(lower);
    names.insert(names.begin(), "N/A");  // torchvision's name for label 0, which occurs nowhere
    return names;
  }
  return characters(digits + upper + (split == "byclass" ? lower : "abdefghnqrt"));
}

// The data sets whose files are called like MNIST's, or may be. Names of classes: Xiao, Rasul, Vollgraf,
// "Fashion-MNIST", table 2; Clanuwat and others, "Deep learning for classical Japanese literature", romanised as in
// torchvision.
std::optional<Identity> relative(const std::string& spelling) {
  std::string key;
  for (const char c : spelling) {
    if (c != '-' && c != '_') key += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  }
  if (key == "fashionmnist") {
    return Identity{
        "FashionMNIST",
        {"T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"}};
  }
  if (key == "kmnist" || key == "kuzushijimnist") {
    return Identity{"KMNIST", {"o", "ki", "su", "tsu", "na", "ha", "ma", "ya", "re", "wo"}};
  }
  if (key == "qmnist") return Identity{"QMNIST", characters(digits)};
  if (key == "emnist")
    return Identity{.name = "EMNIST",
                    .transposed = true,
                    .note = ": the files' names do not say which of EMNIST's splits they are"};
  return std::nullopt;
}

std::optional<Identity> relative_by_folder(const fs::path& folder) {
  const std::string name = folder_name(folder);
  return relative(name == "raw" || name == "gzip" ? folder_name(folder / "..") : name);
}

// The files are known by the md5 of the unpacked labels: a25bea736e30d166cdddb491f175f624 for training and
// 27ae3e4e09519cfbb04c329615203637 for the test. Compared is the CRC-32 of the labels in the files with these
// sums, as zlib is here already and no library with md5 is: labels that are not MNIST's pass one time in 2^32.
bool is_mnist(const Tensor& labels, Part part) {
  const auto [count, sum] = part == Part::train ? std::pair(60000, 0xba07e8efu) : std::pair(10000, 0xee8604d9u);
  return labels.numel() == count && crc32_z(0, labels.data<std::uint8_t>(), static_cast<std::size_t>(count)) == sum;
}

Identity identify(const fs::path& folder, const Naming& naming, Part part, const Tensor& labels) {
  if (!naming.split.empty()) return {"EMNIST " + naming.split, emnist_classes(naming.split), true};
  if (!naming.prefix.empty()) return *relative("qmnist");
  if (is_mnist(labels, part)) return {"MNIST", characters(digits)};
  if (const std::optional<Identity> found = relative_by_folder(folder)) return *found;
  return {.name = "IDX images",
          .note = ": the labels are not MNIST's, and the folder is not called FashionMNIST, KMNIST, EMNIST or QMNIST"};
}

void check_files(const fs::path& image_path, const Tensor& images, const fs::path& label_path, const Tensor& labels) {
  const std::int64_t count = images.size(0);
  if (images.size(1) != side || images.size(2) != side) {
    throw Error(
        fmt::format("{}: images are {}×{}, expected 28×28", image_path.string(), images.size(1), images.size(2)));
  }
  if (count == 0) throw Error(fmt::format("{}: holds 0 images", image_path.string()));
  if (labels.size(0) != count) {
    throw Error(fmt::format("{}: holds {} labels, expected {} as {} holds images", label_path.string(), labels.size(0),
                            count, image_path.filename().string()));
  }
  if (labels.dim() == 2 && labels.size(1) != qmnist_columns) {
    throw Error(fmt::format("{}: has {} columns, expected {}", label_path.string(), labels.size(1), qmnist_columns));
  }
}

// int64 [N] in [0, classes), from the labels as they are stored.
Tensor class_labels(const fs::path& path, const Tensor& stored, std::int64_t classes) {
  const Tensor labels = stored.dim() == 2 ? select(stored, 1, 0) : stored.to(DType::int64);
  for (std::int64_t i = 0; i < labels.numel(); ++i) {
    const std::int64_t label = labels.data<std::int64_t>()[i];
    if (label < 0 || label >= classes) {
      throw Error(fmt::format("{}: label {} is {}, expected 0 to {}", path.string(), i, label, classes - 1));
    }
  }
  return labels;
}

// "0" to "9", or to the highest label.
Names numbered_classes(const Tensor& labels) {
  const std::uint8_t* first = labels.data<std::uint8_t>();
  const int highest = std::max(9, int{*std::max_element(first, first + labels.numel())});
  Names names;
  for (int label = 0; label <= highest; ++label) names.push_back(std::to_string(label));
  return names;
}

}  // namespace

Dataset load_mnist(const fs::path& folder, Part part, const MnistOptions& options) {
  const Naming& naming = naming_of(folder, options.split);
  const Files files = find_files(folder, naming, part);
  const auto require = [&](const std::optional<fs::path>& path, const std::string& ending) {
    if (path) return *path;
    throw Error(
        fmt::format("mnist: {} has no {}-{}, neither plain nor .gz", folder.string(), stem(naming, part), ending));
  };
  const fs::path image_path = require(files.images, "images-idx3-ubyte");
  const fs::path label_path = require(files.labels, std::string("labels-") + naming.labels);
  const bool has_columns = naming.labels == std::string_view("idx2-int");
  const Tensor images = read_idx(image_path, 3);
  const Tensor labels = has_columns ? read_idx(label_path, 2, DType::int64) : read_idx(label_path, 1);
  check_files(image_path, images, label_path, labels);

  Identity identity = identify(folder, naming, part, labels);
  if (identity.class_names.empty()) {
    identity.class_names = numbered_classes(labels);
    identity.note =
        fmt::format("{}: loaded as {}, its classes named by number{}", folder.string(), identity.name, identity.note);
  }
  Dataset dataset{.name = identity.name, .source = folder.string(), .note = identity.note};
  dataset.labels = class_labels(label_path, labels, static_cast<std::int64_t>(identity.class_names.size()));
  dataset.images = reshape(identity.transposed ? transpose(images, 1, 2) : images, {images.size(0), side, side, 1});
  dataset.class_names = std::move(identity.class_names);
  return dataset;
}

bool holds_mnist(const fs::path& folder) {
  return std::any_of(namings().begin(), namings().end(), [&](const Naming& naming) { return holds(folder, naming); });
}

std::string mnist_relative(const fs::path& folder) {
  for (const Naming& naming : namings()) {
    if (!holds(folder, naming)) continue;
    if (!naming.prefix.empty()) return naming.split.empty() ? "QMNIST" : "EMNIST";
    const std::optional<Identity> found = relative_by_folder(folder);
    return found ? found->name : "";
  }
  return "";
}

std::string unconverted_mnist(const fs::path& folder, const std::string& relative) {
  const auto found = [&](const char* name, const std::string& remedy) {
    return fmt::format("{} is not in IDX files such as train-images-idx3-ubyte: {}", (folder / name).string(), remedy);
  };
  if (const char* name = "mnist.npz"; relative.empty() && is_file(folder / name)) {
    return found(name, fmt::format("convert it with scripts/npz_to_idx.py {}", (folder / name).string()));
  }
  if (const char* name = "gzip.zip"; relative == "EMNIST" && is_file(folder / name)) {
    return found(name, fmt::format("unpack it (unzip {} -d {})", (folder / name).string(), folder.string()));
  }
  for (const auto& [of, name] : {std::pair("", "mnist_train.csv"),
                                 {"", "train.csv"},
                                 {"", "train-00000-of-00001.parquet"},
                                 {"FashionMNIST", "fashion-mnist_train.csv"},
                                 {"KMNIST", "kmnist-train-imgs.npz"},
                                 {"EMNIST", "emnist-balanced-train.csv"}}) {
    if (relative == of && is_file(folder / name)) return found(name, "fetch those, which its authors publish too");
  }
  return "";
}

}  // namespace deft
