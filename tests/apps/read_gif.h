// Animations, read back by giflib's decoder.
#pragma once

#ifdef DEFT_HAVE_GIFLIB
#include <gif_lib.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <string>

#include "catch.h"

struct CloseGif {
  void operator()(GifFileType* file) const { DGifCloseFile(file, nullptr); }
};

/// All frames of a file with these bytes.
inline std::unique_ptr<GifFileType, CloseGif> read_gif(std::string bytes) {
  const auto read = [](GifFileType* file, GifByteType* to, int count) {
    auto& left = *static_cast<std::string*>(file->UserData);
    const std::size_t some = std::min(static_cast<std::size_t>(count), left.size());
    std::memcpy(to, left.data(), some);
    left.erase(0, some);
    return static_cast<int>(some);
  };
  std::unique_ptr<GifFileType, CloseGif> file(DGifOpen(&bytes, read, nullptr));
  REQUIRE(file != nullptr);
  REQUIRE(DGifSlurp(file.get()) == GIF_OK);
  return file;
}

#endif
