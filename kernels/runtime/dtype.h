// Element types of tensors, and the visitors that turn a run-time type into a template argument.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "deft/kernels/runtime/error.h"

namespace deft {

enum class DType { float32, float64, int64, uint8 };

/// "float32", "float64", "int64" or "uint8".
const char* to_string(DType dtype);

/// Bytes of one element.
std::size_t size_of(DType dtype);

inline bool is_floating(DType dtype) { return dtype == DType::float32 || dtype == DType::float64; }

template <class T>
struct dtype_of_type;
template <>
struct dtype_of_type<float> {
  static constexpr DType value = DType::float32;
};
template <>
struct dtype_of_type<double> {
  static constexpr DType value = DType::float64;
};
template <>
struct dtype_of_type<std::int64_t> {
  static constexpr DType value = DType::int64;
};
template <>
struct dtype_of_type<std::uint8_t> {
  static constexpr DType value = DType::uint8;
};

/// The DType of a C++ element type.
template <class T>
inline constexpr DType dtype_of = dtype_of_type<T>::value;

/// Calls `visitor.operator()<T>()` with the C++ type of `dtype`: `visit_dtype(dtype, [&]<class T>() { ... })`.
template <class Visitor>
decltype(auto) visit_dtype(DType dtype, Visitor&& visitor) {
  switch (dtype) {
    case DType::float32:
      return visitor.template operator()<float>();
    case DType::float64:
      return visitor.template operator()<double>();
    case DType::int64:
      return visitor.template operator()<std::int64_t>();
    case DType::uint8:
      break;
  }
  return visitor.template operator()<std::uint8_t>();
}

/// The same for floating types only. Throws Error in the name of operation `op` for the others.
template <class Visitor>
decltype(auto) visit_floating(DType dtype, const char* op, Visitor&& visitor) {
  if (!is_floating(dtype)) {
    throw Error(std::string(op) + ": dtype is " + to_string(dtype) + ", expected float32 or float64");
  }
  if (dtype == DType::float32) return visitor.template operator()<float>();
  return visitor.template operator()<double>();
}

/// The same for the types of numbers with a sign. Throws Error in the name of operation `op` for the others.
template <class Visitor>
decltype(auto) visit_signed(DType dtype, const char* op, Visitor&& visitor) {
  if (dtype == DType::uint8) {
    throw Error(std::string(op) + ": dtype is " + to_string(dtype) + ", expected float32, float64 or int64");
  }
  if (dtype == DType::int64) return visitor.template operator()<std::int64_t>();
  return visit_floating(dtype, op, visitor);
}

}  // namespace deft
