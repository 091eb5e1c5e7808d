#include "deft/apps/support/runtime.h"

#include "deft/kernels/parallel_for.h"

namespace deft::support {

void RuntimeSettings::add_to(Settings& settings) {
  settings.add("threads", threads, "processor threads, 0: one per core; results do not depend on it");
  settings.add("device", device, "where to compute: cpu, cuda or cuda:N");
}

Device RuntimeSettings::apply() const {
  if (threads > 0) set_num_threads(static_cast<int>(threads));
  const Device chosen = Device::parse(device);
  require_device(chosen);
  return chosen;
}

}  // namespace deft::support
