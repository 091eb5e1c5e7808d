// Shapes: the sizes of a tensor's axes.
#pragma once

#include <array>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <vector>

namespace deft {

/// Sizes of at most eight axes, each at least 0; no axes at all is a scalar. A value, kept inline.
class Shape {
 public:
  static constexpr int max_dim = 8;

  Shape() = default;
  /// Throws Error for a negative size or more than eight axes.
  Shape(std::initializer_list<std::int64_t> sizes);
  explicit Shape(const std::vector<std::int64_t>& sizes);

  /// Number of axes.
  int dim() const { return dim_; }
  /// Product of the sizes; 1 for a scalar. Throws Error beyond 2^60, more than any memory holds.
  std::int64_t numel() const;
  /// Size of an axis that is known to be in range.
  std::int64_t operator[](int axis) const { return sizes_[static_cast<std::size_t>(axis)]; }
  /// Size of an axis; negative ones count from the end. Throws Error outside [-dim, dim).
  std::int64_t size(int axis) const;
  /// `axis` with negative ones counted from the end, for operation `op`. Throws Error outside [-dim, dim).
  int normalized_axis(int axis, const char* op) const;

  void set(int axis, std::int64_t size) { sizes_[static_cast<std::size_t>(axis)] = size; }
  /// Appends an axis. Throws Error beyond eight axes or for a negative size.
  void push_back(std::int64_t size);

  const std::int64_t* begin() const { return sizes_.data(); }
  const std::int64_t* end() const { return sizes_.data() + dim_; }
  std::vector<std::int64_t> to_vector() const { return {begin(), end()}; }

  friend bool operator==(const Shape& a, const Shape& b);

 private:
  std::array<std::int64_t, max_dim> sizes_{};
  int dim_ = 0;
};

/// "[2, 14, 14, 18]".
std::string to_string(const Shape& shape);

/// The shape that `a` and `b` broadcast to by NumPy's rules, for operation `op`. Throws Error when they do not.
Shape broadcast_shapes(const Shape& a, const Shape& b, const char* op);

}  // namespace deft
