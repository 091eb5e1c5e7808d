#include "deft/apps/support/config.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <cmath>

#include "deft/apps/support/detail/json.h"
#include "deft/core/file.h"
#include "deft/kernels/runtime/error.h"

namespace deft::support {

namespace {

// `where` says which flag or key is meant, `found` shows the value as the user wrote it.
[[noreturn]] void refuse(const std::string& where, const std::string& found, const std::string& expected) {
  throw Error(fmt::format("{} is {}, expected {}", where, found, expected));
}

template <class T>
void assign_number(const Setting& setting, T& target, T value, const std::string& where, const std::string& found) {
  if (!(static_cast<double>(value) >= setting.minimum) || !std::isfinite(static_cast<double>(value))) {
    refuse(where, found, fmt::format("at least {}", setting.minimum));
  }
  target = value;
}

void assign_text(const Setting& setting, std::string& target, std::string value, const std::string& where) {
  const auto& choices = setting.choices;
  if (!choices.empty() && std::find(choices.begin(), choices.end(), value) == choices.end()) {
    refuse(where, "'" + value + "'", fmt::format("{}", fmt::join(choices, ", ")));
  }
  target = std::move(value);
}

template <class T>
T parse_number(const std::string& text, const std::string& where, const char* expected) {
  T value{};
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc() || stop != end) refuse(where, "'" + text + "'", expected);
  return value;
}

// What the items of a list are called.
template <class T>
constexpr const char* items = "integers";
template <>
constexpr const char* items<double> = "numbers";
template <>
constexpr const char* items<std::string> = "strings";

// Sets a setting from a JSON value.
struct JsonAssigner {
  const Setting& setting;
  const Json& value;
  std::string where;

  void require(bool fits, const std::string& expected) const {
    if (!fits) refuse(where, value.dump(), expected);
  }
  void operator()(bool* target) const {
    require(value.is_boolean(), "true or false");
    *target = value.get<bool>();
  }
  void operator()(std::int64_t* target) const {
    const bool fits =
        value.is_number_integer() && !(value.is_number_unsigned() && value.get<std::uint64_t>() > INT64_MAX);
    require(fits, "an integer");
    assign_number(setting, *target, value.get<std::int64_t>(), where, value.dump());
  }
  void operator()(double* target) const {
    require(value.is_number(), "a number");
    assign_number(setting, *target, value.get<double>(), where, value.dump());
  }
  void operator()(std::string* target) const {
    require(value.is_string(), "a string");
    assign_text(setting, *target, value.get<std::string>(), where);
  }
  template <class T>
  void operator()(std::vector<T>* target) const {
    require(value.is_array(), fmt::format("a list of {}", items<T>));
    std::vector<T> list(value.size());
    for (std::size_t i = 0; i < list.size(); ++i) {
      JsonAssigner{setting, value[i], fmt::format("{}[{}]", where, i)}(&list[i]);
    }
    *target = std::move(list);
  }
};

// Sets a setting from the text of a flag.
struct TextAssigner {
  const Setting& setting;
  const std::string& text;
  std::string where = setting.flag();

  void operator()(bool* target) const {
    if (text != "true" && text != "false") refuse(where, "'" + text + "'", "true or false");
    *target = text == "true";
  }
  void operator()(std::int64_t* target) const {
    assign_number(setting, *target, parse_number<std::int64_t>(text, where, "an integer"), where, text);
  }
  void operator()(double* target) const {
    assign_number(setting, *target, parse_number<double>(text, where, "a number"), where, text);
  }
  void operator()(std::string* target) const { assign_text(setting, *target, text, where); }
  template <class T>
  void operator()(std::vector<T>* target) const {
    const std::string expected = fmt::format("{} with commas between them", items<T>);
    std::vector<T> list;
    each_item([&](const std::string& one) {
      assign_number(setting, list.emplace_back(), parse_number<T>(one, where, expected.c_str()), where, one);
    });
    *target = std::move(list);
  }
  void operator()(std::vector<std::string>* target) const {
    if (setting.positional) return target->push_back(text);
    std::vector<std::string> list;
    each_item([&](const std::string& one) {
      if (one.empty()) refuse(where, "'" + text + "'", "strings with commas between them");
      list.push_back(one);
    });
    *target = std::move(list);
  }

 private:
  template <class Function>
  void each_item(Function function) const {
    for (std::size_t begin = 0, end = 0; end != std::string::npos; begin = end + 1) {
      end = text.find(',', begin);
      function(text.substr(begin, end == std::string::npos ? end : end - begin));
    }
  }
};

std::size_t edit_distance(const std::string& a, const std::string& b) {
  // rows[i][j]: distance between the first i characters of a and the first j of b.
  std::vector<std::vector<std::size_t>> rows(a.size() + 1, std::vector<std::size_t>(b.size() + 1));
  for (std::size_t i = 0; i <= a.size(); ++i) {
    for (std::size_t j = 0; j <= b.size(); ++j) {
      if (i == 0 || j == 0) {
        rows[i][j] = i + j;
        continue;
      }
      rows[i][j] = std::min({rows[i - 1][j] + 1, rows[i][j - 1] + 1, rows[i - 1][j - 1] + (a[i - 1] != b[j - 1])});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
        rows[i][j] = std::min(rows[i][j], rows[i - 2][j - 2] + 1);
      }
    }
  }
  return rows[a.size()][b.size()];
}

}  // namespace

std::string Setting::flag() const {
  std::string text = name;
  if (positional) {
    std::transform(text.begin(), text.end(), text.begin(), [](unsigned char c) { return std::toupper(c); });
    return text;
  }
  std::replace(text.begin(), text.end(), '_', '-');
  return "--" + text;
}

void Settings::add(std::string name, bool& value, std::string help) {
  list_.push_back({.name = std::move(name), .target = &value, .help = std::move(help)});
}

void Settings::add(std::string name, std::int64_t& value, std::string help, std::int64_t minimum) {
  list_.push_back(
      {.name = std::move(name), .target = &value, .help = std::move(help), .minimum = static_cast<double>(minimum)});
}

void Settings::add(std::string name, double& value, std::string help, double minimum) {
  list_.push_back({.name = std::move(name), .target = &value, .help = std::move(help), .minimum = minimum});
}

void Settings::add(std::string name, std::string& value, std::string help, std::vector<std::string> choices) {
  list_.push_back({.name = std::move(name), .target = &value, .help = std::move(help), .choices = std::move(choices)});
}

void Settings::add(std::string name, std::vector<std::int64_t>& values, std::string help, std::int64_t minimum) {
  list_.push_back(
      {.name = std::move(name), .target = &values, .help = std::move(help), .minimum = static_cast<double>(minimum)});
}

void Settings::add(std::string name, std::vector<double>& values, std::string help, double minimum) {
  list_.push_back({.name = std::move(name), .target = &values, .help = std::move(help), .minimum = minimum});
}

void Settings::add(std::string name, std::vector<std::string>& values, std::string help) {
  list_.push_back({.name = std::move(name), .target = &values, .help = std::move(help)});
}

void Settings::add_positional(std::string name, std::string& value, std::string help) {
  list_.push_back({.name = std::move(name), .target = &value, .help = std::move(help), .positional = true});
}

void Settings::add_positional(std::string name, std::vector<std::string>& values, std::string help) {
  list_.push_back({.name = std::move(name), .target = &values, .help = std::move(help), .positional = true});
}

void Settings::set_from_text(const Setting& setting, const std::string& text) const {
  std::visit(TextAssigner{setting, text}, setting.target);
}

void Settings::load_json(const std::string& file, UnknownKeys unknown) const {
  const Json object = read_object(file);
  for (const auto& item : object.items()) {
    const std::string& key = item.key();
    const auto found = std::find_if(list_.begin(), list_.end(),
                                    [&](const Setting& setting) { return !setting.positional && setting.name == key; });
    if (found == list_.end()) {
      if (unknown == UnknownKeys::skip) continue;
      std::vector<std::string> keys;
      for (const Setting& setting : list_) {
        if (!setting.positional) keys.push_back(setting.name);
      }
      throw Error(fmt::format("{}: unknown key '{}', did you mean '{}'?", file, key, nearest(key, keys)));
    }
    std::visit(JsonAssigner{*found, item.value(), fmt::format("{}: {}", file, key)}, found->target);
  }
}

std::string Settings::to_json() const {
  Json object = Json::object();
  for (const Setting& setting : list_) {
    if (!setting.positional) std::visit([&](const auto* target) { object[setting.name] = *target; }, setting.target);
  }
  return to_text(object, 2) + "\n";
}

std::string nearest(const std::string& word, const std::vector<std::string>& candidates) {
  if (candidates.empty()) throw Error("nearest: there are no candidates");
  return *std::min_element(candidates.begin(), candidates.end(), [&](const std::string& a, const std::string& b) {
    return edit_distance(word, a) < edit_distance(word, b);
  });
}

}  // namespace deft::support
