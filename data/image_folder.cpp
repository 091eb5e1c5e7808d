#include "deft/data/image_folder.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <cstring>
#include <initializer_list>
#include <map>
#include <string_view>
#include <vector>

#include "deft/data/detail/paths.h"
#include "deft/kernels/runtime/error.h"
#include "deft/kernels/runtime/parallel_for.h"

namespace deft {
namespace {

namespace fs = std::filesystem;

struct LabelledFile {
  fs::path path;
  std::int64_t label;
};

bool ends_with_any(std::string name, std::initializer_list<std::string_view> endings) {
  std::transform(name.begin(), name.end(), name.begin(), [](unsigned char c) { return std::tolower(c); });
  return std::any_of(endings.begin(), endings.end(), [&](std::string_view ending) {
    return name.size() >= ending.size() && name.compare(name.size() - ending.size(), ending.size(), ending) == 0;
  });
}

// Whether torchvision would take the file for an image. Throws Error for one that deft cannot read.
bool is_image_file(const fs::path& path) {
  const std::string name = path.filename().string();
  if (ends_with_any(name, {".tif", ".tiff", ".webp"})) {
    throw Error(fmt::format(
        "image folder: {} is a TIFF or WebP file by its name, expected PNG, JPEG, BMP or binary PNM", path.string()));
  }
  return ends_with_any(name, {".jpg", ".jpeg", ".png", ".ppm", ".bmp", ".pgm"});
}

struct Entries {
  std::vector<std::string> folders, files;  // sorted paths
};

Entries entries(const fs::path& folder) {
  Entries found;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder)) {
    (entry.is_directory() ? found.folders : found.files).push_back(entry.path().string());
  }
  std::sort(found.folders.begin(), found.folders.end());
  std::sort(found.files.begin(), found.files.end());
  return found;
}

// The files of every folder. Paths are ordered as texts, as torchvision does: "a-b" comes before "a/b", and fs::path
// would have it after.
using Folders = std::map<std::string, std::vector<std::string>>;

// Adds `folder` and all folders below it. `above` are those that it lies in.
void add_folders(const std::string& folder, std::vector<fs::path>& above, Folders& all) {
  const fs::path real = fs::canonical(folder);
  if (std::find(above.begin(), above.end(), real) != above.end()) {
    throw Error(fmt::format("image folder: {} leads back to {}, which it lies in", folder, real.string()));
  }
  Entries found = entries(folder);
  all[folder] = std::move(found.files);
  above.push_back(real);
  for (const std::string& below : found.folders) add_folders(below, above, all);
  above.pop_back();
}

std::vector<LabelledFile> list_files(const fs::path& folder, std::vector<std::string>& class_names) try {
  if (!fs::is_directory(folder)) throw Error(fmt::format("image folder: {} is not a folder", folder.string()));
  std::vector<LabelledFile> files;
  for (const std::string& child : entries(folder).folders) {
    Folders below;
    std::vector<fs::path> above = {fs::canonical(folder)};
    add_folders(child, above, below);
    const std::size_t before = files.size();
    const auto label = static_cast<std::int64_t>(class_names.size());
    for (const auto& [_, paths] : below) {
      for (const std::string& path : paths) {
        if (is_image_file(path)) files.push_back({path, label});
      }
    }
    if (files.size() == before) throw Error(fmt::format("image folder: {} holds no images", child));
    class_names.push_back(fs::path(child).filename().string());
  }
  if (files.empty())
    throw Error(fmt::format("image folder: {} has no subfolders, expected one per class", folder.string()));
  return files;
} catch (const fs::filesystem_error& error) {
  const fs::path& path = error.path1().empty() ? folder : error.path1();
  throw Error(fmt::format("image folder: {}: {}", path.string(), error.code().message()));
}

}  // namespace

Dataset load_image_folder(const fs::path& folder, const ImageOptions& options) {
  Dataset dataset{.name = folder_name(folder), .source = folder.string()};
  const std::vector<LabelledFile> files = list_files(folder, dataset.class_names);
  const auto count = static_cast<std::int64_t>(files.size());
  const Tensor first = load_image(files[0].path, options);
  const std::int64_t bytes = first.numel();
  dataset.images =
      empty({count, first.size(0), first.size(1), first.size(2)}, {.dtype = DType::uint8, .device = Device::cpu()});
  dataset.labels = empty({count}, {.dtype = DType::int64, .device = Device::cpu()});
  std::uint8_t* images = dataset.images.mutable_data<std::uint8_t>();
  std::int64_t* labels = dataset.labels.mutable_data<std::int64_t>();
  parallel_for(count, [&](std::int64_t i) {
    const LabelledFile& file = files[static_cast<std::size_t>(i)];
    const Tensor image = load_image(file.path, options);
    if (image.shape() != first.shape()) {
      throw Error(fmt::format("{}: is {}×{} pixels, expected {}×{} as {}; give a height and a width to resize to",
                              file.path.string(), image.size(0), image.size(1), first.size(0), first.size(1),
                              files[0].path.string()));
    }
    std::memcpy(images + i * bytes, image.data<std::uint8_t>(), static_cast<std::size_t>(bytes));
    labels[i] = file.label;
  });
  return dataset;
}

}  // namespace deft
