// The sizes of the convolutions that benchmarks compare.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace deft::bench {

/// A 3×3 convolution, stride 1, padding 1: images [n, size, size, c] to [n, size, size, o].
struct ConvSize {
  std::int64_t n, c, o, size;

  /// Multiplications and additions of the ordinary convolution, forward.
  double flops() const;
};

/// "64,32,32,28".
std::string to_string(const ConvSize& size);

/// Those of the comparison with other programs: batches, and single images.
const std::vector<ConvSize>& batch_sizes();
const std::vector<ConvSize>& single_image_sizes();

/// "table" (all of the above) or a list such as "64,32,32,28;1,32,64,14". Throws Error that quotes what is neither.
std::vector<ConvSize> parse_conv_sizes(const std::string& text);

}  // namespace deft::bench
