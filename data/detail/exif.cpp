#include "deft/data/detail/exif.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iterator>

namespace deft {
namespace {

// Reads numbers in the byte order of the TIFF header; what lies beyond the end is 0.
class TiffReader {
 public:
  explicit TiffReader(Span bytes) : bytes_(bytes), big_endian_(byte(0) == 'M') {}

  std::uint32_t number(std::size_t at, int bytes) const {
    std::uint32_t value = 0;
    for (int i = 0; i < bytes; ++i) {
      value = value << 8 | byte(at + static_cast<std::size_t>(big_endian_ ? i : bytes - 1 - i));
    }
    return value;
  }

  bool has_header() const { return (byte(0) == 'M' || byte(0) == 'I') && byte(0) == byte(1) && number(2, 2) == 42; }

 private:
  unsigned char byte(std::size_t at) const { return at < bytes_.size() ? bytes_[at] : 0; }

  Span bytes_;
  bool big_endian_;
};

}  // namespace

int exif_orientation(Span exif) {
  constexpr std::uint32_t orientation_tag = 0x0112, short_type = 3, long_type = 4;
  constexpr unsigned char prefix[] = {'E', 'x', 'i', 'f', 0, 0};
  if (exif.size() > sizeof prefix && std::equal(std::begin(prefix), std::end(prefix), exif.begin())) {
    exif = exif.subspan(sizeof prefix);
  }
  const TiffReader tiff(exif);
  if (!tiff.has_header()) return 1;
  const std::size_t directory = tiff.number(4, 4);
  const std::uint32_t entries = tiff.number(directory, 2);
  for (std::uint32_t i = 0; i < entries; ++i) {
    const std::size_t entry = directory + 2 + std::size_t{12} * i;
    const std::uint32_t type = tiff.number(entry + 2, 2);
    if (tiff.number(entry, 2) != orientation_tag || (type != short_type && type != long_type)) continue;
    const std::uint32_t orientation = tiff.number(entry + 8, type == short_type ? 2 : 4);
    return orientation >= 1 && orientation <= 8 ? static_cast<int>(orientation) : 1;
  }
  return 1;
}

}  // namespace deft
