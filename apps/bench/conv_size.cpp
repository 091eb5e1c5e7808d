#include "deft/apps/bench/conv_size.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "deft/kernels/runtime/error.h"

namespace deft::bench {

namespace {

ConvSize parse_conv_size(const std::string& text) {
  ConvSize size{};
  const char *at = text.data(), *const end = at + text.size();
  for (std::int64_t* number : {&size.n, &size.c, &size.o, &size.size}) {
    const bool last = number == &size.size;
    const auto [stop, error] = std::from_chars(at, end, *number);
    if (error != std::errc() || *number < 1 || (last ? stop != end : stop == end || *stop != ',')) {
      throw Error(fmt::format(
          "--shapes: '{}' is no shape, expected table or shapes n,c,o,size of positive numbers with ';' between them",
          text));
    }
    at = stop + 1;
  }
  return size;
}

}  // namespace

double ConvSize::flops() const {
  return 18.0 * static_cast<double>(n) * static_cast<double>(size * size) * static_cast<double>(c * o);
}

std::string to_string(const ConvSize& size) { return fmt::format("{},{},{},{}", size.n, size.c, size.o, size.size); }

const std::vector<ConvSize>& batch_sizes() {
  static const std::vector<ConvSize> sizes = {
      {64, 32, 32, 7}, {64, 32, 32, 14}, {64, 32, 32, 28}, {32, 64, 64, 32}, {8, 128, 128, 56}};
  return sizes;
}

const std::vector<ConvSize>& single_image_sizes() {
  static const std::vector<ConvSize> sizes = {{1, 32, 32, 28}, {1, 32, 32, 14}, {1, 64, 64, 32}, {1, 128, 128, 56}};
  return sizes;
}

std::vector<ConvSize> parse_conv_sizes(const std::string& text) {
  std::vector<ConvSize> sizes;
  if (text == "table") {
    sizes = batch_sizes();
    sizes.insert(sizes.end(), single_image_sizes().begin(), single_image_sizes().end());
    return sizes;
  }
  for (std::size_t begin = 0; begin <= text.size();) {
    const std::size_t end = std::min(text.find(';', begin), text.size());
    sizes.push_back(parse_conv_size(text.substr(begin, end - begin)));
    begin = end + 1;
  }
  return sizes;
}

}  // namespace deft::bench
