// The data sets that the programs train and test their nets on.
#pragma once

#include <cstdint>
#include <string>

#include "deft/data/dataset.h"
#include "deft/data/locate.h"

namespace deft::support {

/// deft::load_data for nets that tell ten classes apart, as those of all experiments do. Says on stderr what the loader
/// had to guess of the data set, unless `quiet`. Throws Error for another number of classes, besides what
/// deft::load_data throws.
Dataset load_ten_classes(const std::string& name, Part part, const std::string& data, std::int64_t limit,
                         bool quiet = false);

/// Both parts; `limit` holds for each.
TrainTest load_ten_classes(const std::string& name, const std::string& data, std::int64_t limit, bool quiet = false);

}  // namespace deft::support
