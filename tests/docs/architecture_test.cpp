// The rules of docs/design.md that can be read off the sources: which folder may include which, and what public headers
// include.
#include <filesystem>
#include <map>
#include <regex>
#include <set>
#include <string>
#include <vector>

#include "deft/core/file.h"

#include "catch.h"

namespace fs = std::filesystem;

namespace {

const std::vector<std::string> library_folders = {"kernels", "core", "layers", "optim", "data", "apps"};

struct Include {
  std::string file;  // relative to the root
  std::string name;  // with its quotes or brackets
};

std::vector<Include> includes_below(const std::string& folder) {
  static const std::regex line(R"(#include\s+([<"][^>"]+[>"]))");
  const fs::path root = DEFT_SOURCE_DIR;
  std::vector<Include> found;
  for (const auto& entry : fs::recursive_directory_iterator(root / folder)) {
    const std::string extension = entry.path().extension().string();
    if (extension != ".h" && extension != ".cpp" && extension != ".cu" && extension != ".cuh") continue;
    const std::string text = deft::read_file(entry.path().string());
    for (std::sregex_iterator at(text.begin(), text.end(), line), end; at != end; ++at) {
      found.push_back({fs::relative(entry.path(), root).string(), (*at)[1]});
    }
  }
  return found;
}

// The rooms, each with those it may include; a file belongs to the longest that its path begins with.
const std::map<std::string, std::set<std::string>> rooms = {
    {"kernels/runtime", {"kernels/runtime"}},
    {"kernels", {"kernels", "kernels/runtime"}},
    {"core", {"core", "kernels", "kernels/runtime"}},
    {"layers", {"layers", "core", "kernels", "kernels/runtime"}},
    {"optim", {"optim", "core", "kernels", "kernels/runtime"}},
    {"data", {"data", "core", "kernels", "kernels/runtime"}},
    {"apps/support", {"apps/support"}},
    {"apps/nets", {"apps/nets"}},
    {"apps/experiments", {"apps/experiments", "apps/nets", "apps/support"}},
    {"apps/pictures", {"apps/pictures", "apps/experiments", "apps/support"}},
    {"apps/bench", {"apps/bench", "apps/experiments", "apps/support"}},
    {"apps/cifar10", {"apps/cifar10", "apps/pictures", "apps/experiments", "apps/nets", "apps/support"}},
    {"apps/geometry", {"apps/geometry", "apps/pictures", "apps/experiments", "apps/nets", "apps/support"}},
    {"apps/scaled_mnist", {"apps/scaled_mnist", "apps/pictures", "apps/experiments", "apps/nets", "apps/support"}},
    {"apps/visualize", {"apps/visualize", "apps/pictures", "apps/experiments", "apps/support"}},
};

// Everything in apps may use the whole library.
bool may_include(const std::string& room, const std::string& other) {
  return rooms.at(room).count(other) == 1 ||
         (room.rfind("apps/", 0) == 0 && !other.empty() && other.rfind("apps", 0) != 0);
}

// "core" for core/tensor.h, empty for a path in no room.
std::string room_of(const std::string& path) {
  std::string found;
  for (const auto& [room, below] : rooms) {
    if (path.rfind(room + "/", 0) == 0 && room.size() > found.size()) found = room;
  }
  return found;
}

// The path below the root of what "\"deft/core/tensor.h\"" names, empty for other libraries' headers.
std::string path_of(const std::string& include) {
  static const std::regex own("\"deft/(.*)\"");
  std::smatch match;
  return std::regex_match(include, match, own) ? match[1].str() : "";
}

bool is_header(const std::string& path) { return fs::path(path).extension() == ".h"; }

// Whether the installation leaves a file out and users cannot include it: the folders detail, cpu and cuda.
bool is_private(const std::string& path) {
  static const std::regex place("(^|/)(detail|cpu|cuda)/");
  return std::regex_search(path, place);
}

}  // namespace

TEST_CASE("folders include only those below them") {
  std::set<std::string> seen;
  for (const std::string& folder : library_folders) {
    for (const Include& include : includes_below(folder)) {
      INFO(include.file << " includes " << include.name);
      const std::string target = path_of(include.name);
      if (target.empty()) {
        // What is quoted is ours and named from the root.
        CHECK(include.name[0] == '<');
        continue;
      }
      const std::string room = room_of(include.file);
      REQUIRE(rooms.count(room) == 1);
      CHECK(may_include(room, room_of(target)));
      seen.insert(room);
    }
  }
  CHECK(seen.size() == rooms.size());
}

TEST_CASE("headers that are not for users are included by sources and by each other only") {
  std::size_t found = 0;
  for (const std::string& folder : library_folders) {
    for (const Include& include : includes_below(folder)) {
      const std::string target = path_of(include.name);
      if (!is_private(target)) continue;
      INFO(include.file << " includes " << include.name);
      CHECK((is_private(include.file) || !is_header(include.file)));
      // What implements the kernels is theirs; programs that measure it are no part of the library.
      if (target.rfind("kernels/", 0) == 0) CHECK((room_of(include.file).rfind("kernels", 0) == 0 || folder == "apps"));
      ++found;
    }
  }
  CHECK(found > 0);
}

TEST_CASE("the installation leaves out the folders of what is not for users") {
  const std::string install = deft::read_file((fs::path(DEFT_SOURCE_DIR) / "cmake/DeftInstall.cmake").string());
  for (const std::string folder : {"detail", "cpu", "cuda"}) {
    INFO(folder);
    CHECK(install.find("PATTERN " + folder + " EXCLUDE") != std::string::npos);
  }
}

TEST_CASE("public headers include nothing but the project's own and the standard library's") {
  static const std::regex standard("<[a-z_0-9]+>");
  for (const std::string folder : {"kernels", "core", "layers", "optim", "data", "apps/support"}) {
    for (const Include& include : includes_below(folder)) {
      if (!is_header(include.file) || is_private(include.file) || !path_of(include.name).empty()) continue;
      INFO(include.file << " includes " << include.name);
      CHECK(std::regex_match(include.name, standard));
    }
  }
}
