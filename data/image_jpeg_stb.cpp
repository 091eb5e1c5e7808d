// JPEG files where there is no libjpeg: stb_image decodes those that pass the checks here. Without them, damaged tables
// make it write beyond its own, and missing ones read what was never written.
#include <fmt/format.h>

#include <algorithm>

#include "deft/data/image_stb.h"
#include "deft/data/jpeg_segments.h"

namespace deft {
namespace {

// Follows the tables, the frame and the scans of a file (ITU-T T.81, B.2).
class JpegCheck {
 public:
  explicit JpegCheck(const EncodedImage& image) : image_(image) {}

  void segment(const JpegSegment& segment) {
    constexpr int baseline = 0xc0, extended = 0xc1, progressive = 0xc2, huffman = 0xc4, scan = 0xda, quantizers = 0xdb;
    if (segment.marker == quantizers) quantizer_tables(segment.content);
    if (segment.marker == huffman) huffman_tables(segment.content);
    if (segment.marker == scan) scan_header(segment.content);
    if (segment.marker == baseline || segment.marker == extended || segment.marker == progressive) {
      progressive_ = segment.marker == progressive;
      frame_header(segment.content);
    }
  }

  void end() const {
    if (components_.empty()) image_.fail("is a JPEG without a frame of the kinds that stb_image reads");
    for (const Component& component : components_) {
      require(component.scanned, "a scan for each component");
      require(component.quantizer < 4 && quantizers_[component.quantizer], "all quantization tables");
    }
  }

 private:
  struct Component {
    int id;
    std::size_t quantizer;
    bool scanned;
  };

  void require(bool condition, const char* what) const {
    if (!condition) image_.fail(fmt::format("is a damaged JPEG, expected {}", what));
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
              "at most 256 symbols in a Huffman table and all of them in its segment");
      huffman_[kind][number] = true;
      tables = tables.subspan(counts_end + symbols);
    }
  }

  void frame_header(Span header) {
    require(components_.empty(), "one frame");
    require(header.size() >= 6 && header.size() == std::size_t{6} + 3 * header[5], "a frame header as long as it says");
    image_.check_size(header[3] << 8 | header[4], header[1] << 8 | header[2]);
    for (std::size_t at = 6; at < header.size(); at += 3) components_.push_back({header[at], header[at + 2], false});
  }

  void scan_header(Span header) {
    require(!header.empty() && header.size() == std::size_t{4} + 2 * header[0], "a scan header as long as it says");
    const unsigned char* spectrum = &header[header.size() - 3];  // first and last coefficient, bits before and now
    const bool refines = progressive_ && spectrum[2] >> 4 != 0, with_dc = !progressive_ || spectrum[0] == 0;
    for (std::size_t at = 1; at + 3 < header.size(); at += 2) {
      const auto component = std::find_if(components_.begin(), components_.end(),
                                          [&](const Component& candidate) { return candidate.id == header[at]; });
      require(component != components_.end(), "scans of components of the frame");
      const std::size_t dc = header[at + 1] >> 4, ac = header[at + 1] & 15;
      if (with_dc && !refines) {
        require(dc < 4 && huffman_[0][dc], "all Huffman tables before the scans that use them");
        component->scanned = true;
      }
      if (!progressive_ || !with_dc) {
        require(ac < 4 && huffman_[1][ac], "all Huffman tables before the scans that use them");
      }
      require(component->scanned, "the first scan of a component before those that refine it");
    }
  }

  const EncodedImage& image_;
  bool progressive_ = false;
  bool quantizers_[4] = {};
  bool huffman_[2][4] = {};  // of direct and alternating current
  std::vector<Component> components_;
};

}  // namespace

Tensor decode_jpeg(const EncodedImage& image) {
  JpegCheck check(image);
  for (const JpegSegment& segment : jpeg_segments(image)) check.segment(segment);
  check.end();
  return without_alpha(decode_with_stb(image, image.bytes));
}

}  // namespace deft
