// Image files sorted into a folder per class.
#pragma once

#include <filesystem>

#include "deft/data/dataset.h"
#include "deft/data/image.h"

namespace deft {

/// Reads FOLDER/CLASS/FILE: every subfolder is a class, in alphabetical order, and every .png, .jpg, .jpeg, .bmp, .pgm
/// or .ppm file directly in it a sample, in alphabetical order; hidden and other files are passed over. Without
/// height and width in `options` all images must have one size. Throws Error when there are no classes, a class
/// without images, images of different sizes, damaged files, and
/// folders that cannot be read.
Dataset load_image_folder(const std::filesystem::path& folder, const ImageOptions& options = {});

}  // namespace deft
