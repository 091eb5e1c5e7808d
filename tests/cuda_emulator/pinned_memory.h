// Page-locked memory of the host.
#pragma once

#include <cstddef>

namespace cuda_emulator {

void* allocate_pinned(std::size_t bytes);
/// False unless allocate_pinned returned `pointer` and it was not released since.
bool release_pinned(void* pointer);
bool is_pinned(const void* address);

}  // namespace cuda_emulator
