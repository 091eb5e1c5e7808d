#include "deft/apps/bench/kernel_case.h"
#include "deft/kernels/copy.h"
#include "deft/kernels/elementwise.h"
#include "deft/kernels/optimizer_step.h"
#include "deft/kernels/random.h"
#include "deft/kernels/reduce.h"

namespace deft::bench {

namespace {

using namespace kernels;

// The arrays of parameters that n elements make up: part(size, at) for each.
template <class Arrays, class Part>
std::vector<Arrays> cut(std::int64_t n, Part part) {
  constexpr std::int64_t parts = 64;
  std::vector<Arrays> all;
  for (std::int64_t i = 0; i < parts; ++i) all.push_back(part(n * (i + 1) / parts - n * i / parts, n * i / parts));
  return all;
}

template <class T>
std::vector<GradientArray<T>> gradients(std::int64_t n, T* values) {
  return cut<GradientArray<T>>(n, [&](std::int64_t size, std::int64_t at) {
    return GradientArray<T>{size, values + at};
  });
}

class ElementwiseCases : public CaseList {
 public:
  explicit ElementwiseCases(const ImageSize& images)
      : CaseList(to_string(images)),
        n_(images.n * images.size * images.size * images.c),
        rows_(n_ / images.c),
        c_(images.c) {}

  void add_functions() {
    add_unary("exp", UnaryOp::exp);
    add_unary("clamp", {UnaryOp::clamp, 0.25, 0.75});
    add_unary("relu", UnaryOp::relu);
    add_unary("leaky_relu", {UnaryOp::leaky_relu, 0.01});
    add_unary("elu", {UnaryOp::elu, 1});
    add_unary("sigmoid", UnaryOp::sigmoid);
    add_unary("tanh", UnaryOp::tanh);
    add_unary("gelu", UnaryOp::gelu);
    add_unary("gelu, tanh", UnaryOp::gelu_tanh);
  }

  void add_fills() {
    const Operand x = read({n_}), y = write({n_});
    add("cast to float64", "forward", {x, write({n_}, DType::float64)},
        [n = n_](auto device, const Pointers& p) { cast<float, double>(device, n, p.at(0), p.at<double>(1)); });
    add("fill", "", {y}, [n = n_](auto device, const Pointers& p) { fill<float>(device, n, 1.0f, p.at(0)); });
    add("add_scaled", "", {x, update({n_})},
        [n = n_](auto device, const Pointers& p) { add_scaled<float>(device, n, 1e-6f, p.at(0), p.at(1)); });
  }

  void add_broadcasting() {
    Strided<2> dense, rows;
    dense.add_axis(n_, {1, 1});
    rows.add_axis(rows_, {c_, 0});
    rows.add_axis(c_, {1, 1});
    Strided<3> dense3;
    dense3.add_axis(n_, {1, 1, 1});
    const Operand x = read({n_}), y = write({n_});
    add("add", "forward", {x, x, y}, [dense](auto device, const Pointers& p) {
      binary_forward<float>(device, BinaryOp::add, dense, p.at(0), p.at(1), p.at(2));
    });
    add("add a row", "forward", {x, read({c_}), y}, [rows](auto device, const Pointers& p) {
      binary_forward<float>(device, BinaryOp::add, rows, p.at(0), p.at(1), p.at(2));
    });
    add("mul", "backward_a", {x, x, x, y}, [dense](auto device, const Pointers& p) {
      binary_backward_a<float>(device, BinaryOp::mul, dense, p.at(0), p.at(1), p.at(2), p.at(3));
    });
    add("div", "backward_b", {x, x, x, y}, [dense](auto device, const Pointers& p) {
      binary_backward_b<float>(device, BinaryOp::div, dense, p.at(0), p.at(1), p.at(2), p.at(3));
    });
    add("lt", "", {x, x, write({n_}, DType::uint8)}, [dense](auto device, const Pointers& p) {
      compare<float>(device, CompareOp::lt, dense, p.at(0), p.at(1), p.at<std::uint8_t>(2));
    });
    add("where", "", {bytes({n_}, 2), x, x, y}, [dense3](auto device, const Pointers& p) {
      where<float>(device, dense3, p.at<std::uint8_t>(0), p.at(1), p.at(2), p.at(3));
    });
  }

  void add_copies() {
    Strided<1> transposed;  // [c, rows] of [rows, c]
    transposed.add_axis(c_, {1});
    transposed.add_axis(rows_, {c_});
    const Operand x = read({rows_, c_}), y = write({rows_, c_}), index = indices({rows_}, rows_);
    Operand half = x;
    half.moved = 0.5;
    add("transpose", "", {x, y},
        [transposed](auto device, const Pointers& p) { copy_strided<float>(device, transposed, p.at(0), p.at(1)); });
    add("slice", "", {half, write({rows_, c_ / 2})}, [rows = rows_, c = c_](auto device, const Pointers& p) {
      copy_rows<float>(device, rows, c / 2, p.at(0), c, p.at(1), c / 2);
    });
    add("index_rows", "forward", {x, index, y}, [rows = rows_, c = c_](auto device, const Pointers& p) {
      index_rows_forward<float>(device, rows, c, rows, p.at(0), p.at<std::int64_t>(1), p.at(2));
    });
    add("index_rows", "backward", {x, index, y}, [rows = rows_, c = c_](auto device, const Pointers& p) {
      index_rows_backward<float>(device, rows, c, rows, p.at(0), p.at<std::int64_t>(1), p.at(2));
    });
  }

  void add_reductions() {
    Strided<2> all, per_column, per_row;
    all.add_axis(n_, {1, 0});
    per_column.add_axis(rows_, {c_, 0});
    per_column.add_axis(c_, {1, 1});
    per_row.add_axis(rows_, {c_, 1});
    per_row.add_axis(c_, {1, 0});
    add_reduction("sum", all, {});
    add_reduction("sum over rows", per_column, {c_});
    add_reduction("sum of each row", per_row, {rows_});
    add("argmax of each row", "", {read({n_}), write({rows_}, DType::int64)},
        [per_row](auto device, const Pointers& p) { argmax<float>(device, per_row, p.at(0), p.at<std::int64_t>(1)); });
  }

  void add_random() {
    const Operand x = read({n_}), y = write({n_});
    add("fill_uniform", "", {y}, [n = n_](auto device, const Pointers& p) {
      fill_uniform<float>(device, {1, 1}, n, 0.0f, 1.0f, p.at(0));
    });
    add("fill_normal", "", {y}, [n = n_](auto device, const Pointers& p) {
      fill_normal<float>(device, {1, 1}, n, 0.0f, 1.0f, p.at(0));
    });
    add("fill_randint", "", {write({n_}, DType::int64)}, [n = n_](auto device, const Pointers& p) {
      fill_randint<std::int64_t>(device, {1, 1}, n, 0, 1000, p.at<std::int64_t>(0));
    });
    add("dropout", "", {x, y}, [n = n_](auto device, const Pointers& p) {
      dropout<float>(device, {1, 1}, n, 0.5, p.at(0), p.at(1));
    });
  }

  // Over as many arrays as a net of some twenty layers has parameters.
  void add_optimizers() {
    const Operand x = read({n_}), state = update({n_});
    add("sgd, momentum", "step", {x, state, state}, [n = n_](auto device, const Pointers& p) {
      const auto parts = cut<SgdArrays<float>>(n, [&](std::int64_t size, std::int64_t at) {
        return SgdArrays<float>{size, p.at(0) + at, p.at(1) + at, p.at(2) + at};
      });
      sgd_step(device, {.lr = 1e-3, .momentum = 0.9}, parts);
    });
    add("adam", "step", {x, state, state, state}, [n = n_](auto device, const Pointers& p) {
      const auto parts = cut<AdamArrays<float>>(n, [&](std::int64_t size, std::int64_t at) {
        return AdamArrays<float>{size, p.at(0) + at, p.at(1) + at, p.at(2) + at, p.at(3) + at};
      });
      adam_step(device, {.lr = 1e-3}, parts);
    });
    add("squared_norm", "", {x}, [n = n_](auto device, const Pointers& p) {
      static_cast<void>(squared_norm<float>(device, gradients<const float>(n, p.at(0))));
    });
    add("scale", "", {state},
        [n = n_](auto device, const Pointers& p) { scale<float>(device, 1.0001f, gradients<float>(n, p.at(0))); });
  }

 private:
  void add_unary(const char* op, const Unary& unary) {
    add(op, "forward", {read({n_}), write({n_})},
        [n = n_, unary](auto device, const Pointers& p) { unary_forward<float>(device, unary, n, p.at(0), p.at(1)); });
    add(op, "backward", {read({n_}), read({n_}), write({n_})}, [n = n_, unary](auto device, const Pointers& p) {
      unary_backward<float>(device, unary, n, p.at(0), p.at(1), p.at(2));
    });
  }

  void add_reduction(const char* op, const Strided<2>& space, const Shape& output) {
    add(op, "", {read({n_}), write(output)},
        [space](auto device, const Pointers& p) { reduce<float>(device, ReduceOp::sum, space, p.at(0), p.at(1)); });
  }

  std::int64_t n_, rows_, c_;
};

}  // namespace

std::vector<KernelCase> elementwise_cases(const ImageSize& images) {
  ElementwiseCases cases(images);
  cases.add_functions();
  cases.add_fills();
  cases.add_broadcasting();
  cases.add_copies();
  cases.add_reductions();
  cases.add_random();
  cases.add_optimizers();
  return cases.take();
}

}  // namespace deft::bench
