// CIFAR-100: 32×32 colour images of a hundred classes, five to a superclass (Krizhevsky, "Learning multiple layers of
// features from tiny images").
#pragma once

#include <filesystem>
#include <string>

#include "deft/data/dataset.h"

namespace deft {

/// Which of an image's two labels load_cifar100 gives.
struct Cifar100Options {
  bool coarse = false;  ///< that of its superclass, 0 to 19, in place of its class, 0 to 99
};

/// Reads CIFAR-100 from the files of its binary version in `folder`: train.bin or test.bin, and the names of classes
/// from fine_label_names.txt or coarse_label_names.txt. The files hold 50,000 and 10,000 records: a byte with the
/// superclass, one with the class, then the planes R, G, B of 32×32 bytes. Throws Error for a missing or damaged file:
/// another length, a label without a class, another number of names; where only an archive or the Python version
/// stands, it says what to do. The format: https://www.cs.toronto.edu/~kriz/cifar.html
Dataset load_cifar100(const std::filesystem::path& folder, Part part, const Cifar100Options& options = {});

/// Whether `folder` has any of the binary files.
bool holds_cifar100(const std::filesystem::path& folder);

/// The line that says what `folder` has in place of the binary files (an archive, the Python version) and how to
/// convert it; empty
/// when nothing does.
std::string unconverted_cifar100(const std::filesystem::path& folder);

}  // namespace deft
