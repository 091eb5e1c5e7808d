// Files that pictures are written into.
#pragma once

#include <string>
#include <vector>

#include "deft/apps/support/canvas.h"

namespace deft::support {

/// Throws Error that names the flag unless the path that it gives ends in one of these.
void require_ending(const std::string& flag, const std::string& path, const std::vector<std::string>& endings);

/// The endings of what write_picture writes.
const std::vector<std::string>& picture_endings();

/// Writes what is drawn as PNG or SVG, whichever the name ends in.
void write_picture(const std::string& path, const Canvas& canvas);

}  // namespace deft::support
