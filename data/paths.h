// What loaders ask about files and folders. No public header includes this one.
#pragma once

#include <filesystem>
#include <string>

namespace deft {

/// Whether something stands there that is no folder. What cannot be looked at counts as absent.
bool is_file(const std::filesystem::path& path);

/// What a folder is called: "b" for a/b, a/b/ and a/b/., and the working directory's name for ".".
std::string folder_name(const std::filesystem::path& folder);

}  // namespace deft
