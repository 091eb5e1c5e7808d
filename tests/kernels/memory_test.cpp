// Copies between the host and the device under test.
#include "deft/kernels/runtime/memory.h"

#include <cstdint>
#include <deque>
#include <vector>

#include "deft/kernels/runtime/philox.h"

#include "catch.h"
#include "test_device.h"

using namespace deft;
using deft::testing::Buffer;
using deft::testing::test_device;

namespace {

using Bytes = std::vector<std::uint8_t>;

Bytes random_bytes(std::size_t size, std::uint64_t stream) {
  PhiloxSequence random(1, stream);
  Bytes bytes(size);
  for (std::uint8_t& byte : bytes) byte = static_cast<std::uint8_t>(random.next());
  return bytes;
}

}  // namespace

TEST_CASE("small and large copies keep apart, and their source may change at once") {
  const std::size_t large = (std::size_t{40} << 20) + 13;  // more than the staging memory holds
  std::vector<std::size_t> sizes;
  for (std::size_t i = 0; i < 200; ++i) sizes.push_back(i * i % 5001);
  sizes[60] = sizes[61] = sizes[170] = large;
  std::deque<Buffer<std::uint8_t>> buffers;
  Bytes source;
  for (std::size_t i = 0; i < sizes.size(); ++i) {
    buffers.emplace_back(Bytes(sizes[i]));
    source = random_bytes(sizes[i], i);
    copy_memory(test_device(), buffers.back().data(), Device::cpu(), source.data(), source.size());
    source.assign(source.size(), 0);
  }
  for (std::size_t i = sizes.size(); i-- > 0;) {
    CAPTURE(i);
    REQUIRE((buffers[i].values() == random_bytes(sizes[i], i)));
  }
}
