// Every C++ example of README.md and docs/ stands, letter for letter, in a compiled file of this folder; links lead to
// files and headings that exist.
#include <cctype>
#include <filesystem>
#include <regex>
#include <set>
#include <string>
#include <vector>

#include "deft/core/file.h"

#include "catch.h"

namespace fs = std::filesystem;

namespace {

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::size_t begin = 0;
  while (begin < text.size()) {
    std::size_t end = text.find('\n', begin);
    if (end == std::string::npos) end = text.size();
    lines.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return lines;
}

// Without indentation, which differs between a page and the function that holds the example.
std::string trimmed(const std::string& line) {
  const std::size_t first = line.find_first_not_of(" \t");
  return first == std::string::npos ? "" : line.substr(first, line.find_last_not_of(" \t") - first + 1);
}

std::string normalized(const std::string& text) {
  std::string result = "\n";
  for (const std::string& line : lines_of(text)) {
    if (!trimmed(line).empty()) result += trimmed(line) + "\n";
  }
  return result;
}

std::vector<std::string> cpp_blocks(const std::string& page) {
  std::vector<std::string> blocks;
  bool inside = false;
  for (const std::string& line : lines_of(page)) {
    if (inside && trimmed(line) == "```") {
      inside = false;
    } else if (inside) {
      blocks.back() += line + "\n";
    } else if (trimmed(line) == "```cpp") {
      inside = true;
      blocks.emplace_back();
    }
  }
  return blocks;
}

std::vector<fs::path> pages() {
  const fs::path root = DEFT_SOURCE_DIR;
  std::vector<fs::path> found = {root / "README.md", root / "CHANGELOG.md"};
  for (const char* folder : {"docs", "apps", "kernels"}) {
    for (const auto& entry : fs::recursive_directory_iterator(root / folder)) {
      if (entry.path().extension() == ".md") found.push_back(entry.path());
    }
  }
  return found;
}

// What GitHub makes of a heading: small letters, digits, hyphens and underscores, with hyphens for spaces. Bytes beyond
// ASCII stay, which is right for letters.
std::string anchor_of(const std::string& heading) {
  std::string anchor;
  for (const char c : heading) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= 0x80 || std::isalnum(byte) || c == '-' || c == '_') {
      anchor += byte < 0x80 ? static_cast<char>(std::tolower(byte)) : c;
    } else if (c == ' ') {
      anchor += '-';
    }
  }
  return anchor;
}

std::set<std::string> anchors_of(const fs::path& page) {
  static const std::regex heading("#+ (.*)");
  std::set<std::string> anchors;
  bool inside = false;
  for (const std::string& line : lines_of(deft::read_file(page))) {
    if (line.rfind("```", 0) == 0) inside = !inside;
    std::smatch match;
    if (!inside && std::regex_match(line, match, heading)) anchors.insert(anchor_of(match[1]));
  }
  return anchors;
}

}  // namespace

TEST_CASE("every example of the documents is compiled") {
  const fs::path root = DEFT_SOURCE_DIR;
  std::string compiled;
  for (const auto& entry : fs::directory_iterator(root / "tests/docs"))
    compiled += normalized(deft::read_file(entry.path()));
  std::size_t examples = 0;
  for (const fs::path& page : pages()) {
    for (const std::string& block : cpp_blocks(deft::read_file(page))) {
      INFO(page.filename().string() << ":\n" << block);
      CHECK(compiled.find(normalized(block)) != std::string::npos);
      ++examples;
    }
  }
  CHECK(examples >= 10);
}

TEST_CASE("links between the documents lead somewhere, and nothing is left to be filled in") {
  static const std::regex link(R"(\]\(([^)#:]*)(?:#([^)]*))?\))");
  std::size_t links = 0, anchors = 0;
  for (const fs::path& page : pages()) {
    const std::string text = deft::read_file(page);
    INFO(page.filename().string());
    CHECK(text.find("<!--") == std::string::npos);
    for (std::sregex_iterator at(text.begin(), text.end(), link), end; at != end; ++at) {
      INFO((*at)[0]);
      const std::string file = (*at)[1], anchor = (*at)[2];
      const fs::path target = file.empty() ? page : page.parent_path() / file;
      ++links;
      REQUIRE(fs::exists(target));
      if (anchor.empty()) continue;
      CHECK(anchors_of(target).count(anchor) == 1);
      ++anchors;
    }
  }
  CHECK(links >= 5);
  CHECK(anchors >= 5);
}
