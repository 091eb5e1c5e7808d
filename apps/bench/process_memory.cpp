#include "deft/apps/bench/process_memory.h"

#include <fmt/format.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>

#include "deft/kernels/runtime/error.h"

namespace deft::bench {

namespace {

// A line such as "VmRSS:     4096 kB".
std::int64_t status_bytes(const std::string& key) {
  std::ifstream file("/proc/self/status");
  for (std::string line; std::getline(file, line);) {
    if (line.rfind(key, 0) == 0) return 1024 * std::stoll(line.substr(key.size()));
  }
  throw Error("/proc/self/status does not say " + key);
}

// Sends a result, or a message with 'e' before it, and ends the child without its parent's exit handlers.
[[noreturn]] void answer(int pipe, const std::function<MemoryUse()>& measure) {
  std::string text;
  try {
    const MemoryUse use = measure();
    text.assign(reinterpret_cast<const char*>(&use), sizeof use);
    text.insert(0, "r");
  } catch (const std::exception& error) {
    text = std::string("e") + error.what();
  }
  const bool sent = write(pipe, text.data(), text.size()) == static_cast<ssize_t>(text.size());
  _exit(sent ? 0 : 1);
}

std::string read_all(int pipe) {
  std::string text;
  char buffer[4096];
  for (ssize_t count; (count = read(pipe, buffer, sizeof buffer)) > 0;) {
    text.append(buffer, static_cast<std::size_t>(count));
  }
  return text;
}

}  // namespace

std::int64_t resident_bytes() { return status_bytes("VmRSS:"); }
std::int64_t peak_resident_bytes() { return status_bytes("VmHWM:"); }

MemoryUse in_child_process(const std::function<MemoryUse()>& measure) {
  int ends[2];
  if (pipe(ends) != 0) throw Error(fmt::format("pipe: {}", std::strerror(errno)));
  const pid_t child = fork();
  if (child < 0) {
    const int reason = errno;
    close(ends[0]);
    close(ends[1]);
    throw Error(fmt::format("fork: {}", std::strerror(reason)));
  }
  if (child == 0) answer(ends[1], measure);
  close(ends[1]);
  const std::string text = read_all(ends[0]);
  close(ends[0]);
  int status = 0;
  waitpid(child, &status, 0);
  if (text.size() == 1 + sizeof(MemoryUse) && text[0] == 'r') {
    MemoryUse use;
    std::memcpy(&use, text.data() + 1, sizeof use);
    return use;
  }
  if (!text.empty()) throw Error(text.substr(1));
  throw Error(WIFSIGNALED(status) ? fmt::format("the process that measures was ended by signal {}", WTERMSIG(status))
                                  : "the process that measures ended without a result");
}

}  // namespace deft::bench
