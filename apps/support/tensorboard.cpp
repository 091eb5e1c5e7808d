#include "deft/apps/support/tensorboard.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <tensorboard.pb.h>
#include <unistd.h>

#include <bit>
#include <boost/crc.hpp>
#include <cerrno>
#include <chrono>
#include <cstring>

#include "deft/kernels/runtime/error.h"

namespace deft::support {
namespace {

static_assert(std::endian::native == std::endian::little, "event files hold little-endian numbers");

double now() { return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count(); }

// CRC-32C, rotated and shifted so that checksums of texts that hold checksums stay useful.
std::uint32_t masked_checksum(const std::string& bytes) {
  boost::crc_optimal<32, 0x1edc6f41, 0xffffffff, 0xffffffff, true, true> crc;
  crc.process_bytes(bytes.data(), bytes.size());
  return std::rotr(crc.checksum(), 15) + 0xa282ead8u;
}

template <class T>
std::string bytes_of(T number) {
  return {reinterpret_cast<const char*>(&number), sizeof number};
}

[[noreturn]] void fail(const std::string& path, const char* action) {
  throw Error(fmt::format("{}: cannot {}: {}", path, action, std::strerror(errno)));
}

}  // namespace

bool can_write_events() { return true; }

EventWriter::EventWriter(const std::string& folder) {
  const auto seconds = static_cast<std::int64_t>(now());
  for (int n = 0; descriptor_ < 0; ++n) {
    path_ = fmt::format("{}/events.out.tfevents.{}.deft.{}", folder, seconds, n);
    descriptor_ = open(path_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, 0666);
    if (descriptor_ < 0 && errno != EEXIST) fail(path_, "create");
  }
  tensorboard::Event event;
  event.set_wall_time(now());
  event.set_file_version("brain.Event:2");
  append(event.SerializeAsString());
  event.mutable_session_log()->set_status(tensorboard::SessionLog::START);
  append(event.SerializeAsString());
}

EventWriter::~EventWriter() { close(descriptor_); }

void EventWriter::add_scalars(std::int64_t step, const std::vector<std::pair<std::string, double>>& values,
                              double seconds_ago) {
  tensorboard::Event event;
  event.set_wall_time(now() - seconds_ago);
  event.set_step(step);
  for (const auto& [tag, value] : values) {
    tensorboard::Summary::Value* const added = event.mutable_summary()->add_value();
    added->set_tag(tag);
    added->set_simple_value(static_cast<float>(value));
  }
  append(event.SerializeAsString());
}

void EventWriter::append(const std::string& event) {
  const std::string length = bytes_of<std::uint64_t>(event.size());
  const std::string record = length + bytes_of(masked_checksum(length)) + event + bytes_of(masked_checksum(event));
  // One call: a reader, or a run that is killed, meets whole records.
  const ssize_t written = write(descriptor_, record.data(), record.size());
  if (written < 0) fail(path_, "write");
  if (static_cast<std::size_t>(written) != record.size()) {
    throw Error(fmt::format("{}: only {} of {} bytes could be written", path_, written, record.size()));
  }
}

}  // namespace deft::support
