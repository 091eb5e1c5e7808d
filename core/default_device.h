// Where new tensors go.
#pragma once

#include "deft/kernels/runtime/device.h"

namespace deft {

/// The device on which functions that make tensors (zeros, randn, from_vector, the parameters of layers, …) make them
/// unless they are told another; at first the CPU. As torch.set_default_device it holds for the calling thread alone.
/// What reads files (load_safetensors, load_image, data sets) makes tensors on the CPU all the same.
/// Throws Error when kernels cannot run on `device`.
void set_default_device(Device device);
Device default_device();

}  // namespace deft
