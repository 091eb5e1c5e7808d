#include "deft/apps/support/detail/html.h"

#include <fmt/format.h>

#include <cstdint>

namespace deft::support {

std::string escape_html(std::string_view text) {
  std::string escaped;
  for (const char c : text) {
    switch (c) {
      case '&':
        escaped += "&amp;";
        break;
      case '<':
        escaped += "&lt;";
        break;
      case '>':
        escaped += "&gt;";
        break;
      case '"':
        escaped += "&quot;";
        break;
      case '\'':
        escaped += "&#39;";
        break;
      default:
        escaped += c;
    }
  }
  return escaped;
}

// RFC 4648, section 4.
std::string data_uri(std::string_view type, std::string_view bytes) {
  constexpr std::string_view digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string text = fmt::format("data:{};base64,", type);
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    const std::string_view group = bytes.substr(i, 3);
    std::uint32_t bits = 0;
    for (std::size_t j = 0; j < 3; ++j) bits = bits << 8 | (j < group.size() ? static_cast<std::uint8_t>(group[j]) : 0);
    for (std::size_t j = 0; j < 4; ++j) text += j <= group.size() ? digits[bits >> (18 - 6 * j) & 63] : '=';
  }
  return text;
}

std::string to_html(const HtmlTable& table) {
  std::string html = fmt::format("<div class=\"scroll\"><table class=\"{}\">\n", escape_html(table.style));
  if (!table.caption.empty()) html += fmt::format("<caption>{}</caption>\n", escape_html(table.caption));
  if (!table.titles.empty()) {
    html += "<thead><tr>";
    for (const std::string& title : table.titles) html += fmt::format("<th scope=\"col\">{}</th>", escape_html(title));
    html += "</tr></thead>\n";
  }
  html += "<tbody>\n";
  for (std::size_t row = 0; row < table.rows.size(); ++row) {
    html += row == table.marked_row ? "<tr class=\"marked\">" : "<tr>";
    for (std::size_t i = 0; i < table.rows[row].size(); ++i) {
      const std::string cell = escape_html(table.rows[row][i]);
      html += i == 0 ? fmt::format("<th scope=\"row\">{}</th>", cell) : fmt::format("<td>{}</td>", cell);
    }
    html += "</tr>\n";
  }
  return html + "</tbody></table></div>\n";
}

}  // namespace deft::support
