// HTML inside apps/support.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace deft::support {

/// Text as HTML shows it, in elements and in quoted attributes.
std::string escape_html(std::string_view text);

/// "data:TYPE;base64,…": a file of this media type ("image/png"), inside a page.
std::string data_uri(std::string_view type, std::string_view bytes);

/// What a table shows. All texts are escaped.
struct HtmlTable {
  std::string caption = {};              ///< empty: none
  std::vector<std::string> titles = {};  ///< of the columns; none: no such row
  /// The first cell of a row is its title.
  std::vector<std::vector<std::string>> rows = {};
  std::size_t marked_row = static_cast<std::size_t>(-1);  ///< this one stands out
  std::string style = {};                                 ///< class of the element
};

/// A table that scrolls by itself where it is wider than the page.
std::string to_html(const HtmlTable& table);

}  // namespace deft::support
