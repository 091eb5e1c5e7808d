// Tables on the terminal, a row at a time.
#pragma once

#include <string>
#include <vector>

namespace deft::support {

/// Columns of fixed width, right-aligned but for those whose title starts with '<', which is not printed.
class Table {
 public:
  enum class Style {
    plain,
    markdown,  ///< also a table where the text is rendered
  };

  /// A column is as wide as its title, or as `widths` says if that is more.
  explicit Table(std::vector<std::string> titles, const std::vector<int>& widths = {}, Style style = Style::plain);

  /// The titles, and a rule under them.
  std::string header() const;
  /// One line with these cells; longer ones push the rest aside. Throws Error unless there is one per column.
  std::string row(const std::vector<std::string>& cells) const;

 private:
  std::vector<std::string> titles_;
  std::vector<int> widths_;
  std::vector<bool> left_;
  Style style_;
};

}  // namespace deft::support
