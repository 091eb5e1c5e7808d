#include "deft/data/locate.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <functional>
#include <utility>
#include <vector>

#include "deft/data/cifar10.h"
#include "deft/data/cifar100.h"
#include "deft/data/mnist.h"
#include "deft/data/synthetic_digits.h"
#include "deft/kernels/runtime/error.h"

namespace deft {
namespace {

namespace fs = std::filesystem;

using Names = std::vector<std::string>;

struct KnownData {
  std::string name, title;
  Names subfolders;  // where the files may lie below a place
  std::function<bool(const fs::path&)> holds;
  std::function<std::string(const fs::path&)> unconverted;  // what stands there instead, with a remedy
  Dataset (*load)(const fs::path&, Part);
  std::string remedy;
};

// A data set in MNIST's files; torchvision keeps them in TITLE/raw.
KnownData in_idx_files(const std::string& name, const std::string& title, Names subfolders, const std::string& remedy) {
  subfolders.insert(subfolders.end(), {title, title + "/raw"});
  const std::string relative = name == "mnist" ? "" : title;
  const auto holds = [relative](const fs::path& folder) {
    return holds_mnist(folder) && mnist_relative(folder) == relative;
  };
  const auto unconverted = [relative](const fs::path& folder) { return unconverted_mnist(folder, relative); };
  const auto load = [](const fs::path& folder, Part part) { return load_mnist(folder, part); };
  return {name, title, std::move(subfolders), holds, unconverted, load, remedy};
}

// `arguments` are those of torchvision's class besides the folder.
KnownData in_torchvision(const std::string& name, const std::string& title, const Names& subfolders,
                         const std::string& arguments = "") {
  return in_idx_files(name, title, subfolders,
                      fmt::format("torchvision.datasets.{}(FOLDER, {}download=True) fetches them", title, arguments));
}

const std::vector<KnownData>& all_data() {
  const auto cifar100 = [](const fs::path& folder, Part part) { return load_cifar100(folder, part); };
  const std::string fetch = "fetch them with scripts/download_data.sh ";
  static const std::vector<KnownData> all = {
      in_idx_files("mnist", "MNIST", {"", "raw", "mnist"}, fetch + "mnist, or use drawn digits with --data synthetic"),
      in_torchvision("fashionmnist", "FashionMNIST", {"", "raw", "fashionmnist", "fashion-mnist"}),
      in_torchvision("kmnist", "KMNIST", {"", "raw", "kmnist"}),
      in_torchvision("emnist", "EMNIST", {"", "raw", "gzip", "emnist"}, "split='balanced', "),
      in_torchvision("qmnist", "QMNIST", {"", "raw", "qmnist"}, "what='train' or 'test', "),
      {"cifar10",
       "CIFAR-10",
       {"", "cifar-10-batches-bin", "cifar10", "cifar10/cifar-10-batches-bin"},
       holds_cifar10,
       unconverted_cifar10,
       load_cifar10,
       fetch + "cifar10"},
      {"cifar100",
       "CIFAR-100",
       {"", "cifar-100-binary", "cifar100", "cifar100/cifar-100-binary"},
       holds_cifar100,
       unconverted_cifar100,
       cifar100,
       fetch + "cifar100"},
  };
  return all;
}

const KnownData& known(const std::string& name) {
  Names names;
  for (const KnownData& data : all_data()) {
    if (name == data.name) return data;
    names.push_back(data.name);
  }
  throw Error(fmt::format("data: the name is '{}', expected {}", name, fmt::join(names, ", ")));
}

// The data set that a name means, and EMNIST's split in it: "emnist-digits" means "emnist" and "digits".
std::pair<std::string, std::string> set_and_split(const std::string& name) {
  const std::string emnist = "emnist";
  if (name.rfind(emnist + "-", 0) != 0) return {name, ""};
  return {emnist, name.substr(emnist.size() + 1)};
}

fs::path inside(const fs::path& place, const std::string& below) { return below.empty() ? place : place / below; }

// The first of the folders below `place` that has the files; empty when none has.
fs::path find_below(const std::string& place, const KnownData& data) {
  for (const std::string& below : data.subfolders) {
    if (fs::path folder = inside(place, below); data.holds(folder)) return folder;
  }
  return {};
}

struct Place {
  std::string label;   // how the user knows it
  std::string folder;  // empty when not given
};

fs::path cache_folder() {
  const auto variable = [](const char* name) {
    const char* value = std::getenv(name);
    return fs::path(value != nullptr ? value : "");
  };
  // The XDG specification has relative paths ignored.
  const fs::path cache = variable("XDG_CACHE_HOME"), home = variable("HOME");
  if (cache.is_absolute()) return cache / "deft";
  return home.empty() ? fs::path() : home / ".cache" / "deft";
}

std::vector<Place> places(const std::string& explicit_folder) {
  const char* environment = std::getenv("DEFT_DATA");
  return {{"--data", explicit_folder},
          {"$DEFT_DATA", environment != nullptr ? environment : ""},
          {"the cache", cache_folder().string()}};
}

std::string to_string(const Place& place) {
  return fmt::format("{} ({})", place.label, place.folder.empty() ? "not set" : place.folder);
}

std::string not_found(const KnownData& wanted, const std::vector<Place>& all) {
  const std::string given = to_string(all[0]), environment = to_string(all[1]), cache = to_string(all[2]);
  std::string text = fmt::format("data: no {} files in ", wanted.title);
  if (all[0].folder.empty()) return text + fmt::format("{}, {} or {}; {}", given, environment, cache, wanted.remedy);
  text += given;
  for (const KnownData& other : all_data()) {
    const fs::path folder = find_below(all[0].folder, other);
    if (!folder.empty()) return text + fmt::format(", but {} in {}", other.title, folder.string());
  }
  return text + fmt::format("; without --data, {} and {} are searched; {}", environment, cache, wanted.remedy);
}

}  // namespace

fs::path locate_data(const std::string& name, const std::string& explicit_folder) {
  const KnownData& data = known(set_and_split(name).first);
  const std::vector<Place> all = places(explicit_folder);
  const std::size_t searched = explicit_folder.empty() ? all.size() : 1;
  for (std::size_t i = 0; i < searched; ++i) {
    if (all[i].folder.empty()) continue;
    if (fs::path folder = find_below(all[i].folder, data); !folder.empty()) return folder;
  }
  if (name == "mnist" && !explicit_folder.empty()) {
    // Another data set in MNIST's files may take its place, but only where somebody asks for it.
    for (const char* below : {"", "raw", "gzip"}) {
      if (fs::path folder = inside(explicit_folder, below); holds_mnist(folder)) return folder;
    }
  }
  for (std::size_t i = 0; i < searched; ++i) {
    for (const std::string& below : data.subfolders) {
      const std::string instead = all[i].folder.empty() ? "" : data.unconverted(inside(all[i].folder, below));
      if (!instead.empty()) throw Error(fmt::format("{}: {}", data.name, instead));
    }
  }
  throw Error(not_found(data, all));
}

Dataset load_data(const std::string& name, Part part, const std::string& data, std::int64_t limit) {
  const auto [set, split] = set_and_split(name);
  const KnownData& wanted = known(set);
  const auto within = [&](std::int64_t size) { return limit > 0 ? std::min(limit, size) : size; };
  if (data == "synthetic") {
    if (name != "mnist") throw Error(fmt::format("data: 'synthetic' stands in only for mnist, not for {}", name));
    return synthetic_digits(within(part == Part::train ? 60000 : 10000), part);
  }
  const fs::path folder = locate_data(name, data);
  const Dataset whole = split.empty() ? wanted.load(folder, part) : load_mnist(folder, part, {.split = split});
  return first_samples(whole, within(whole.size()));
}

TrainTest load_data(const std::string& name, const std::string& data, std::int64_t limit) {
  TrainTest parts = {load_data(name, Part::train, data, limit), load_data(name, Part::test, data, limit)};
  // Classes that are counted by the labels are those of both parts.
  if (parts.train.classes() != parts.test.classes()) {
    const bool more_in_train = parts.train.classes() > parts.test.classes();
    const Names names = (more_in_train ? parts.train : parts.test).class_names;
    parts.train.class_names = parts.test.class_names = names;
  }
  return parts;
}

}  // namespace deft
