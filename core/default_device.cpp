#include "deft/core/default_device.h"

namespace deft {
namespace {
thread_local Device current = Device::cpu();
}

void set_default_device(Device device) {
  require_device(device);
  current = device;
}

Device default_device() { return current; }

}  // namespace deft
