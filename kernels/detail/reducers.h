// The way reductions fold their elements, for the kernels of both devices. Before this header comes the math.h of the
// place, kernels/cpu's or kernels/cuda's.
//
// A reducer folds elements, each with its position among the reduced axes, into an accumulator. Accumulators of
// disjoint positions combine to that of all of them.
#pragma once

#include <cstdint>
#include <limits>
#include <type_traits>

#include "deft/kernels/reduce.h"
#include "deft/kernels/runtime/host_device.h"

namespace deft::kernels::DEFT_PLACE {

template <class T>
struct Sum {
  using Accumulator = std::conditional_t<std::is_floating_point_v<T>, double, T>;
  static DEFT_HOST_DEVICE Accumulator start() { return 0; }
  static DEFT_HOST_DEVICE Accumulator add(Accumulator a, T x, std::int64_t) { return a + static_cast<Accumulator>(x); }
  static DEFT_HOST_DEVICE Accumulator combine(Accumulator a, Accumulator b) { return a + b; }
  DEFT_HOST_DEVICE T finish(Accumulator a) const { return static_cast<T>(a / divisor); }
  Accumulator divisor = 1;
};

template <class T>
inline constexpr T below_all = std::is_floating_point_v<T> ? -std::numeric_limits<T>::infinity()
                                                           : std::numeric_limits<T>::lowest();
template <class T>
inline constexpr T above_all = std::is_floating_point_v<T> ? std::numeric_limits<T>::infinity()
                                                           : std::numeric_limits<T>::max();

template <class T>
struct Max {
  using Accumulator = T;
  static DEFT_HOST_DEVICE T start() { return below_all<T>; }
  static DEFT_HOST_DEVICE T add(T a, T x, std::int64_t) { return ((x > a) | math::is_nan(x)) ? x : a; }
  static DEFT_HOST_DEVICE T combine(T a, T b) { return add(a, b, 0); }
  DEFT_HOST_DEVICE T finish(T a) const { return a; }
};

template <class T>
struct Min {
  using Accumulator = T;
  static DEFT_HOST_DEVICE T start() { return above_all<T>; }
  static DEFT_HOST_DEVICE T add(T a, T x, std::int64_t) { return ((x < a) | math::is_nan(x)) ? x : a; }
  static DEFT_HOST_DEVICE T combine(T a, T b) { return add(a, b, 0); }
  DEFT_HOST_DEVICE T finish(T a) const { return a; }
};

template <class T>
struct ArgMax {
  struct Accumulator {
    T value;
    std::int64_t position;
  };
  static DEFT_HOST_DEVICE Accumulator start() { return {below_all<T>, -1}; }
  static DEFT_HOST_DEVICE Accumulator add(Accumulator a, T x, std::int64_t position) {
    return combine(a, {x, position});
  }
  static DEFT_HOST_DEVICE Accumulator combine(Accumulator a, Accumulator b) {
    if (b.position < 0) return a;
    if (a.position < 0) return b;
    const bool equal = a.value == b.value || (math::is_nan(a.value) && math::is_nan(b.value));
    if (equal) return a.position < b.position ? a : b;
    return b.value > a.value || math::is_nan(b.value) ? b : a;
  }
  DEFT_HOST_DEVICE std::int64_t finish(Accumulator a) const { return a.position; }
};

/// Calls `visitor` with the reducer of `op` over `positions` elements.
template <class T, class Visitor>
void visit(ReduceOp op, std::int64_t positions, Visitor&& visitor) {
  switch (op) {
    case ReduceOp::sum:
      return visitor(Sum<T>());
    case ReduceOp::mean:
      return visitor(Sum<T>{static_cast<typename Sum<T>::Accumulator>(positions)});
    case ReduceOp::max:
      return visitor(Max<T>());
    case ReduceOp::min:
      return visitor(Min<T>());
  }
}

}  // namespace deft::kernels::DEFT_PLACE
