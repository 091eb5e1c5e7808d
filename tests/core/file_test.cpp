// Files: whole or not at all, and what may stand under the name of one that is written.
#include "deft/core/file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <thread>

#include "deft/kernels/runtime/error.h"

#include "catch.h"
#include "temporary_directory.h"

using namespace deft;
using Catch::Matchers::Contains;
using Catch::Matchers::EndsWith;
namespace fs = std::filesystem;

namespace {

std::size_t entries(const fs::path& directory) {
  return static_cast<std::size_t>(std::distance(fs::directory_iterator(directory), fs::directory_iterator()));
}

struct stat status(const std::string& path) {
  struct stat result = {};
  REQUIRE(lstat(path.c_str(), &result) == 0);
  return result;
}

unsigned mode_of(const std::string& path) { return status(path).st_mode & 07777; }

// The process's file mode creation mask until the end of the scope.
class Umask {
 public:
  explicit Umask(mode_t mask) : before_(umask(mask)) {}
  ~Umask() { umask(before_); }
  Umask(const Umask&) = delete;
  Umask& operator=(const Umask&) = delete;

 private:
  mode_t before_;
};

// Takes root's rights away until the end of the scope.
class Unprivileged {
 public:
  Unprivileged() : was_root_(geteuid() == 0) {
    if (was_root_) REQUIRE(seteuid(65534) == 0);
  }
  ~Unprivileged() {
    if (was_root_ && seteuid(0) != 0) std::abort();
  }
  Unprivileged(const Unprivileged&) = delete;
  Unprivileged& operator=(const Unprivileged&) = delete;

 private:
  bool was_root_;
};

// A pipe's two descriptors.
struct Pipe {
  Pipe() { REQUIRE(pipe(ends) == 0); }
  ~Pipe() {
    close(ends[0]);
    close(ends[1]);
  }
  std::string read_some() const {
    std::string text(100, ' ');
    const ssize_t count = read(ends[0], text.data(), text.size());
    return text.substr(0, static_cast<std::size_t>(std::max<ssize_t>(count, 0)));
  }
  int ends[2];
};

}  // namespace

TEST_CASE("an atomic file appears whole or not at all") {
  const TemporaryDirectory directory;
  const std::string path = directory.path("file");
  write_file(path, "old");
  {
    AtomicFile file(path);
    file.write("half of the new");
    CHECK(read_file(path) == "old");
  }
  CHECK(read_file(path) == "old");
  CHECK(entries(directory.root()) == 1);
  write_file(path, "new");
  CHECK(read_file(path) == "new");
  CHECK_THROWS_WITH(write_file(directory.path("missing/file"), ""),
                    Contains("missing/file") && Contains("No such file"));
  CHECK_THROWS_WITH(read_file(directory.path("nothing")), Contains("nothing") && Contains("No such file"));
  CHECK_THROWS_WITH(read_file(directory.root().string()), Contains("directory"));
}

TEST_CASE("a file is written through symbolic links, which stay") {
  const TemporaryDirectory directory;
  fs::create_directories(directory.path("near"));
  fs::create_directories(directory.path("far"));
  write_file(directory.path("far/file"), "old");
  fs::create_symlink("../far/file", directory.path("near/link"));
  fs::create_symlink(directory.path("near/link"), directory.path("near/chain"));
  fs::create_directory_symlink("near", directory.path("folder"));
  for (const char* name : {"near/link", "near/chain", "folder/link"}) {
    CAPTURE(name);
    const std::string path = directory.path(name);
    write_file(path, name);
    CHECK(fs::is_symlink(path));
    CHECK_FALSE(fs::is_symlink(directory.path("far/file")));
    CHECK(read_file(directory.path("far/file")) == name);
  }
  fs::create_symlink("../far/new", directory.path("near/dangling"));
  write_file(directory.path("near/dangling"), "made");
  CHECK(fs::is_symlink(directory.path("near/dangling")));
  CHECK(read_file(directory.path("far/new")) == "made");
  CHECK(entries(directory.path("near")) == 3);
  CHECK(entries(directory.path("far")) == 2);

  fs::create_symlink("loop", directory.path("loop"));
  CHECK_THROWS_WITH(write_file(directory.path("loop"), ""),
                    Contains("loop: ") && EndsWith("Too many levels of symbolic links"));
  fs::create_symlink("missing/file", directory.path("astray"));
  CHECK_THROWS_WITH(write_file(directory.path("astray"), ""), Contains("astray: cannot create: No such file"));
}

TEST_CASE("a file keeps its mode, and a new one has what the mask leaves") {
  const TemporaryDirectory directory;
  const std::string path = directory.path("file");
  {
    const Umask mask(027);
    write_file(path, "new");
    CHECK(mode_of(path) == 0640);
    for (const unsigned mode : {0600u, 0644u, 0666u, 0755u}) {
      fs::permissions(path, fs::perms(mode));
      write_file(path, "again");
      CHECK(mode_of(path) == mode);
    }
  }
  if (geteuid() != 0) {
    WARN("only root can give files away: the owner is not tested");
    return;
  }
  REQUIRE(chown(path.c_str(), 12345, 23456) == 0);
  REQUIRE(chmod(path.c_str(), 06755) == 0);  // another content is not what was given the owner's rights
  write_file(path, "by root");
  CHECK(status(path).st_uid == 12345);
  CHECK(status(path).st_gid == 23456);
  CHECK(mode_of(path) == 0755);
}

TEST_CASE("writing leaves the mask as it is for files of other threads") {
  const TemporaryDirectory directory;
  const Umask mask(077);
  std::atomic<bool> done = false;
  std::thread writer([&] {
    for (int i = 0; i < 300; ++i) write_file(directory.path("written"), "");
    done = true;
  });
  unsigned modes = 0;
  while (!done) {
    const std::string path = directory.path("other");
    close(open(path.c_str(), O_CREAT | O_WRONLY, 0666));
    modes |= mode_of(path);
    fs::remove(path);
  }
  writer.join();
  CHECK((modes & 077) == 0);
  CHECK(mode_of(directory.path("written")) == 0600);
}

TEST_CASE("what is no regular file is written to, not replaced") {
  const TemporaryDirectory directory;
  write_file("/dev/null", "nothing");
  CHECK(S_ISCHR(status("/dev/null").st_mode));
  CHECK_THROWS_WITH(write_file("/dev/full", "text"), Contains("/dev/full: cannot write: No space left"));

  const std::string fifo = directory.path("fifo");
  REQUIRE(mkfifo(fifo.c_str(), 0600) == 0);
  std::string received;
  std::thread reader([&] { received = read_file(fifo); });
  write_file(fifo, "through the pipe");
  reader.join();
  CHECK(received == "through the pipe");
  CHECK(S_ISFIFO(status(fifo).st_mode));

  // As /dev/stdout, which is a link to /proc/self/fd/1.
  const Pipe pipe;
  const std::string stream = "/proc/self/fd/" + std::to_string(pipe.ends[1]);
  write_file(stream, "through the descriptor");
  CHECK(pipe.read_some() == "through the descriptor");
  fs::create_symlink(stream, directory.path("stdout"));
  write_file(directory.path("stdout"), "through its link");
  CHECK(pipe.read_some() == "through its link");
  CHECK(fs::is_symlink(directory.path("stdout")));

  const int file = open(directory.path("redirected").c_str(), O_CREAT | O_RDWR, 0600);
  REQUIRE(write(file, "before, ", 8) == 8);
  write_file("/proc/self/fd/" + std::to_string(file), "text");
  REQUIRE(write(file, ", after", 7) == 7);
  close(file);
  CHECK(read_file(directory.path("redirected")) == "before, text, after");
  CHECK(entries(directory.root()) == 3);
}

TEST_CASE("a name may be as long as the file system allows") {
  const TemporaryDirectory directory;
  for (const std::size_t length : {250, 255}) {
    const std::string path = directory.path(std::string(length, 'n'));
    write_file(path, "long");
    CHECK(read_file(path) == "long");
  }
  CHECK_THROWS_WITH(write_file(directory.path(std::string(256, 'n')), ""), Contains("File name too long"));
  CHECK(entries(directory.root()) == 2);
}

TEST_CASE("what cannot be written is said, and nothing is lost") {
  const TemporaryDirectory directory;
  fs::permissions(directory.root(), fs::perms(0755));
  const std::string path = directory.path("file");
  write_file(path, "old");
  CHECK_THROWS_WITH(write_file(directory.root().string(), ""), EndsWith("cannot write: Is a directory"));
  CHECK_THROWS_WITH(write_file(path + "/below", ""), EndsWith("file/below: cannot create: Not a directory"));
  if (geteuid() != 0) {
    fs::permissions(directory.root(), fs::perms(0555));
    CHECK_THROWS_WITH(write_file(directory.path("new"), ""), EndsWith("new: cannot create: Permission denied"));
    fs::permissions(directory.root(), fs::perms(0755));
  } else {
    const Unprivileged nobody;
    CHECK_THROWS_WITH(write_file(directory.path("new"), ""), EndsWith("new: cannot create: Permission denied"));
  }
  fs::permissions(path, fs::perms(0444));
  {
    const Unprivileged nobody;
    CHECK_THROWS_WITH(write_file(path, "new"), EndsWith("file: cannot write: Permission denied"));
  }
  CHECK(read_file(path) == "old");
  CHECK(entries(directory.root()) == 1);
}
