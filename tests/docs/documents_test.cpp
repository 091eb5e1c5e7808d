// Every C++ example of README.md and docs/ stands, letter for letter, in a compiled file of this folder.
#include <filesystem>
#include <regex>
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
  std::vector<fs::path> found = {root / "README.md"};
  for (const auto& entry : fs::directory_iterator(root / "docs")) {
    if (entry.path().extension() == ".md") found.push_back(entry.path());
  }
  return found;
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
  static const std::regex link(R"(\]\(([^)#:]+)(#[^)]*)?\))");
  std::size_t links = 0;
  for (const fs::path& page : pages()) {
    const std::string text = deft::read_file(page);
    INFO(page.filename().string());
    CHECK(text.find("<!--") == std::string::npos);
    for (std::sregex_iterator at(text.begin(), text.end(), link), end; at != end; ++at) {
      INFO((*at)[1]);
      CHECK(fs::exists(page.parent_path() / (*at)[1].str()));
      ++links;
    }
  }
  CHECK(links >= 5);
}
