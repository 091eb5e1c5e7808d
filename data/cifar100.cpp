#include "deft/data/cifar100.h"

#include <fmt/format.h>

#include "deft/data/detail/cifar_files.h"
#include "deft/data/detail/paths.h"
#include "deft/kernels/runtime/error.h"

namespace deft {

namespace fs = std::filesystem;

Dataset load_cifar100(const fs::path& folder, Part part, const Cifar100Options& options) {
  const fs::path file = folder / (part == Part::train ? "train.bin" : "test.bin");
  const fs::path names = folder / (options.coarse ? "coarse_label_names.txt" : "fine_label_names.txt");
  for (const fs::path& path : {file, names}) {
    if (is_file(path)) continue;
    const std::string instead = holds_cifar100(folder) ? "" : unconverted_cifar100(folder);
    throw Error("cifar100: " +
                (instead.empty() ? fmt::format("{} has no {}", folder.string(), path.filename().string()) : instead));
  }
  constexpr std::int64_t superclasses = 20, classes = 100;
  Dataset dataset{.name = "CIFAR-100", .source = folder.string()};
  dataset.class_names = read_class_names(names, options.coarse ? superclasses : classes);
  read_cifar({{file, part == Part::train ? 50000 : 10000}},
             {.classes = {superclasses, classes}, .used = options.coarse ? 0u : 1u}, dataset);
  return dataset;
}

bool holds_cifar100(const fs::path& folder) { return is_file(folder / "train.bin") || is_file(folder / "test.bin"); }

std::string unconverted_cifar100(const fs::path& folder) {
  const auto found = [&](const char* name, const std::string& remedy) {
    return fmt::format("{} is not the binary version unpacked: {}", (folder / name).string(), remedy);
  };
  if (const char* name = "cifar-100-binary.tar.gz"; is_file(folder / name)) {
    return found(name, fmt::format("unpack it (tar -xzf {} -C {})", (folder / name).string(), folder.string()));
  }
  for (const char* name : {"cifar-100-python.tar.gz", "cifar-100-python/train", "train", "test"}) {
    if (!is_file(folder / name)) continue;
    return found(name, "it holds Python pickles; fetch the binary version with scripts/download_data.sh cifar100");
  }
  return "";
}

}  // namespace deft
