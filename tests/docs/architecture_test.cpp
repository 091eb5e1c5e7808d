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

// "core" for "\"deft/core/tensor.h\"", empty for other libraries' headers.
std::string folder_of(const std::string& include) {
  static const std::regex own("\"deft/([a-z_]+)/.*\"");
  std::smatch match;
  return std::regex_match(include, match, own) ? match[1].str() : "";
}

}  // namespace

TEST_CASE("folders include only those below them") {
  const std::map<std::string, std::set<std::string>> below = {
      {"kernels", {"kernels"}},
      {"core", {"core", "kernels"}},
      {"layers", {"layers", "core", "kernels"}},
      {"optim", {"optim", "core", "kernels"}},
      {"data", {"data", "core", "kernels"}},
      {"apps", {"apps", "data", "optim", "layers", "core", "kernels"}},
  };
  for (const auto& [folder, allowed] : below) {
    std::size_t own_includes = 0;
    for (const Include& include : includes_below(folder)) {
      INFO(include.file << " includes " << include.name);
      const std::string target = folder_of(include.name);
      if (target.empty()) {
        // What is quoted is ours and named from the root.
        CHECK(include.name[0] == '<');
        continue;
      }
      CHECK(allowed.count(target) == 1);
      ++own_includes;
    }
    CHECK(own_includes > 0);
  }
}

TEST_CASE("headers that are not for users are neither installed nor included by those that are") {
  static const std::regex mark("Private to|Not for users|not installed");
  const fs::path root = DEFT_SOURCE_DIR;
  const std::string install = deft::read_file((root / "cmake/DeftInstall.cmake").string());
  std::set<std::string> marked;  // as includes name them
  for (const std::string folder : {"kernels", "core", "layers", "optim", "data", "apps/support"}) {
    for (const auto& entry : fs::directory_iterator(root / folder)) {
      if (entry.path().extension() != ".h") continue;
      const std::string text = deft::read_file(entry.path().string()), name = entry.path().filename().string();
      if (!std::regex_search(text.substr(0, text.find('\n')), mark)) continue;
      INFO(folder << "/" << name);
      CHECK(std::regex_search(install, std::regex("_deft_private_headers[^)]* " + name + "[\\s)]")));
      marked.insert("\"deft/" + folder + "/" + name + "\"");
    }
  }
  CHECK(marked.size() >= 7);
  for (const std::string folder : {"kernels", "core", "layers", "optim", "data", "apps/support"}) {
    for (const Include& include : includes_below(folder)) {
      if (fs::path(include.file).extension() != ".h" || marked.count(include.name) == 0) continue;
      INFO(include.file << " includes " << include.name);
      CHECK(marked.count("\"deft/" + include.file + "\"") == 1);
    }
  }
}

TEST_CASE("public headers include nothing but the project's own and the standard library's") {
  static const std::regex standard("<[a-z_0-9]+>");
  static const std::set<std::string> internal = {"apps/support/json.h"};
  for (const std::string folder : {"kernels", "core", "layers", "optim", "data", "apps/support"}) {
    for (const Include& include : includes_below(folder)) {
      if (fs::path(include.file).extension() != ".h") continue;
      if (include.file.rfind("kernels/cpu/", 0) == 0 || include.file.rfind("kernels/cuda/", 0) == 0) continue;
      if (internal.count(include.file) == 1 || !folder_of(include.name).empty()) continue;
      INFO(include.file << " includes " << include.name);
      CHECK(std::regex_match(include.name, standard));
    }
  }
}
