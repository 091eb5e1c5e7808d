// Image files sorted into a folder per class.
#pragma once

#include <filesystem>

#include "deft/data/dataset.h"
#include "deft/data/image.h"

namespace deft {

/// Reads images as torchvision's ImageFolder lists them: every folder directly in `folder` is a class, in alphabetical
/// order (of bytes), and every file below it, however deep, that ends in .jpg, .jpeg, .png, .ppm, .bmp or .pgm, in any
/// case, a sample, folder by folder in the order of their paths and then by name. Symbolic links are followed; hidden
/// files and folders are no exception; files with other endings are passed over. The data set is called as the folder.
///
/// Without height and width in `options` all images must have one size. Throws Error when there are no classes; for a
/// class without images, images of different sizes, damaged files, and folders that cannot be read; for files in .tif,
/// .tiff and .webp, which torchvision reads and load_image does not; and for a link to a folder that it lies in.
Dataset load_image_folder(const std::filesystem::path& folder, const ImageOptions& options = {});

}  // namespace deft
