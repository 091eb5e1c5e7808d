// Checks that the public functions share.
#pragma once

#include <initializer_list>
#include <optional>

#include "deft/core/tensor.h"

namespace deft {

/// An argument under the name that messages give it. May be undefined, standing for an absent one.
struct Argument {
  const char* name;
  const Tensor& tensor;
};

/// Throws Error, in the name of operation `op`, unless all defined arguments have one type and stand on one device.
void require_same_kind(const char* op, std::initializer_list<Argument> arguments);

/// Throws Error unless all defined arguments stand on one device.
void require_same_device(const char* op, std::initializer_list<Argument> arguments);

/// Throws Error unless `argument` is on the CPU.
void require_cpu(const char* op, const Argument& argument);

/// Throws Error unless the type of `argument` is `expected`.
void require_dtype(const char* op, const Argument& argument, DType expected);

/// Throws Error unless the type of `argument` is float32 or float64.
void require_floating(const char* op, const Argument& argument);

/// Throws Error unless `argument` has `dim` axes; `layout` ("[N, H, W, C]") goes into the message.
void require_dim(const char* op, const Argument& argument, int dim, const char* layout);

/// Throws Error unless all elements of the int64 tensor `argument` lie in [0, size) or are `except`. On a GPU, which
/// this would have to wait for, the kernel checks instead, and the host gets the Error when it next waits.
void require_indices(const char* op, const Argument& argument, std::int64_t size,
                     std::optional<std::int64_t> except = {});

}  // namespace deft
