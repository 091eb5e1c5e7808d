// The errors of load_image.
#pragma once

#include <string>

#include "deft/data/image.h"
#include "deft/kernels/runtime/error.h"

#include "data/files.h"
#include "temporary_directory.h"

/// The message of load_image for a file of these bytes, "no error" without one.
inline std::string image_error(const Bytes& bytes) {
  const TemporaryDirectory folder;
  write_bytes(folder.path("image"), bytes);
  try {
    deft::load_image(folder.path("image"));
  } catch (const deft::Error& error) {
    return error.what();
  }
  return "no error";
}

/// The image that load_image makes of a file of these bytes.
inline deft::Tensor image_from(const Bytes& bytes, std::int64_t channels) {
  const TemporaryDirectory folder;
  write_bytes(folder.path("image"), bytes);
  return deft::load_image(folder.path("image"), {.channels = channels});
}

/// `text` as bytes.
inline Bytes bytes_of(const std::string& text) { return Bytes(text.begin(), text.end()); }
