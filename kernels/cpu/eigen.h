// Eigen as the CPU kernels use it: single-threaded (the build defines EIGEN_DONT_PARALLELIZE), row-major, and in a
// namespace of the instruction set's, since the linker would mix the sets' copies of its templates (kernel.h).
#pragma once

#include "deft/kernels/runtime/cpu/kernel.h"

#ifdef EIGEN_CORE_H
#error "Eigen must come from this header alone"
#endif
#define Eigen DEFT_SIMD_EIGEN

// GCC 12 takes the deliberately undefined operand in its own AVX-512 intrinsics for a mistake (GCC bug 105593).
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#pragma GCC diagnostic ignored "-Wuninitialized"
#endif
#include <Eigen/Core>
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic pop
#endif

namespace deft::kernels::DEFT_SIMD {

template <class T>
using Matrix = Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
template <class T>
using RowVector = Eigen::Matrix<T, 1, Eigen::Dynamic, Eigen::RowMajor>;

}  // namespace deft::kernels::DEFT_SIMD
