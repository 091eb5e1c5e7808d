#include "deft/data/input_file.h"

#include <fmt/format.h>
#include <zlib.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <vector>

#include "deft/kernels/runtime/error.h"

namespace deft {

struct InputFile::Unpacker {
  Unpacker() { inflateInit2(&stream, 15 + 16); }  // 15: the largest window; 16: gzip's header and trailer
  ~Unpacker() { inflateEnd(&stream); }

  z_stream stream{};
  bool finished = false;  // at the end of the last member
  std::vector<unsigned char> input = std::vector<unsigned char>(1 << 16);
};

InputFile::InputFile(const std::filesystem::path& path) : path_(path), file_(nullptr, std::fclose) {
  std::error_code error;
  if (std::filesystem::is_directory(path, error)) fail("is a folder, expected a file");
  file_.reset(std::fopen(path.c_str(), "rb"));
  if (!file_) fail(fmt::format("cannot be opened ({})", std::strerror(errno)));
  size_ = std::filesystem::file_size(path, error);
  if (error) fail("is no regular file");
  unsigned char start[2] = {0, 0};
  if (read_raw(start, 2) == 2 && start[0] == 0x1f && start[1] == 0x8b) unpacker_ = std::make_unique<Unpacker>();
  std::rewind(file_.get());
}

InputFile::~InputFile() = default;

void InputFile::fail(const std::string& what) const { throw Error(path_.string() + ": " + what); }

void InputFile::expect_size(std::uint64_t bytes, const std::string& why) const {
  constexpr std::uint64_t best_ratio = 1032;  // of deflate
  if (!unpacker_ && size_ != bytes) fail(fmt::format("is {} bytes long, expected {} ({})", size_, bytes, why));
  if (unpacker_ && size_ < bytes / best_ratio) {
    fail(fmt::format("is {} bytes long, too short to unpack to {} bytes ({})", size_, bytes, why));
  }
}

void InputFile::read(void* to, std::size_t bytes) {
  const std::uint64_t expected = position_ + bytes;
  while (position_ < expected) {
    const auto left = static_cast<std::size_t>(expected - position_);
    const std::size_t got = read_some(static_cast<unsigned char*>(to) + (bytes - left), left);
    if (got == 0) {
      fail(fmt::format("ends after {}{} bytes, expected {}", position_, unpacker_ ? " unpacked" : "", expected));
    }
    position_ += got;
  }
}

void InputFile::expect_end() {
  unsigned char extra = 0;
  if (read_some(&extra, 1) != 0) {
    fail(fmt::format("goes on after the expected {}{} bytes", position_, unpacker_ ? " unpacked" : ""));
  }
}

std::size_t InputFile::read_raw(unsigned char* to, std::size_t bytes) {
  const std::size_t got = std::fread(to, 1, bytes, file_.get());
  if (got == 0 && std::ferror(file_.get())) fail(fmt::format("cannot be read ({})", std::strerror(errno)));
  return got;
}

// At least one byte, or zero at the end.
std::size_t InputFile::read_some(unsigned char* to, std::size_t bytes) {
  if (!unpacker_) return read_raw(to, bytes);
  z_stream& stream = unpacker_->stream;
  bytes = std::min(bytes, std::size_t{1} << 30);
  stream.next_out = to;
  stream.avail_out = static_cast<unsigned>(bytes);
  while (stream.avail_out == bytes) {
    if (stream.avail_in == 0) {
      stream.next_in = unpacker_->input.data();
      stream.avail_in = static_cast<unsigned>(read_raw(unpacker_->input.data(), unpacker_->input.size()));
      if (stream.avail_in == 0 && unpacker_->finished) return 0;
      if (stream.avail_in == 0) fail(fmt::format("ends in the middle of its gzip data ({} bytes)", size_));
    }
    if (unpacker_->finished) {  // another member must follow
      if (stream.next_in[0] != 0x1f) fail("goes on after the end of its gzip data");
      inflateReset(&stream);
      unpacker_->finished = false;
    }
    const int status = inflate(&stream, Z_NO_FLUSH);
    if (status == Z_STREAM_END) {
      unpacker_->finished = true;
    } else if (status != Z_OK) {
      fail(fmt::format("holds damaged gzip data after {} unpacked bytes ({})", position_ + (bytes - stream.avail_out),
                       stream.msg != nullptr ? stream.msg : "zlib error " + std::to_string(status)));
    }
  }
  return bytes - stream.avail_out;
}

}  // namespace deft
