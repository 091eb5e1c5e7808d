#include "deft/apps/support/run_directory.h"

#include <filesystem>

#include "deft/kernels/error.h"

namespace deft::support {

void RunDirectory::create() const {
  std::error_code error;
  std::filesystem::create_directories(path_, error);
  if (error) throw Error(path_ + ": cannot make this folder: " + error.message());
}

void RunDirectory::remove_results() const {
  for (const std::string& file : {checkpoint(), summary(), log(), best_weights(), last_weights(), config()}) {
    std::error_code error;
    std::filesystem::remove(file, error);
    if (error) throw Error(file + ": cannot remove: " + error.message());
  }
}

}  // namespace deft::support
