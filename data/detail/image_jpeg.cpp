// JPEG files by libjpeg-turbo, with its defaults: the slow inverse DCT and smooth upsampling of the chroma.
#include <fmt/format.h>
#include <jerror.h>
#include <jpeglib.h>

#include <csetjmp>
#include <cstdio>

#include "deft/data/detail/image_decoders.h"
#include "deft/data/detail/jpeg_segments.h"

namespace deft {
namespace {

// Warnings that leave the pixels as they were written; after the others they are made up.
bool is_harmless(int warning) {
  return warning == JWRN_ADOBE_XFORM || warning == JWRN_EXTRANEOUS_DATA || warning == JWRN_JFIF_MAJOR ||
         warning == JWRN_NOT_SEQUENTIAL;
}

// libjpeg reports errors through a function that must not return, and its frames may not see an exception: they are
// left by a jump, and the exception is thrown here. Nothing between setjmp and the jump may own anything.
class JpegReader {
 public:
  explicit JpegReader(const EncodedImage& image) : image_(image) {
    info_.err = jpeg_std_error(&errors_);
    info_.client_data = this;
    errors_.error_exit = [](j_common_ptr info) { of(info).leave(); };
    errors_.emit_message = [](j_common_ptr info, int level) {
      if (level < 0 && !is_harmless(info->err->msg_code)) of(info).leave();
    };
    progress_.progress_monitor = [](j_common_ptr info) { of(info).check_scans(); };
    if (setjmp(jump_) != 0) fail();
    jpeg_create_decompress(&info_);
    info_.progress = &progress_;
    jpeg_mem_src(&info_, image.bytes.data(), static_cast<unsigned long>(image.bytes.size()));
  }
  ~JpegReader() { jpeg_destroy_decompress(&info_); }
  JpegReader(const JpegReader&) = delete;
  JpegReader& operator=(const JpegReader&) = delete;

  /// Memory for the pixels, after the header is read.
  Tensor start() {
    read_header();
    image_.check_size(info_.image_width, info_.image_height);
    const int components = info_.num_components;
    if (components != 1 && components != 3 && components != 4) {
      image_.fail(fmt::format("is a JPEG of {} components, expected 1, 3 or 4", components));
    }
    info_.out_color_space = components == 1 ? JCS_GRAYSCALE : components == 3 ? JCS_RGB : JCS_CMYK;
    if (components == 4) cmyk_.resize(std::size_t{info_.image_width} * 4);
    return empty_image(image_, info_.image_width, info_.image_height, components == 1 ? 1 : 3);
  }

  /// Writes all rows of `width` pixels of one or three bytes.
  void read(std::uint8_t* to) {
    if (setjmp(jump_) != 0) fail();
    jpeg_start_decompress(&info_);
    const bool cmyk = info_.out_color_space == JCS_CMYK;
    const std::size_t row_bytes = std::size_t{info_.output_width} * (info_.out_color_space == JCS_GRAYSCALE ? 1 : 3);
    while (info_.output_scanline < info_.output_height) {
      std::uint8_t* const row = to + info_.output_scanline * row_bytes;
      JSAMPROW target = cmyk ? cmyk_.data() : row;
      jpeg_read_scanlines(&info_, &target, 1);
      if (cmyk) cmyk_to_rgb(row);
    }
    check_progression();
    jpeg_finish_decompress(&info_);
  }

 private:
  static JpegReader& of(j_common_ptr info) { return *static_cast<JpegReader*>(info->client_data); }

  void read_header() {
    if (setjmp(jump_) != 0) fail();
    jpeg_read_header(&info_, TRUE);
  }

  [[noreturn]] void leave() {
    errors_.format_message(reinterpret_cast<j_common_ptr>(&info_), message_);
    std::longjmp(jump_, 1);
  }

  [[noreturn]] void leave(const char* message) {
    std::snprintf(message_, sizeof message_, "%s", message);
    std::longjmp(jump_, 1);
  }

  [[noreturn]] void fail() const { image_.fail(fmt::format("holds a damaged image ({})", message_)); }

  // A few bytes for a scan over the whole picture would take hours.
  void check_scans() {
    constexpr int most_scans = 100;
    if (info_.input_scan_number > most_scans) leave("it has more than 100 scans");
  }

  // Without its last scans a picture is guessed from those before.
  void check_progression() {
    if (!info_.progressive_mode) return;
    for (int component = 0; component < info_.num_components; ++component) {
      for (const int bits_left : info_.coef_bits[component]) {
        if (bits_left != 0) leave("its last scans are missing");
      }
    }
  }

  // Files hold what is left of each ink, as Photoshop writes them.
  void cmyk_to_rgb(std::uint8_t* rgb) const {
    for (std::size_t i = 0; i < cmyk_.size(); i += 4) {
      const unsigned black = cmyk_[i + 3];
      for (std::size_t c = 0; c < 3; ++c) *rgb++ = static_cast<std::uint8_t>((cmyk_[i + c] * black + 127) / 255);
    }
  }

  const EncodedImage& image_;
  jpeg_decompress_struct info_{};
  jpeg_error_mgr errors_{};
  jpeg_progress_mgr progress_{};
  std::jmp_buf jump_{};
  char message_[JMSG_LENGTH_MAX] = {};
  std::vector<unsigned char> cmyk_;  // a row
};

}  // namespace

Tensor decode_jpeg(const EncodedImage& image) {
  jpeg_segments(image);  // is complete
  JpegReader reader(image);
  Tensor pixels = reader.start();
  reader.read(pixels.mutable_data<std::uint8_t>());
  return pixels;
}

}  // namespace deft
