// Decodes what libFuzzer makes up: an image or an Error. The sanitizers it is built with find accesses beyond memory;
// the memory sanitizer, under which the libraries must be built too, would also find bytes that were never written.
#include <zlib.h>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>

#include "deft/data/detail/image_decoders.h"
#include "deft/data/input_file.h"
#include "deft/kernels/runtime/error.h"

extern "C" std::size_t LLVMFuzzerMutate(std::uint8_t* bytes, std::size_t size, std::size_t most);

// Mutations get past the checksums of PNG: those that are within the bytes are made right.
extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* bytes, std::size_t size, std::size_t most, unsigned) {
  size = LLVMFuzzerMutate(bytes, size, most);
  if (size < 8 || std::memcmp(bytes, "\x89PNG", 4) != 0) return size;
  for (std::size_t at = 8; size - at >= 12;) {
    const std::size_t length = deft::from_big_endian(bytes + at);
    if (size - at - 12 < length) break;
    const unsigned long crc = crc32(0, bytes + at + 4, static_cast<unsigned>(length) + 4);
    at += 12 + length;
    for (unsigned i = 0; i < 4; ++i) bytes[at - 4 + i] = static_cast<std::uint8_t>(crc >> (24 - 8 * i));
  }
  return size;
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  const deft::EncodedImage image{.name = "fuzz", .bytes = {bytes, bytes + size}, .most_pixels = 1 << 16};
  try {
    const deft::Tensor pixels = deft::decode_image(image);
    std::uint64_t sum = 0;
    for (std::int64_t i = 0; i < pixels.numel(); ++i) sum += pixels.data<std::uint8_t>()[i];
    // A branch on the sum is what the memory sanitizer reports.
    if (sum > static_cast<std::uint64_t>(pixels.numel()) * 255) std::abort();
  } catch (const deft::Error&) {  // refused
  }
  return 0;
}
