#include "deft/apps/support/run_directory.h"

#include <algorithm>
#include <filesystem>
#include <vector>

#include "deft/kernels/error.h"

namespace deft::support {

namespace {

namespace fs = std::filesystem;

// "epoch-" DIGITS ".safetensors"
bool is_snapshot(const std::string& name) {
  const std::string before = "epoch-", after = ".safetensors";
  return name.size() > before.size() + after.size() && name.starts_with(before) && name.ends_with(after) &&
         std::all_of(name.begin() + 6, name.end() - 12, [](char c) { return c >= '0' && c <= '9'; });
}

}  // namespace

void RunDirectory::create() const {
  std::error_code error;
  fs::create_directories(path_, error);
  if (error) throw Error(path_ + ": cannot make this folder: " + error.message());
}

void RunDirectory::remove_results() const {
  std::vector<std::string> files = {checkpoint(), summary(), log(), best_weights(), last_weights(), config()};
  std::error_code error;
  for (fs::directory_iterator entry(path_, error), end; !error && entry != end; entry.increment(error)) {
    if (is_snapshot(entry->path().filename().string())) files.push_back(entry->path().string());
  }
  if (error) throw Error(path_ + ": cannot list this folder: " + error.message());
  for (const std::string& file : files) {
    fs::remove(file, error);
    if (error) throw Error(file + ": cannot remove: " + error.message());
  }
}

}  // namespace deft::support
