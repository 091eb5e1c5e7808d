// JSON for the programs and what they share.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

namespace deft::support {

using Json = nlohmann::ordered_json;

/// Throws Error in one line that starts with `name`, the file or place that `text` is from.
Json parse_json(const std::string& text, const std::string& name);

/// The JSON object in a file. Throws Error that names the file when it cannot be read or holds something else.
Json read_object(const std::string& file);

/// JSON text, over several lines if `indent` is not negative. Text that is not UTF-8, as paths may be, does not throw as it
/// does in Json::dump: U+FFFD takes the place of its bytes.
std::string to_text(const Json& value, int indent = -1);

}  // namespace deft::support
