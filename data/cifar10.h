// CIFAR-10: 32×32 colour images of ten classes (Krizhevsky, "Learning multiple layers of features from tiny images").
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "deft/data/dataset.h"

namespace deft {

/// Reads CIFAR-10 from the files of its binary version in `folder`: data_batch_1.bin … data_batch_5.bin or
/// test_batch.bin, and the class names from batches.meta.txt where that stands. A file holds 10,000 records: a label
/// byte, then the planes R, G, B of 32×32 bytes. Throws Error for a missing or damaged file: another length, a label
/// above 9, other than ten class names; where only an archive or the Python version stands, it says what to do.
/// The format: https://www.cs.toronto.edu/~kriz/cifar.html
Dataset load_cifar10(const std::filesystem::path& folder, Part part);

/// What its labels 0 to 9 stand for.
const std::vector<std::string>& cifar10_classes();

/// Whether `folder` has any of the binary files.
bool holds_cifar10(const std::filesystem::path& folder);

/// What stands in `folder` in place of the binary files (an archive, the Python version) and how to convert it; empty
/// when nothing does.
std::string unconverted_cifar10(const std::filesystem::path& folder);

}  // namespace deft
