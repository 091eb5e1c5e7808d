#include "deft/apps/support/json.h"

#include "deft/kernels/error.h"

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

std::string to_text(const Json& value, int indent) {
  return value.dump(indent, ' ', false, Json::error_handler_t::replace);
}

}  // namespace deft::support
