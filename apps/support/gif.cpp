#include "deft/apps/support/gif.h"

#include <fmt/format.h>
#include <gif_lib.h>

#include <cmath>
#include <memory>
#include <utility>

#include "deft/kernels/error.h"

namespace deft::support {
namespace {

using ColorMap = std::unique_ptr<ColorMapObject, decltype(&GifFreeMapObject)>;

int append(GifFileType* file, const GifByteType* bytes, int count) {
  static_cast<std::string*>(file->UserData)
      ->append(reinterpret_cast<const char*>(bytes), static_cast<std::size_t>(count));
  return count;
}

// Makes a file of calls of giflib, whose failures have numbers.
class Writer {
 public:
  Writer(int width, int height) {
    int error = 0;
    file_ = EGifOpen(&bytes_, append, &error);
    if (file_ == nullptr) fail(error);
    EGifSetGifVersion(file_, true);
    check(EGifPutScreenDesc(file_, width, height, 8, 0, nullptr));
  }
  ~Writer() {
    if (file_ != nullptr) EGifCloseFile(file_, nullptr);
  }
  Writer(const Writer&) = delete;
  Writer& operator=(const Writer&) = delete;

  // The extension of Netscape's browser that all others follow: number of repetitions, 0 for no end.
  void repeat_forever() {
    constexpr char name[] = "NETSCAPE2.0";
    constexpr GifByteType endless[] = {1, 0, 0};
    check(EGifPutExtensionLeader(file_, APPLICATION_EXT_FUNC_CODE));
    check(EGifPutExtensionBlock(file_, sizeof name - 1, name));
    check(EGifPutExtensionBlock(file_, sizeof endless, endless));
    check(EGifPutExtensionTrailer(file_));
  }

  void add(const Tensor& frame, int hundredths) {
    const int height = static_cast<int>(frame.shape()[0]), width = static_cast<int>(frame.shape()[1]);
    const auto points = static_cast<std::size_t>(frame.numel() / 3);
    std::vector<GifByteType> channels[3], indices(points);
    const std::uint8_t* const pixels = frame.data<std::uint8_t>();
    for (std::size_t channel = 0; channel < 3; ++channel) {
      channels[channel].resize(points);
      for (std::size_t i = 0; i < points; ++i) channels[channel][i] = pixels[3 * i + channel];
    }
    int colors = 256;
    const ColorMap map(GifMakeMapObject(colors, nullptr), GifFreeMapObject);
    if (map == nullptr) fail(E_GIF_ERR_NOT_ENOUGH_MEM);
    check(GifQuantizeBuffer(static_cast<unsigned>(width), static_cast<unsigned>(height), &colors, channels[0].data(),
                            channels[1].data(), channels[2].data(), indices.data(), map->Colors));
    const GraphicsControlBlock control{DISPOSE_DO_NOT, false, hundredths, NO_TRANSPARENT_COLOR};
    GifByteType block[4];
    EGifGCBToExtension(&control, block);
    check(EGifPutExtension(file_, GRAPHICS_EXT_FUNC_CODE, sizeof block, block));
    check(EGifPutImageDesc(file_, 0, 0, width, height, false, map.get()));
    for (int y = 0; y < height; ++y) check(EGifPutLine(file_, indices.data() + y * width, width));
  }

  std::string finish() {
    int error = 0;
    GifFileType* const file = std::exchange(file_, nullptr);
    if (EGifCloseFile(file, &error) != GIF_OK) fail(error);
    return std::move(bytes_);
  }

 private:
  void check(int status) const {
    if (status != GIF_OK) fail(file_->Error);
  }
  [[noreturn]] static void fail(int error) {
    const char* const text = GifErrorString(error);
    throw Error(fmt::format("gif: {}", text != nullptr ? text : "giflib failed"));
  }

  std::string bytes_;
  GifFileType* file_ = nullptr;
};

}  // namespace

bool can_animate() { return true; }

std::string gif(const std::vector<Tensor>& frames, double seconds) {
  if (frames.empty()) throw Error("gif: there are no frames");
  const Shape& shape = frames[0].shape();
  for (const Tensor& frame : frames) {
    if (frame.dtype() != DType::uint8 || frame.shape().dim() != 3 || frame.shape()[2] != 3 || frame.shape() != shape) {
      throw Error(fmt::format("gif: a frame is {} {}, expected uint8 [H, W, 3] of one size, the first is {}",
                              to_string(frame.dtype()), to_string(frame.shape()), to_string(shape)));
    }
  }
  constexpr std::int64_t most = 65535;
  if (shape[0] < 1 || shape[1] < 1 || shape[0] > most || shape[1] > most) {
    throw Error(fmt::format("gif: frames are {}, expected sizes from 1 to {}", to_string(shape), most));
  }
  Writer writer(static_cast<int>(shape[1]), static_cast<int>(shape[0]));
  writer.repeat_forever();
  for (const Tensor& frame : frames) writer.add(frame, static_cast<int>(std::lround(100 * seconds)));
  return writer.finish();
}

}  // namespace deft::support
