// PNG files by libpng.
#include <fmt/format.h>
#include <png.h>

#include <csetjmp>
#include <cstdio>
#include <cstring>

#include "deft/data/detail/image_decoders.h"
#include "deft/data/detail/png_chunks.h"

namespace deft {
namespace {

// libpng reports errors through a function that must not return, and its frames may not see an exception: they are left
// by a jump, and the exception is thrown here. Nothing between setjmp and the jump may own anything.
class PngReader {
 public:
  explicit PngReader(const EncodedImage& image) : image_(image) {
    png_ = png_create_read_struct(
        PNG_LIBPNG_VER_STRING, this,
        [](png_structp png, png_const_charp message) {
          static_cast<PngReader*>(png_get_error_ptr(png))->leave(message);
        },
        [](png_structp, png_const_charp) {});
    if (png_ == nullptr) image.fail("cannot be decoded (libpng does not start)");
    info_ = png_create_info_struct(png_);
  }
  ~PngReader() { png_destroy_read_struct(&png_, &info_, nullptr); }
  PngReader(const PngReader&) = delete;
  PngReader& operator=(const PngReader&) = delete;

  /// Memory for the pixels, after the chunks before them are read.
  Tensor start() {
    read_header();
    const std::int64_t width = png_get_image_width(png_, info_), height = png_get_image_height(png_, info_);
    image_.check_size(width, height);
    prepare();
    return empty_image(image_, width, height, png_get_channels(png_, info_));
  }

  /// Writes all rows.
  void read(std::uint8_t* to) {
    if (setjmp(jump_) != 0) fail();
    const std::size_t row_bytes = png_get_rowbytes(png_, info_);
    const png_uint_32 height = png_get_image_height(png_, info_);
    for (int pass = 0; pass < passes_; ++pass) {
      for (png_uint_32 y = 0; y < height; ++y) png_read_row(png_, to + y * row_bytes, nullptr);
    }
  }

 private:
  void read_header() {
    if (setjmp(jump_) != 0) fail();
    png_set_read_fn(png_, this, [](png_structp png, png_bytep to, std::size_t bytes) {
      static_cast<PngReader*>(png_get_io_ptr(png))->read_bytes(to, bytes);
    });
    // The picture's size is checked by deft. Colour profiles, gamma and texts are passed over.
    png_set_user_limits(png_, PNG_UINT_31_MAX, PNG_UINT_31_MAX);
    png_set_keep_unknown_chunks(png_, PNG_HANDLE_CHUNK_NEVER, nullptr, -1);
    // Some programs write a smaller window than they use.
    png_set_option(png_, PNG_MAXIMUM_INFLATE_WINDOW, PNG_OPTION_ON);
    png_read_info(png_, info_);
  }

  // Asks for 8 bits of grey or RGB; 16 bits are rounded.
  void prepare() {
    if (setjmp(jump_) != 0) fail();
    const int colour_type = png_get_color_type(png_, info_);
    if (colour_type == PNG_COLOR_TYPE_PALETTE) png_set_palette_to_rgb(png_);  // black where it ends early
    if (colour_type == PNG_COLOR_TYPE_GRAY) png_set_expand_gray_1_2_4_to_8(png_);
    png_set_scale_16(png_);
    png_set_strip_alpha(png_);
    passes_ = png_set_interlace_handling(png_);
    png_read_update_info(png_, info_);
  }

  void read_bytes(png_bytep to, std::size_t bytes) {
    if (image_.bytes.size() - at_ < bytes) leave("its data end early");
    std::memcpy(to, &image_.bytes[at_], bytes);
    at_ += bytes;
  }

  [[noreturn]] void leave(const char* message) {
    std::snprintf(message_, sizeof message_, "%s", message);
    std::longjmp(jump_, 1);
  }

  [[noreturn]] void fail() const { image_.fail(fmt::format("holds a damaged image ({})", message_)); }

  const EncodedImage& image_;
  png_structp png_ = nullptr;
  png_infop info_ = nullptr;
  std::jmp_buf jump_{};
  char message_[128] = {};
  std::size_t at_ = 0;
  int passes_ = 1;
};

}  // namespace

Tensor decode_png(const EncodedImage& image) {
  png_chunks(image);  // are complete
  PngReader reader(image);
  Tensor pixels = reader.start();
  reader.read(pixels.mutable_data<std::uint8_t>());
  return pixels;
}

}  // namespace deft
