// Every C++ example of README.md and docs/ stands, letter for letter, in a compiled file of this folder.
#include <filesystem>
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

}  // namespace

TEST_CASE("every example of the documents is compiled") {
  const fs::path root = DEFT_SOURCE_DIR;
  std::string compiled;
  for (const auto& entry : fs::directory_iterator(root / "tests/docs"))
    compiled += normalized(deft::read_file(entry.path()));
  std::vector<fs::path> pages = {root / "README.md"};
  for (const auto& entry : fs::directory_iterator(root / "docs")) {
    if (entry.path().extension() == ".md") pages.push_back(entry.path());
  }
  std::size_t examples = 0;
  for (const fs::path& page : pages) {
    for (const std::string& block : cpp_blocks(deft::read_file(page))) {
      INFO(page.filename().string() << ":\n" << block);
      CHECK(compiled.find(normalized(block)) != std::string::npos);
      ++examples;
    }
  }
  CHECK(examples >= 10);
}
