#include "deft/apps/support/detail/json.h"

#include <fmt/format.h>

#include "deft/core/file.h"
#include "deft/kernels/runtime/error.h"

namespace deft::support {

Json parse_json(const std::string& text, const std::string& name) {
  try {
    return Json::parse(text);
  } catch (const Json::parse_error& error) {
    // The library's text starts with an identifier in brackets.
    const std::string what = error.what();
    const std::size_t bracket = what.find("] ");
    throw Error(name + ": not JSON: " + (bracket == std::string::npos ? what : what.substr(bracket + 2)));
  }
}

Json read_object(const std::string& file) {
  Json object = parse_json(read_file(file), file);
  if (object.is_object()) return object;
  throw Error(fmt::format("{}: holds {}, expected a JSON object", file, object.type_name()));
}

std::string to_text(const Json& value, int indent) {
  return value.dump(indent, ' ', false, Json::error_handler_t::replace);
}

}  // namespace deft::support
