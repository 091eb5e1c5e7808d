#include "deft/apps/support/run_directory.h"

#include <algorithm>
#include <filesystem>
#include <string_view>
#include <vector>

#include "deft/kernels/error.h"

namespace deft::support {

namespace {

namespace fs = std::filesystem;

// "epoch-" DIGITS ".safetensors"
bool is_snapshot(std::string_view name) {
  constexpr std::string_view before = "epoch-", after = ".safetensors";
  if (name.size() <= before.size() + after.size() || !name.starts_with(before) || !name.ends_with(after)) return false;
  name.remove_prefix(before.size());
  name.remove_suffix(after.size());
  return std::all_of(name.begin(), name.end(), [](char c) { return c >= '0' && c <= '9'; });
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
