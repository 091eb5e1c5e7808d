// JSON inside apps/support; not installed.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

namespace deft::support {

using Json = nlohmann::ordered_json;

/// Throws Error in one line that starts with `name`, the file or place that `text` is from.
Json parse_json(const std::string& text, const std::string& name);

}  // namespace deft::support
