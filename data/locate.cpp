#include "deft/data/locate.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>

#include "deft/data/cifar10.h"
#include "deft/data/mnist.h"
#include "deft/data/synthetic_digits.h"
#include "deft/kernels/error.h"

namespace deft {
namespace {

namespace fs = std::filesystem;

struct KnownData {
  const char* name;
  const char* title;
  std::vector<const char*> subfolders;  // where the files may lie below a place
  bool (*holds)(const fs::path&);
  std::string (*unconverted)(const fs::path&);  // what stands there instead, with a remedy
  Dataset (*load)(const fs::path&, Part);
};

const KnownData& known(const std::string& name) {
  static const KnownData all[] = {
      {"mnist", "MNIST", {"", "mnist"}, holds_mnist, [](const fs::path&) { return std::string(); }, load_mnist},
      {"cifar10",
       "CIFAR-10",
       {"", "cifar-10-batches-bin", "cifar10", "cifar10/cifar-10-batches-bin"},
       holds_cifar10,
       unconverted_cifar10,
       load_cifar10},
  };
  for (const KnownData& data : all) {
    if (name == data.name) return data;
  }
  throw Error(fmt::format("data: the name is '{}', expected mnist or cifar10", name));
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

std::string not_found(const KnownData& data, const std::vector<Place>& all) {
  const std::string given = to_string(all[0]), environment = to_string(all[1]), cache = to_string(all[2]);
  std::string text = fmt::format("data: no {} files in ", data.title);
  text += all[0].folder.empty() ? fmt::format("{}, {} or {}", given, environment, cache)
                                : fmt::format("{}; without --data, {} and {} are searched", given, environment, cache);
  text += fmt::format("; fetch them with scripts/download_data.sh {}", data.name);
  if (std::string(data.name) == "mnist") text += ", or use drawn digits with --data synthetic";
  return text;
}

}  // namespace

fs::path locate_data(const std::string& name, const std::string& explicit_folder) {
  const KnownData& data = known(name);
  const std::vector<Place> all = places(explicit_folder);
  const std::size_t searched = explicit_folder.empty() ? all.size() : 1;
  for (std::size_t i = 0; i < searched; ++i) {
    if (all[i].folder.empty()) continue;
    for (const char* below : data.subfolders) {
      const fs::path folder = fs::path(all[i].folder) / below;
      if (data.holds(folder)) return *below == '\0' ? fs::path(all[i].folder) : folder;
    }
  }
  for (std::size_t i = 0; i < searched; ++i) {
    for (const char* below : data.subfolders) {
      const std::string instead = all[i].folder.empty() ? "" : data.unconverted(fs::path(all[i].folder) / below);
      if (!instead.empty()) throw Error(fmt::format("{}: {}", data.name, instead));
    }
  }
  throw Error(not_found(data, all));
}

Dataset load_data(const std::string& name, Part part, const std::string& data, std::int64_t limit) {
  const KnownData& wanted = known(name);
  const auto within = [&](std::int64_t size) { return limit > 0 ? std::min(limit, size) : size; };
  if (data == "synthetic") {
    if (name != "mnist") throw Error(fmt::format("data: 'synthetic' stands in for mnist alone, not for {}", name));
    return synthetic_digits(within(part == Part::train ? 60000 : 10000), part);
  }
  const Dataset whole = wanted.load(locate_data(name, data), part);
  return first_samples(whole, within(whole.size()));
}

TrainTest load_data(const std::string& name, const std::string& data, std::int64_t limit) {
  return {load_data(name, Part::train, data, limit), load_data(name, Part::test, data, limit)};
}

}  // namespace deft
