// The questions of loaders about files and folders.
#pragma once

#include <filesystem>
#include <string>

namespace deft {

/// Whether something stands there that is no folder. A path that cannot be looked at counts as absent.
bool is_file(const std::filesystem::path& path);

/// The name of a folder: "b" for a/b, a/b/ and a/b/., and the working directory's name for ".".
std::string folder_name(const std::filesystem::path& folder);

}  // namespace deft
