#include "deft/core/checks.h"

#include <fmt/format.h>

namespace deft {

void require_same_kind(const char* op, std::initializer_list<Argument> arguments) {
  const Argument* first = nullptr;
  for (const Argument& argument : arguments) {
    if (!argument.tensor.defined()) continue;
    if (first == nullptr) first = &argument;
    if (argument.tensor.dtype() != first->tensor.dtype()) {
      throw Error(fmt::format("{}: {} is {}, but {} is {}; convert with to()", op, argument.name,
                              to_string(argument.tensor.dtype()), first->name, to_string(first->tensor.dtype())));
    }
  }
  require_same_device(op, arguments);
}

void require_same_device(const char* op, std::initializer_list<Argument> arguments) {
  const Argument* first = nullptr;
  for (const Argument& argument : arguments) {
    if (!argument.tensor.defined()) continue;
    if (first == nullptr) first = &argument;
    if (argument.tensor.device() != first->tensor.device()) {
      throw Error(fmt::format("{}: {} is on {}, but {} is on {}; move with to()", op, argument.name,
                              to_string(argument.tensor.device()), first->name, to_string(first->tensor.device())));
    }
  }
}

void require_cpu(const char* op, const Argument& argument) {
  if (argument.tensor.device().is_cpu()) return;
  throw Error(fmt::format("{}: {} is on {}, expected cpu; move it with to()", op, argument.name,
                          to_string(argument.tensor.device())));
}

void require_dtype(const char* op, const Argument& argument, DType expected) {
  if (argument.tensor.dtype() == expected) return;
  throw Error(fmt::format("{}: {} is {}, expected {}", op, argument.name, to_string(argument.tensor.dtype()),
                          to_string(expected)));
}

void require_floating(const char* op, const Argument& argument) {
  if (is_floating(argument.tensor.dtype())) return;
  throw Error(
      fmt::format("{}: {} is {}, expected float32 or float64", op, argument.name, to_string(argument.tensor.dtype())));
}

void require_dim(const char* op, const Argument& argument, int dim, const char* layout) {
  if (argument.tensor.dim() == dim) return;
  throw Error(fmt::format("{}: {} is {}, expected {}", op, argument.name, to_string(argument.tensor.shape()), layout));
}

void require_indices(const char* op, const Argument& argument, std::int64_t size, std::optional<std::int64_t> except) {
  if (argument.tensor.device().is_cuda()) return;
  const std::int64_t* index = argument.tensor.data<std::int64_t>();
  for (std::int64_t i = 0; i < argument.tensor.numel(); ++i) {
    if ((index[i] >= 0 && index[i] < size) || index[i] == except) continue;
    throw Error(fmt::format("{}: {}[{}] is {}, expected 0 to {}", op, argument.name, i, index[i], size - 1));
  }
}

}  // namespace deft
