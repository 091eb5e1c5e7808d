// MNIST: 28×28 grey images of handwritten digits (LeCun, Cortes, Burges), and what comes in its format.
#pragma once

#include <filesystem>

#include "deft/data/dataset.h"

namespace deft {

/// Reads MNIST from the official files in `folder`: train-images-idx3-ubyte, train-labels-idx1-ubyte, and t10k-… for
/// the test part; each plain or with .gz, and with a dot for the dash before "idx". Any number of samples is accepted.
/// Throws Error for a missing or damaged file: wrong magic number, size other than 28×28, length that disagrees with
/// the header, label above 9, different numbers of images and labels.
Dataset load_mnist(const std::filesystem::path& folder, Part part);

/// Whether `folder` has any of these files.
bool holds_mnist(const std::filesystem::path& folder);

/// Reads one IDX file of bytes, plain or .gz: `dim` sizes, then that many bytes in row-major order. Throws Error for
/// damaged files and unless 1 <= dim <= Shape::max_dim. The format: http://yann.lecun.com/exdb/mnist/
Tensor read_idx(const std::filesystem::path& path, int dim);

}  // namespace deft
