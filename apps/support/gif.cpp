#include "deft/apps/support/gif.h"

#include <fmt/format.h>
#include <gif_lib.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <unordered_map>
#include <utility>

#include "deft/kernels/runtime/error.h"

namespace deft::support {
namespace {

using ColorMap = std::unique_ptr<ColorMapObject, decltype(&GifFreeMapObject)>;

int append(GifFileType* file, const GifByteType* bytes, int count) {
  static_cast<std::string*>(file->UserData)
      ->append(reinterpret_cast<const char*>(bytes), static_cast<std::size_t>(count));
  return count;
}

void require(bool done, int error) {
  if (done) return;
  const char* const text = GifErrorString(error);
  throw Error(fmt::format("gif: {}", text != nullptr ? text : "giflib failed"));
}

std::uint32_t packed(const std::uint8_t* pixel) {
  return static_cast<std::uint32_t>(pixel[0]) << 16 | static_cast<std::uint32_t>(pixel[1]) << 8 | pixel[2];
}

GifColorType unpacked(std::uint32_t color) {
  return {static_cast<GifByteType>(color >> 16), static_cast<GifByteType>(color >> 8), static_cast<GifByteType>(color)};
}

using Colors = std::vector<GifColorType>;

// At most 255 colours for the pixels of a frame, [H, W, 3]. Drawings are mostly of a few flat colours, which must stay
// what they are from frame to frame: the most frequent ones are kept, and giflib's median cut finds some for the rest.
Colors choose_colors(const std::vector<std::pair<std::size_t, std::uint32_t>>& by_frequency) {
  constexpr std::size_t most = 255, kept = 128;
  Colors colors;
  for (const auto& [times, color] : by_frequency) {
    if (by_frequency.size() > most && colors.size() == kept) break;
    colors.push_back(unpacked(color));
  }
  if (colors.size() == by_frequency.size()) return colors;
  std::vector<GifByteType> red, green, blue;
  for (std::size_t i = kept; i < by_frequency.size(); ++i) {
    const GifColorType color = unpacked(by_frequency[i].second);
    red.push_back(color.Red), green.push_back(color.Green), blue.push_back(color.Blue);
  }
  int found = most - kept;
  std::vector<GifByteType> unused(red.size());
  colors.resize(most);
  require(GifQuantizeBuffer(static_cast<unsigned>(red.size()), 1, &found, red.data(), green.data(), blue.data(),
                            unused.data(), colors.data() + kept) == GIF_OK,
          E_GIF_ERR_NOT_ENOUGH_MEM);
  colors.resize(kept + static_cast<std::size_t>(found));
  return colors;
}

GifByteType nearest(const Colors& colors, const GifColorType& color) {
  const auto distance = [&](const GifColorType& other) {
    const int red = other.Red - color.Red, green = other.Green - color.Green, blue = other.Blue - color.Blue;
    return red * red + green * green + blue * blue;
  };
  const auto closer = [&](const GifColorType& a, const GifColorType& b) { return distance(a) < distance(b); };
  return static_cast<GifByteType>(std::min_element(colors.begin(), colors.end(), closer) - colors.begin());
}

// The pixels of a frame as indices of its colours.
struct Indexed {
  static constexpr int transparent = 255;  // the index of no colour

  explicit Indexed(const Tensor& frame) : indices(static_cast<std::size_t>(frame.numel() / 3)) {
    const std::uint8_t* const pixels = frame.data<std::uint8_t>();
    std::unordered_map<std::uint32_t, std::size_t> count;
    for (std::size_t i = 0; i < indices.size(); ++i) ++count[packed(pixels + 3 * i)];
    std::vector<std::pair<std::size_t, std::uint32_t>> by_frequency;
    for (const auto& [color, times] : count) by_frequency.emplace_back(times, color);
    std::sort(by_frequency.rbegin(), by_frequency.rend());
    colors = choose_colors(by_frequency);
    std::unordered_map<std::uint32_t, GifByteType> index;
    for (const auto& [times, color] : by_frequency) index[color] = nearest(colors, unpacked(color));
    for (std::size_t i = 0; i < indices.size(); ++i) indices[i] = index[packed(pixels + 3 * i)];
    colors.resize(256);
  }

  Colors colors;
  std::vector<GifByteType> indices;
};

// Makes a file of calls of giflib, whose failures have numbers.
class Writer {
 public:
  Writer(int width, int height) {
    int error = 0;
    file_ = EGifOpen(&bytes_, append, &error);
    require(file_ != nullptr, error);
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

  // Pixels that are as in the frame before are left out: runs of transparent ones need next to no bytes.
  void add(const Tensor& frame, int hundredths) {
    const int height = static_cast<int>(frame.shape()[0]), width = static_cast<int>(frame.shape()[1]);
    Indexed image(frame);
    const std::uint8_t* const pixels = frame.data<std::uint8_t>();
    for (std::size_t i = 0; i < image.indices.size() && shown_.defined(); ++i) {
      const std::uint8_t* const before = shown_.data<std::uint8_t>() + 3 * i;
      if (std::equal(before, before + 3, pixels + 3 * i)) image.indices[i] = Indexed::transparent;
    }
    shown_ = frame;
    const ColorMap map(GifMakeMapObject(256, image.colors.data()), GifFreeMapObject);
    require(map != nullptr, E_GIF_ERR_NOT_ENOUGH_MEM);
    const GraphicsControlBlock control{DISPOSE_DO_NOT, false, hundredths, Indexed::transparent};
    GifByteType block[4];
    EGifGCBToExtension(&control, block);
    check(EGifPutExtension(file_, GRAPHICS_EXT_FUNC_CODE, sizeof block, block));
    check(EGifPutImageDesc(file_, 0, 0, width, height, false, map.get()));
    for (int y = 0; y < height; ++y) check(EGifPutLine(file_, image.indices.data() + y * width, width));
  }

  std::string finish() {
    int error = 0;
    GifFileType* const file = std::exchange(file_, nullptr);
    require(EGifCloseFile(file, &error) == GIF_OK, error);
    return std::move(bytes_);
  }

 private:
  void check(int status) const { require(status == GIF_OK, file_->Error); }

  std::string bytes_;
  GifFileType* file_ = nullptr;
  Tensor shown_;  // the frame before
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
  // GIF has 16 bits for the time.
  const double hundredths = std::round(100 * seconds);
  if (!(hundredths >= 1 && hundredths <= 65535)) {
    throw Error(fmt::format("gif: a frame is shown for {} seconds, expected 0.01 to 655.35", seconds));
  }
  Writer writer(static_cast<int>(shape[1]), static_cast<int>(shape[0]));
  writer.repeat_forever();
  for (const Tensor& frame : frames) writer.add(frame, static_cast<int>(hundredths));
  return writer.finish();
}

}  // namespace deft::support
