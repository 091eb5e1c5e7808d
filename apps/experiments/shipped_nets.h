// The trained nets that come with deft: apps/models/ in the source tree, share/deft/models/ where deft is installed.
#pragma once

#include <string>
#include <vector>

namespace deft::apps {

/// Their names, in alphabetical order: an experiment and one of its models, as the presets in apps/configs/ are named. None
/// where the folder is missing.
std::vector<std::string> shipped_nets();

/// The one of them that programs take when none is asked for.
inline constexpr const char* default_net = "e0_deform_v2";

/// The weights file of one of them, found from the place of the running program. Throws Error that names the file when
/// it is not there.
std::string shipped_weights(const std::string& name);

}  // namespace deft::apps
