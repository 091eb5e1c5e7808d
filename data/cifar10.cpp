#include "deft/data/cifar10.h"

#include <fmt/format.h>

#include "deft/data/detail/cifar_files.h"
#include "deft/data/detail/paths.h"
#include "deft/kernels/runtime/error.h"

namespace deft {
namespace {

namespace fs = std::filesystem;

constexpr std::int64_t records = 10000;  // of a file

std::vector<std::string> file_names(Part part) {
  if (part == Part::test) return {"test_batch.bin"};
  std::vector<std::string> names;
  for (int batch = 1; batch <= 5; ++batch) names.push_back(fmt::format("data_batch_{}.bin", batch));
  return names;
}

}  // namespace

const std::vector<std::string>& cifar10_classes() {
  static const std::vector<std::string> names = {"airplane", "automobile", "bird",  "cat",  "deer",
                                                 "dog",      "frog",       "horse", "ship", "truck"};
  return names;
}

Dataset load_cifar10(const fs::path& folder, Part part) {
  std::vector<CifarFile> files;
  for (const std::string& name : file_names(part)) {
    files.push_back({folder / name, records});
    if (is_file(files.back().path)) continue;
    const std::string instead = unconverted_cifar10(folder);
    throw Error(instead.empty() ? fmt::format("cifar10: {} has no {}", folder.string(), name) : "cifar10: " + instead);
  }
  Dataset dataset{.name = "CIFAR-10", .source = folder.string()};
  const fs::path names = folder / "batches.meta.txt";
  dataset.class_names = is_file(names) ? read_class_names(names, 10) : cifar10_classes();
  read_cifar(files, {.classes = {10}}, dataset);
  return dataset;
}

bool holds_cifar10(const fs::path& folder) {
  for (Part part : {Part::train, Part::test}) {
    for (const std::string& name : file_names(part)) {
      if (is_file(folder / name)) return true;
    }
  }
  return false;
}

std::string unconverted_cifar10(const fs::path& folder) {
  const char* const fetch = "fetch the binary version with scripts/download_data.sh cifar10";
  const auto found = [&](const char* name, const std::string& remedy) {
    return fmt::format("{} is not the binary version unpacked: {}", (folder / name).string(), remedy);
  };
  const auto present = [&](const char* name) {
    std::error_code error;
    return fs::exists(folder / name, error);
  };
  if (const char* name = "cifar-10-binary.tar.gz"; present(name)) {
    return found(name, fmt::format("unpack it (tar -xzf {} -C {})", (folder / name).string(), folder.string()));
  }
  if (const char* name = "cifar10-jpeg.tar.xz"; present(name)) {
    return found(name, fmt::format("convert its JPEG images to data_batch_1.bin … data_batch_5.bin and test_batch.bin, "
                                   "or {}",
                                   fetch));
  }
  for (const char* name :
       {"cifar-10-python.tar.gz", "cifar-10-batches-py.tar.gz", "cifar-10-batches-py", "data_batch_1", "test_batch"}) {
    if (present(name)) return found(name, fmt::format("it holds Python pickles; {}", fetch));
  }
  return "";
}

}  // namespace deft
