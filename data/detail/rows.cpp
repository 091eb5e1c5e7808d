#include "deft/data/detail/rows.h"

#include "deft/core/checks.h"
#include "deft/core/shape_ops.h"

namespace deft {

Tensor row_indices(const char* op, const Tensor& x, const std::vector<std::int64_t>& indices) {
  const Tensor rows = from_vector(indices, {static_cast<std::int64_t>(indices.size())}, Device::cpu());
  require_indices(op, {"index", rows}, x.size(0));
  return rows;
}

Tensor gather_rows(const char* op, const Tensor& x, const std::vector<std::int64_t>& indices) {
  return index_rows(x, row_indices(op, x, indices).to(x.device()));
}

}  // namespace deft
