// JPEG files where there is no libjpeg: stb_image decodes those that pass the checks here. Without them, damaged tables
// make it write beyond its own, missing ones read what was never written, and missing data be made up.
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "deft/data/detail/image_stb.h"
#include "deft/data/detail/jpeg_segments.h"

namespace deft {
namespace {

enum Marker {
  baseline = 0xc0,
  extended = 0xc1,
  progressive = 0xc2,
  huffman = 0xc4,
  scan = 0xda,
  quantizers = 0xdb,
  adobe = 0xee
};

// Follows the tables, the frame and the scans of a file (ITU-T T.81, B.2).
class JpegCheck {
 public:
  explicit JpegCheck(const EncodedImage& image) : image_(image) {}

  void segment(const JpegSegment& segment) {
    if (segment.marker == quantizers) quantizer_tables(segment.content);
    if (segment.marker == huffman) huffman_tables(segment.content);
    if (segment.marker == scan) scan_header(segment.content);
    if (segment.marker == adobe && segment.content.size() >= 12) adobe_transform_ = segment.content[11];
    if (segment.marker == baseline || segment.marker == extended || segment.marker == progressive) {
      progressive_ = segment.marker == progressive;
      frame_header(segment.content);
    }
  }

  void end() const {
    if (components_.empty()) image_.fail("is a JPEG without a frame of the kinds that stb_image reads");
    const bool inks = components_.size() == 4;
    require(!inks || adobe_transform_ == 0 || adobe_transform_ == 2, "Adobe's marker in one of four components");
    for (const Component& component : components_) {
      const auto whole = [](int bits) { return bits == 0; };
      require(std::all_of(component.bits_left.begin(), component.bits_left.end(), whole), "scans of all coefficients");
      require(component.quantizer < 4 && quantizers_[component.quantizer], "all quantization tables");
    }
  }

 private:
  static constexpr int never_scanned = 16;

  struct Component {
    int id;
    std::size_t quantizer;
    std::array<int, 64> bits_left;  // low bits of each coefficient that no scan has brought
  };

  void require(bool condition, const char* what) const {
    if (!condition) image_.fail(fmt::format("is a JPEG that stb_image cannot decode, expected {}", what));
  }

  void quantizer_tables(Span tables) {
    while (!tables.empty()) {
      const std::size_t number = tables[0] & 15, size = tables[0] >> 4 == 0 ? 65 : 129;
      require(number < 4 && tables.size() >= size, "quantization tables 0 to 3 of 64 values");
      quantizers_[number] = true;
      tables = tables.subspan(size);
    }
  }

  void huffman_tables(Span tables) {
    constexpr std::size_t counts_end = 17, most_symbols = 256;
    while (!tables.empty()) {
      const std::size_t number = tables[0] & 15, kind = tables[0] >> 4;
      require(number < 4 && kind < 2 && tables.size() >= counts_end, "Huffman tables 0 to 3");
      std::size_t symbols = 0;
      for (const unsigned char count : tables.subspan(1, 16)) symbols += count;
      require(symbols <= most_symbols && tables.size() >= counts_end + symbols,
              "at most 256 symbols in a Huffman table, all in its segment");
      huffman_[kind][number] = true;
      tables = tables.subspan(counts_end + symbols);
    }
  }

  void frame_header(Span header) {
    require(components_.empty(), "one frame");
    require(header.size() >= 6 && header.size() == std::size_t{6} + 3 * header[5], "a frame header as long as it says");
    image_.check_size(header[3] << 8 | header[4], header[1] << 8 | header[2]);
    int most_across = 1, most_down = 1;
    for (std::size_t at = 6; at < header.size(); at += 3) {
      components_.push_back({header[at], header[at + 2], {}});
      components_.back().bits_left.fill(never_scanned);
      most_across = std::max(most_across, header[at + 1] >> 4);
      most_down = std::max(most_down, header[at + 1] & 15);
    }
    for (std::size_t at = 6; at < header.size(); at += 3) {
      const bool half_width = most_across == 2 * (header[at + 1] >> 4),
                 full_height = most_down == (header[at + 1] & 15);
      require(!half_width || !full_height, "chroma that is not 4:2:2, which it blurs wrongly");
    }
  }

  void scan_header(Span header) {
    require(!header.empty() && header.size() == std::size_t{4} + 2 * header[0], "a scan header as long as it says");
    const unsigned char* end = header.data() + header.size();
    const std::size_t first = progressive_ ? end[-3] : 0, last = progressive_ ? end[-2] : 63;
    const int before = progressive_ ? end[-1] >> 4 : 0, now = progressive_ ? end[-1] & 15 : 0;
    require(first <= last && last < 64, "scans of coefficients 0 to 63");
    for (const unsigned char* entry = header.data() + 1; entry != end - 3; entry += 2) {
      const auto component = std::find_if(components_.begin(), components_.end(),
                                          [&](const Component& candidate) { return candidate.id == entry[0]; });
      require(component != components_.end(), "scans of components of the frame");
      const std::size_t dc = entry[1] >> 4, ac = entry[1] & 15;
      const bool needs_dc = first == 0 && before == 0, needs_ac = last > 0;
      require((!needs_dc || (dc < 4 && huffman_[0][dc])) && (!needs_ac || (ac < 4 && huffman_[1][ac])),
              "all Huffman tables before the scans that use them");
      require(first == 0 || component->bits_left[0] != never_scanned, "the scan of the mean values first");
      require(before == 0 || now == before - 1, "one bit in each scan that refines others");
      for (std::size_t i = first; i <= last; ++i) {
        require(component->bits_left[i] == (before == 0 ? never_scanned : before),
                "each bit in one scan, the highest first");
        component->bits_left[i] = now;
      }
    }
  }

  const EncodedImage& image_;
  bool progressive_ = false;
  int adobe_transform_ = -1;
  bool quantizers_[4] = {};
  bool huffman_[2][4] = {};  // of direct and alternating current
  std::vector<Component> components_;
};

// The file anew, with `padding` bytes after the entropy-coded data of each scan.
std::vector<unsigned char> join(const std::vector<JpegSegment>& segments, std::size_t padding) {
  std::vector<unsigned char> bytes = {0xff, 0xd8};
  for (const JpegSegment& segment : segments) {
    const std::size_t length = segment.content.size() + 2;
    bytes.insert(bytes.end(), {0xff, static_cast<unsigned char>(segment.marker),
                               static_cast<unsigned char>(length >> 8), static_cast<unsigned char>(length)});
    bytes.insert(bytes.end(), segment.content.begin(), segment.content.end());
    if (segment.marker != scan) continue;
    bytes.insert(bytes.end(), segment.data.begin(), segment.data.end());
    bytes.insert(bytes.end(), padding, 0x55);
  }
  bytes.insert(bytes.end(), {0xff, 0xd9});
  return bytes;
}

}  // namespace

Tensor decode_jpeg(const EncodedImage& image) {
  const std::vector<JpegSegment> segments = jpeg_segments(image);
  JpegCheck check(image);
  for (const JpegSegment& segment : segments) check.segment(segment);
  check.end();
  // Data that end early leave a decoder that reads on; what it finds there is then a part of the picture.
  return decode_with_stb(image, join(segments, 0), join(segments, 64));
}

}  // namespace deft
