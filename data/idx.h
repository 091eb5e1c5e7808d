// IDX files: the format of MNIST and of the data sets that were made to take its place.
#pragma once

#include <filesystem>

#include "deft/core/tensor.h"

namespace deft {

/// Reads an IDX file, plain or gzip-compressed: a magic number, `dim` sizes, then the values in row-major order.
/// `values` says what they must be: DType::uint8 for bytes, DType::int64 for 32-bit integers. Throws Error for damaged
/// files, for files of other values or of another number of dimensions, and unless 1 <= dim <= Shape::max_dim and
/// `values` is one of the two. The format: http://yann.lecun.com/exdb/mnist/
Tensor read_idx(const std::filesystem::path& path, int dim, DType values = DType::uint8);

}  // namespace deft
