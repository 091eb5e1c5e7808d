#include <fmt/format.h>

#include "deft/apps/bench/conv_size.h"
#include "deft/apps/bench/kernel_case.h"
#include "deft/kernels/deform_conv2d.h"
#include "deft/kernels/matmul.h"

namespace deft::bench {

namespace {

using kernels::DeformConv2dShape;

class ConvCases : public CaseList {
 public:
  explicit ConvCases(const ConvSize& size)
      : CaseList(fmt::format("{}×{}²×{}→{}", size.n, size.size, size.c, size.o)), size_(size) {
    const auto [n, c, o, side] = size;
    shape_.n = n, shape_.h = shape_.w = side, shape_.c = c, shape_.o = o;
    shape_.kernel_h = shape_.kernel_w = 3;
    shape_.pad_top = shape_.pad_bottom = shape_.pad_left = shape_.pad_right = 1;
    input_ = {n, side, side, c};
    output_ = {n, side, side, o};
    weight_ = {o, 3, 3, c};
    offset_ = {n, side, side, 18};
    mask_ = {n, side, side, 9};
  }

  void add_conv2d() {
    add("conv2d", "forward", 1, {read(input_), read(weight_), read(bias()), write(output_)},
        [shape = shape_](auto device, const Pointers& p) {
          kernels::conv2d_forward<float>(device, shape, p.at(0), p.at(1), p.at(2), p.at(3));
        });
    add("conv2d", "backward_input", 1, {read(output_), read(weight_), write(input_)},
        [shape = shape_](auto device, const Pointers& p) {
          kernels::conv2d_backward_input<float>(device, shape, p.at(0), p.at(1), p.at(2));
        });
    add("conv2d", "backward_weight", 1, {read(input_), read(output_), write(weight_), write(bias())},
        [shape = shape_](auto device, const Pointers& p) {
          kernels::conv2d_backward_weight<float>(device, shape, p.at(0), p.at(1), p.at(2), p.at(3));
        });
  }

  void add_deform_conv2d_v1() {
    add("deform_conv2d_v1", "forward", 1, {read(input_), offsets(offset_), read(weight_), read(bias()), write(output_)},
        [shape = shape_](auto device, const Pointers& p) {
          kernels::deform_conv2d_forward<float>(device, shape, p.at(0), p.at(1), nullptr, p.at(2), p.at(3), p.at(4));
        });
    add("deform_conv2d_v1", "backward", 2,
        {read(input_), offsets(offset_), read(weight_), read(output_), write(input_), write(offset_), write(weight_),
         write(bias())},
        [shape = shape_](auto device, const Pointers& p) {
          kernels::deform_conv2d_backward<float>(device, shape, p.at(0), p.at(1), nullptr, p.at(2), p.at(3),
                                                 {p.at(4), p.at(5), nullptr, p.at(6), p.at(7)});
        });
  }

  void add_deform_conv2d_v2() {
    add("deform_conv2d_v2", "forward", 1,
        {read(input_), offsets(offset_), read(mask_), read(weight_), read(bias()), write(output_)},
        [shape = shape_](auto device, const Pointers& p) {
          kernels::deform_conv2d_forward<float>(device, shape, p.at(0), p.at(1), p.at(2), p.at(3), p.at(4), p.at(5));
        });
    add("deform_conv2d_v2", "backward", 2,
        {read(input_), offsets(offset_), read(mask_), read(weight_), read(output_), write(input_), write(offset_),
         write(mask_), write(weight_), write(bias())},
        [shape = shape_](auto device, const Pointers& p) {
          kernels::deform_conv2d_backward<float>(device, shape, p.at(0), p.at(1), p.at(2), p.at(3), p.at(4),
                                                 {p.at(5), p.at(6), p.at(7), p.at(8), p.at(9)});
        });
  }

 private:
  Shape bias() const { return {size_.o}; }

  // `products`: how many matrix products of the convolution's size the pass takes.
  template <class Call>
  void add(const char* op, const char* pass, int products, std::vector<Operand> operands, Call call) {
    KernelCase& added = CaseList::add(op, pass, std::move(operands), call);
    added.flops = products * size_.flops();
    added.n = size_.n, added.c = size_.c, added.o = size_.o, added.size = size_.size;
  }

  ConvSize size_;
  DeformConv2dShape shape_;
  Shape input_, output_, weight_, offset_, mask_;
};

// The transposed products are those of a linear layer's backward pass.
std::vector<KernelCase> matmul_cases(std::int64_t side) {
  CaseList cases(fmt::format("{0}×{0}×{0}", side));
  for (const auto& [pass, transpose_a, transpose_b] :
       {std::tuple("a·b", false, false), std::tuple("a·bᵀ", false, true), std::tuple("aᵀ·b", true, false)}) {
    kernels::MatmulShape shape;
    shape.m = shape.n = shape.k = side;
    shape.transpose_a = transpose_a, shape.transpose_b = transpose_b;
    const Shape square{side, side};
    cases
        .add("matmul", pass, {read(square), read(square), write(square)},
             [shape](auto device, const Pointers& p) {
               kernels::matmul<float>(device, shape, p.at(0), p.at(1), nullptr, p.at(2));
             })
        .flops = 2.0 * static_cast<double>(side * side) * static_cast<double>(side);
  }
  return cases.take();
}

}  // namespace

std::vector<KernelCase> product_cases(bool tiny) {
  std::vector<KernelCase> cases = matmul_cases(tiny ? 16 : 2048);
  std::vector<ConvSize> sizes = {{2, 8, 8, 5}};
  if (!tiny) {
    sizes = batch_sizes();
    sizes.push_back({64, 128, 128, 56});  // fills a large GPU
  }
  for (const ConvSize& size : sizes) {
    ConvCases here(size);
    here.add_conv2d();
    here.add_deform_conv2d_v1();
    here.add_deform_conv2d_v2();
    for (KernelCase& one : here.take()) cases.push_back(std::move(one));
  }
  return cases;
}

}  // namespace deft::bench
