// Picking samples by their numbers.
#pragma once

#include <cstdint>
#include <vector>

#include "deft/core/tensor.h"

namespace deft {

/// `indices` as an int64 tensor on the CPU. Throws Error, in the name of `op`, for one that is no row of x.
Tensor row_indices(const char* op, const Tensor& x, const std::vector<std::int64_t>& indices);

/// Rows `indices` of x, on the device of x, which the caller does not wait for. Throws Error as row_indices does.
Tensor gather_rows(const char* op, const Tensor& x, const std::vector<std::int64_t>& indices);

}  // namespace deft
