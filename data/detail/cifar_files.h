// The files that CIFAR-10 and CIFAR-100 have in common.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "deft/data/dataset.h"

namespace deft {

/// A file of the binary versions: records of the label bytes, then the planes R, G, B of 32×32 bytes.
struct CifarFile {
  std::filesystem::path path;
  std::int64_t records = 0;
};

/// The labels at the start of a record.
struct CifarLabels {
  std::vector<std::int64_t> classes;  ///< of each label byte
  std::size_t used = 0;               ///< which of them is the label of the data set
};

/// Reads `files`, one after the other, into the images and labels of `dataset`. Throws Error for a missing or damaged
/// file: another length, or a label without a class.
void read_cifar(const std::vector<CifarFile>& files, const CifarLabels& labels, Dataset& dataset);

/// The lines of a file of class names. Throws Error unless there are `count`.
std::vector<std::string> read_class_names(const std::filesystem::path& path, std::size_t count);

}  // namespace deft
