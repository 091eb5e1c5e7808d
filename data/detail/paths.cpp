#include "deft/data/detail/paths.h"

namespace deft {

namespace fs = std::filesystem;

bool is_file(const fs::path& path) {
  std::error_code error;
  const fs::file_status status = fs::status(path, error);
  return fs::exists(status) && !fs::is_directory(status);
}

std::string folder_name(const fs::path& folder) {
  std::error_code error;
  const fs::path absolute = fs::absolute(folder, error), path = (error ? folder : absolute).lexically_normal();
  return (path.has_filename() ? path : path.parent_path()).filename().string();
}

}  // namespace deft
