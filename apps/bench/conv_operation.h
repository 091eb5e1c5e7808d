// Ordinary and deformable convolution as users call them: what `bench ops` and `bench memory` measure.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "deft/apps/bench/conv_size.h"
#include "deft/core/tensor.h"

namespace deft::bench {

/// conv2d is the direct algorithm.
enum class ConvOp { conv2d, conv2d_winograd, deform_conv2d_v1, deform_conv2d_v2 };
enum class Pass { forward, forward_backward };

/// All of them, but Winograd's algorithm only where there is one: on a CPU.
std::vector<ConvOp> conv_ops(Device device);

const char* to_string(ConvOp op);
const char* to_string(Pass pass);

/// One of them at one size. Backward is that of all inputs.
struct ConvCase {
  ConvOp op;
  Pass pass;
  ConvSize size;

  /// Of the ordinary convolution; backward takes twice as many as forward.
  double flops() const { return size.flops() * (pass == Pass::forward ? 1 : 3); }
};

/// "conv2d forward 64,32,32,28".
std::string to_string(const ConvCase& one);
/// Its fields in a record: op, pass, n, c, o, size.
nlohmann::ordered_json to_fields(const ConvCase& one);

/// One of them with its operands, on the default device: the same ones in every call, as in the comparison with other
/// programs. Offsets are about a pixel.
class ConvOperation {
 public:
  explicit ConvOperation(const ConvCase& one);
  void operator()();

 private:
  bool deformable() const;
  Tensor output() const;

  ConvCase case_;
  std::vector<Tensor> leaves_;
  Tensor input_, weight_, bias_, offset_, mask_, output_gradient_;
};

}  // namespace deft::bench
