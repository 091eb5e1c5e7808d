// Weights and checkpoints on disk, in the safetensors format (https://github.com/huggingface/safetensors): an 8-byte
// little-endian header length, a JSON header, the raw little-endian elements. Python's safetensors package reads them.
#pragma once

#include <map>
#include <string>

#include "deft/core/tensor.h"

namespace deft {

/// Contents of a safetensors file: tensors in the order of their data, and free text by key.
struct Safetensors {
  NamedTensors tensors;
  std::map<std::string, std::string> metadata;

  /// The tensor with this name. Throws Error when there is none.
  const Tensor& at(const std::string& name) const;
};

/// Writes `contents` atomically (F32, F64, I64, U8); tensors may be on any device. Their data are ordered as by the
/// reference implementation, by type, large elements first, and by name, so that every tensor is aligned to the size of
/// its elements. Throws Error for a name that occurs twice, is "__metadata__" or is not UTF-8, for a key of the metadata
/// that is not UTF-8, and when the file cannot be written. Bytes of the metadata's text that are not UTF-8 become U+FFFD.
void save_safetensors(const std::string& path, const Safetensors& contents);

/// Reads a whole file; the tensors are on the CPU. Throws Error, naming the file and what is wrong with it, for
/// anything that the format does not allow and for element types that deft does not have.
Safetensors load_safetensors(const std::string& path);

}  // namespace deft
