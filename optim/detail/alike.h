// Sorting tensors by what one kernel launch can handle together.
#pragma once

#include <algorithm>
#include <iterator>
#include <vector>

#include "deft/core/tensor.h"
#include "deft/kernels/runtime/dispatch.h"
#include "deft/kernels/runtime/dtype.h"

namespace deft {

/// Calls visit(alike, first) for lists that `items` falls into, each in their order: those whose `tensor_of(item)` have
/// one type and stand on one device, which are those of the tensor `first`.
template <class Item, class TensorOf, class Visit>
void for_alike(std::vector<Item> items, const TensorOf& tensor_of, const Visit& visit) {
  while (!items.empty()) {
    const Tensor first = tensor_of(items.front());
    const auto rest = std::stable_partition(items.begin(), items.end(), [&](const Item& item) {
      return tensor_of(item).dtype() == first.dtype() && tensor_of(item).device() == first.device();
    });
    std::vector<Item> others(std::make_move_iterator(rest), std::make_move_iterator(items.end()));
    items.erase(rest, items.end());
    visit(items, first);
    items = std::move(others);
  }
}

}  // namespace deft
