#include "deft/data/image_folder.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <cstring>
#include <vector>

#include "deft/kernels/error.h"
#include "deft/kernels/parallel_for.h"

namespace deft {
namespace {

namespace fs = std::filesystem;

struct LabelledFile {
  fs::path path;
  std::int64_t label;
};

bool is_image_file(const fs::directory_entry& entry) {
  std::string extension = entry.path().extension().string();
  std::transform(extension.begin(), extension.end(), extension.begin(),
                 [](unsigned char c) { return std::tolower(c); });
  constexpr const char* known[] = {".png", ".jpg", ".jpeg", ".bmp", ".pgm", ".ppm"};
  return entry.is_regular_file() && std::find(std::begin(known), std::end(known), extension) != std::end(known);
}

template <class Accept>
std::vector<fs::path> sorted_entries(const fs::path& folder, Accept accept) {
  std::vector<fs::path> paths;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder)) {
    if (entry.path().filename().string().front() != '.' && accept(entry)) paths.push_back(entry.path());
  }
  std::sort(paths.begin(), paths.end());
  return paths;
}

std::vector<LabelledFile> list_files(const fs::path& folder, std::vector<std::string>& class_names) try {
  if (!fs::is_directory(folder)) throw Error(fmt::format("image folder: {} is not a folder", folder.string()));
  std::vector<LabelledFile> files;
  for (const fs::path& child : sorted_entries(folder, [](const auto& entry) { return entry.is_directory(); })) {
    const std::vector<fs::path> images = sorted_entries(child, is_image_file);
    if (images.empty()) throw Error(fmt::format("image folder: {} holds no images", child.string()));
    const auto label = static_cast<std::int64_t>(class_names.size());
    for (const fs::path& image : images) files.push_back({image, label});
    class_names.push_back(child.filename().string());
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
  Dataset dataset{.name = folder.filename().string(), .source = folder.string()};
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
