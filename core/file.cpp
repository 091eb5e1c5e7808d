#include "deft/core/file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <system_error>
#include <tuple>
#include <utility>

#include "deft/kernels/runtime/error.h"

namespace deft {
namespace {

namespace fs = std::filesystem;

Error file_error(const std::string& path, const char* action) {
  return Error(fmt::format("{}: cannot {}: {}", path, action, std::strerror(errno)));
}

// Whether `path` is one of the process's open descriptors, as /proc/self/fd/1, which /dev/stdout leads to.
bool is_descriptor(const fs::path& path) {
  std::error_code error;
  return fs::is_symlink(path, error) && fs::equivalent(path.parent_path(), "/proc/self/fd", error);
}

// The path behind the symbolic links of `path`, whether anything exists there or not.
fs::path follow_links(const std::string& path) {
  constexpr int most = 40;  // as Linux
  fs::path target = path;
  std::error_code error;
  for (int links = 0; fs::is_symlink(target, error) && !is_descriptor(target); ++links) {
    const fs::path next = fs::read_symlink(target, error);
    errno = links == most ? ELOOP : error.value();
    if (errno != 0) throw file_error(path, "follow the link");
    target = target.parent_path() / next;
  }
  return target;
}

// Creates a file of a new, short name beside `target`, with the bits of `mode` that the process's mask leaves. Returns
// its descriptor, -1 in case of an error, and its name.
std::pair<int, std::string> create_beside(const fs::path& target, mode_t mode) {
  static std::atomic<unsigned> counter{0};
  while (true) {
    std::string name = target.parent_path() / fmt::format(".deft-{}-{}", getpid(), counter++);
    const int descriptor = open(name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
    if (descriptor >= 0 || errno != EEXIST) return {descriptor, std::move(name)};
  }
}

// Gives a new file the owner, group and permissions of the one that it will replace, as far as the process may. Where
// the group stays the process's, that gets none.
void take_over(int descriptor, const struct stat& old) {
  constexpr mode_t permissions = 0777, of_group = 0070;
  std::ignore = fchown(descriptor, old.st_uid, static_cast<gid_t>(-1));
  const bool has_group = fchown(descriptor, static_cast<uid_t>(-1), old.st_gid) == 0;
  std::ignore = fchmod(descriptor, old.st_mode & permissions & ~(has_group ? mode_t{0} : of_group));
}

// A rename survives a crash only once its directory is on disk.
void sync_directory(const std::string& path) {
  const std::string parent = fs::path(path).parent_path().string();
  const int descriptor = open(parent.empty() ? "." : parent.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor < 0) return;
  fsync(descriptor);
  close(descriptor);
}

class Descriptor {
 public:
  explicit Descriptor(int descriptor) : descriptor_(descriptor) {}
  ~Descriptor() {
    if (descriptor_ >= 0) close(descriptor_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return descriptor_; }

 private:
  int descriptor_;
};

}  // namespace

AtomicFile::AtomicFile(std::string path) : path_(std::move(path)) {
  const fs::path target = follow_links(path_);
  target_ = target;
  struct stat old = {};
  const int error = stat(target_.c_str(), &old) == 0 ? 0 : errno;
  const bool exists = error == 0;
  if (is_descriptor(target)) {
    std::fflush(stdout);
    descriptor_ = fcntl(std::atoi(target.filename().c_str()), F_DUPFD_CLOEXEC, 0);
  } else if (exists && !S_ISREG(old.st_mode)) {
    descriptor_ = open(target_.c_str(), O_WRONLY | O_CLOEXEC | O_NOCTTY);
  } else {
    errno = error == ENOENT ? 0 : error;
    if (errno != 0) fail("create");
    if (exists && faccessat(AT_FDCWD, target_.c_str(), W_OK, AT_EACCESS) != 0) fail("write");
    std::tie(descriptor_, temporary_) = create_beside(target, exists ? old.st_mode & 0777 : 0666);
    if (exists && descriptor_ >= 0) take_over(descriptor_, old);
  }
  if (descriptor_ < 0) fail(exists ? "write" : "create");
}

AtomicFile::~AtomicFile() {
  if (descriptor_ < 0) return;
  close(descriptor_);
  if (!temporary_.empty()) unlink(temporary_.c_str());
}

void AtomicFile::fail(const char* action) const { throw file_error(path_, action); }

void AtomicFile::write(const void* data, std::size_t bytes) {
  const char* next = static_cast<const char*>(data);
  while (bytes > 0) {
    const ssize_t written = ::write(descriptor_, next, bytes);
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) fail("write");
    next += written;
    bytes -= static_cast<std::size_t>(written);
  }
}

void AtomicFile::commit() {
  const bool in_place = temporary_.empty();
  if (fsync(descriptor_) != 0 && !(in_place && (errno == EINVAL || errno == ENOTSUP))) fail("sync");
  if (!in_place && std::rename(temporary_.c_str(), target_.c_str()) != 0) fail("rename");
  close(std::exchange(descriptor_, -1));
  if (!in_place) sync_directory(target_);
}

void write_file(const std::string& path, std::string_view contents) {
  AtomicFile file(path);
  file.write(contents);
  file.commit();
}

std::string read_file(const std::string& path) {
  const Descriptor file(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (file.get() < 0) throw file_error(path, "open");
  std::string contents;
  std::string buffer(1 << 20, '\0');
  while (true) {
    const ssize_t count = read(file.get(), buffer.data(), buffer.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) throw file_error(path, "read");
    if (count == 0) return contents;
    contents.append(buffer, 0, static_cast<std::size_t>(count));
  }
}

}  // namespace deft
