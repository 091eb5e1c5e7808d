#include "deft/apps/support/run_directory.h"

#include <algorithm>
#include <filesystem>
#include <string_view>

#include "deft/kernels/runtime/error.h"

namespace deft::support {

namespace {

namespace fs = std::filesystem;

constexpr std::string_view snapshots = "epoch-#.safetensors";
constexpr std::string_view events = "events.out.tfevents.#.deft.#";  // EventWriter makes these names

// Where '#' stands for digits.
bool matches(std::string_view name, std::string_view pattern) {
  for (const char c : pattern) {
    const std::size_t length = c == '#' ? std::min(name.find_first_not_of("0123456789"), name.size())
                                        : static_cast<std::size_t>(name.starts_with(c));
    if (length == 0) return false;
    name.remove_prefix(length);
  }
  return name.empty();
}

void remove_file(const std::string& path) {
  std::error_code error;
  fs::remove(path, error);
  if (error) throw Error(path + ": cannot remove: " + error.message());
}

}  // namespace

void RunDirectory::create() const {
  std::error_code error;
  fs::create_directories(path_, error);
  if (error) throw Error(path_ + ": cannot make this folder: " + error.message());
}

void RunDirectory::require(const std::string& file) const {
  if (fs::exists(file)) return;
  if (!fs::is_directory(path_)) throw Error(path_ + ": there is no such folder");
  throw Error(path_ + ": is not the folder of a training run, or no epoch of it is done: it has no " +
              fs::path(file).filename().string());
}

std::vector<std::string> RunDirectory::files(std::string_view pattern) const {
  std::vector<std::string> found;
  std::error_code error;
  for (fs::directory_iterator entry(path_, error), end; !error && entry != end; entry.increment(error)) {
    if (matches(entry->path().filename().string(), pattern)) found.push_back(entry->path().string());
  }
  if (error) throw Error(path_ + ": cannot list this folder: " + error.message());
  return found;
}

void RunDirectory::remove_events() const {
  for (const std::string& path : files(events)) remove_file(path);
}

void RunDirectory::remove_results() const {
  for (const std::string& path : {checkpoint(), summary(), report(), log(), loss_chart(), accuracy_chart(), graph(),
                                  best_weights(), last_weights(), config()}) {
    remove_file(path);
  }
  for (const std::string& path : files(snapshots)) remove_file(path);
  remove_events();
}

}  // namespace deft::support
