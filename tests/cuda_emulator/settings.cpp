#include "settings.h"

#include <cstdlib>
#include <sstream>

#include "message.h"

namespace cuda_emulator {
namespace {

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

// The position of the variable's value among `names`, 0 when it is not set.
int choice(const char* variable, const std::vector<std::string>& names) {
  const std::string value = environment(variable);
  if (value.empty()) return 0;
  std::string expected;
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (value == names[i]) return static_cast<int>(i);
    expected += (i == 0 ? "" : ", ") + names[i];
  }
  fail(std::string(variable) + " is '" + value + "', expected one of: " + expected);
}

std::size_t number(const char* variable, std::size_t otherwise) {
  const std::string value = environment(variable);
  if (value.empty()) return otherwise;
  char* end = nullptr;
  const unsigned long long number = std::strtoull(value.c_str(), &end, 10);
  if (*end != 0 || number == 0) fail(std::string(variable) + " is '" + value + "', expected a positive number");
  return number;
}

Settings from_environment() {
  Settings read;
  read.poison = poison_patterns[choice("CUDA_EMULATOR_POISON", {"a", "b"})];
  read.order = orders[choice("CUDA_EMULATOR_ORDER", {"forward", "reverse", "shuffled"})];
  read.check_launches = choice("CUDA_EMULATOR_CHECK_LAUNCHES", {"0", "1"}) == 1;
  std::istringstream names(environment("CUDA_EMULATOR_ORDER_DEPENDENT"));
  for (std::string name; std::getline(names, name, ',');) read.order_dependent.push_back(name);
  read.devices = static_cast<int>(number("CUDA_EMULATOR_DEVICES", 1));
  read.device_bytes = number("CUDA_EMULATOR_DEVICE_MIB", read.device_bytes >> 20) << 20;
  constexpr int capabilities[] = {90, 75, 80, 86, 89};
  read.capability = capabilities[choice("CUDA_EMULATOR_CAPABILITY", {"90", "75", "80", "86", "89"})];
  return read;
}

}  // namespace

std::size_t Settings::shared_bytes_per_block() const {
  switch (capability) {
    case 75:
      return 64 << 10;
    case 80:
      return 163 << 10;
    case 86:
    case 89:
      return 99 << 10;
    default:
      return 227 << 10;
  }
}

Settings& settings() {
  static Settings current = from_environment();
  return current;
}

}  // namespace cuda_emulator
