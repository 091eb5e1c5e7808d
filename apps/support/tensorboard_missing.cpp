// What stands in for tensorboard.cpp in a build without protobuf: no EventWriter can be made.
#include "deft/apps/support/tensorboard.h"
#include "deft/kernels/runtime/error.h"

namespace deft::support {

bool can_write_events() { return false; }

EventWriter::EventWriter(const std::string&) {
  throw Error("deft was built without protobuf, which writes TensorBoard's event files");
}
EventWriter::~EventWriter() = default;
void EventWriter::add_scalars(std::int64_t, const std::vector<std::pair<std::string, double>>&, double) {}

}  // namespace deft::support
