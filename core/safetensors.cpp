#include "deft/core/safetensors.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cstring>
#include <limits>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <tuple>

#include "deft/core/file.h"
#include "deft/kernels/error.h"

namespace deft {
namespace {

using nlohmann::json;

static_assert(std::endian::native == std::endian::little, "the format is little-endian, and so is every GPU host");

constexpr std::size_t length_bytes = 8;
constexpr std::size_t alignment = 8;
constexpr const char* metadata_key = "__metadata__";

constexpr std::pair<const char*, DType> type_names[] = {
    {"F32", DType::float32}, {"F64", DType::float64}, {"I64", DType::int64}, {"U8", DType::uint8}};

const char* type_name(DType dtype) {
  for (const auto& [name, type] : type_names) {
    if (type == dtype) return name;
  }
  return "";
}

std::optional<DType> type_of_name(const std::string& wanted) {
  for (const auto& [name, type] : type_names) {
    if (wanted == name) return type;
  }
  return std::nullopt;
}

std::size_t bytes_of(const Tensor& tensor) {
  return static_cast<std::size_t>(tensor.numel()) * size_of(tensor.dtype());
}

std::string header_of(const Safetensors& contents, const std::string& path) {
  nlohmann::ordered_json header;
  if (!contents.metadata.empty()) header[metadata_key] = contents.metadata;
  std::size_t begin = 0;
  for (const auto& [name, tensor] : contents.tensors) {
    if (name == metadata_key || header.contains(name)) {
      throw Error(
          fmt::format("{}: the tensor name '{}' is {}", path, name, name == metadata_key ? "reserved" : "used twice"));
    }
    const std::size_t end = begin + bytes_of(tensor);
    header[name] = {
        {"dtype", type_name(tensor.dtype())}, {"shape", tensor.shape().to_vector()}, {"data_offsets", {begin, end}}};
    begin = end;
  }
  std::string text = header.empty() ? "{}" : header.dump(-1, ' ', false, json::error_handler_t::replace);
  text.resize((text.size() + alignment - 1) / alignment * alignment, ' ');
  return text;
}

/// One tensor's entry in the header, checked.
struct Entry {
  std::string name;
  DType dtype;
  Shape shape;
  std::size_t begin, end;
};

class Reader {
 public:
  explicit Reader(const std::string& path) : path_(path), file_(read_file(path)) {}

  Safetensors read() {
    const json header = parse_header();
    Safetensors result;
    std::vector<Entry> entries;
    for (const auto& [name, value] : header.items()) {
      if (name == metadata_key) {
        result.metadata = metadata_of(value);
      } else {
        entries.push_back(entry_of(name, value));
      }
    }
    std::sort(entries.begin(), entries.end(),
              [](const Entry& a, const Entry& b) { return std::tie(a.begin, a.end) < std::tie(b.begin, b.end); });
    check_coverage(entries);
    for (const Entry& entry : entries) result.tensors.emplace_back(entry.name, tensor_of(entry));
    return result;
  }

 private:
  [[noreturn]] void fail(const std::string& what) const { throw Error(fmt::format("{}: {}", path_, what)); }

  json parse_header() {
    if (file_.size() < length_bytes) {
      fail(fmt::format("not a safetensors file: {} bytes long, expected at least {}", file_.size(), length_bytes));
    }
    std::uint64_t length = 0;
    std::memcpy(&length, file_.data(), length_bytes);
    const std::size_t rest = file_.size() - length_bytes;
    if (length > rest) {
      fail(fmt::format("not a safetensors file, or truncated: its header should have {} bytes, {} are left", length,
                       rest));
    }
    data_begin_ = length_bytes + static_cast<std::size_t>(length);
    const auto first = file_.begin() + static_cast<std::ptrdiff_t>(length_bytes);
    std::set<std::string> names;
    const auto note_name = [&](int depth, json::parse_event_t event, const json& parsed) {
      if (depth == 1 && event == json::parse_event_t::key && !names.insert(parsed.get<std::string>()).second) {
        fail(fmt::format("the tensor name '{}' is used twice", parsed.get<std::string>()));
      }
      return true;
    };
    const json header = json::parse(first, first + static_cast<std::ptrdiff_t>(length), note_name, false);
    if (!header.is_object()) fail("not a safetensors file: its header is not a JSON object");
    return header;
  }

  std::map<std::string, std::string> metadata_of(const json& value) const {
    std::map<std::string, std::string> metadata;
    if (!value.is_object()) fail("__metadata__ is not a JSON object");
    for (const auto& [key, text] : value.items()) {
      if (!text.is_string()) fail(fmt::format("__metadata__ '{}' is {}, expected a string", key, text.dump()));
      metadata[key] = text.get<std::string>();
    }
    return metadata;
  }

  static bool is_size_list(const json& value) {
    return value.is_array() && std::all_of(value.begin(), value.end(), [](const json& size) {
             return size.is_number_unsigned() && size.get<std::uint64_t>() <= std::numeric_limits<std::int64_t>::max();
           });
  }

  Entry entry_of(const std::string& name, const json& value) const {
    const json& type = field(name, value, "dtype");
    const json& shape = field(name, value, "shape");
    const json& offsets = field(name, value, "data_offsets");
    const auto dtype = type.is_string() ? type_of_name(type.get<std::string>()) : std::nullopt;
    if (!dtype) fail(fmt::format("tensor '{}' has dtype {}, expected F32, F64, I64 or U8", name, type.dump()));
    if (!is_size_list(shape) || shape.size() > Shape::max_dim) {
      fail(fmt::format("tensor '{}' has shape {}, expected at most {} sizes", name, shape.dump(), int{Shape::max_dim}));
    }
    if (!is_size_list(offsets) || offsets.size() != 2) {
      fail(fmt::format("tensor '{}' has data_offsets {}, expected a begin and an end", name, offsets.dump()));
    }
    Entry entry{name, *dtype, {}, offsets[0].get<std::size_t>(), offsets[1].get<std::size_t>()};
    const std::size_t data_bytes = file_.size() - data_begin_;
    if (entry.begin > entry.end || entry.end > data_bytes) {
      fail(fmt::format("tensor '{}' has data_offsets {}, but the data has {} bytes (truncated?)", name, offsets.dump(),
                       data_bytes));
    }
    std::size_t bytes = size_of(*dtype);
    bool overflow = false;
    for (const json& size : shape) overflow |= __builtin_mul_overflow(bytes, size.get<std::size_t>(), &bytes);
    if (overflow || bytes != entry.end - entry.begin) {
      fail(fmt::format("tensor '{}' of shape {} has {} bytes of data, expected {}", name, shape.dump(),
                       entry.end - entry.begin,
                       overflow ? std::string("more than fit in memory") : std::to_string(bytes)));
    }
    entry.shape = Shape(shape.get<std::vector<std::int64_t>>());
    return entry;
  }

  const json& field(const std::string& name, const json& value, const char* key) const {
    if (!value.is_object() || !value.contains(key)) fail(fmt::format("tensor '{}' has no {}", name, key));
    return value.at(key);
  }

  // The format allows neither holes nor overlaps.
  void check_coverage(const std::vector<Entry>& entries) const {
    std::size_t covered = 0;
    for (const Entry& entry : entries) {
      if (entry.begin != covered)
        fail(fmt::format("tensor '{}' begins at byte {}, expected {}", entry.name, entry.begin, covered));
      covered = entry.end;
    }
    const std::size_t data_bytes = file_.size() - data_begin_;
    if (covered != data_bytes) fail(fmt::format("the tensors end at byte {} of {} bytes of data", covered, data_bytes));
  }

  Tensor tensor_of(const Entry& entry) const {
    Tensor tensor = empty(entry.shape, {.dtype = entry.dtype, .device = Device::cpu()});
    visit_dtype(entry.dtype, [&](auto tag) {
      using T = typename decltype(tag)::type;
      if (entry.end > entry.begin) {
        std::memcpy(tensor.mutable_data<T>(), file_.data() + data_begin_ + entry.begin, entry.end - entry.begin);
      }
    });
    return tensor;
  }

  const std::string path_;
  const std::string file_;
  std::size_t data_begin_ = 0;
};

}  // namespace

const Tensor& Safetensors::at(const std::string& name) const {
  for (const auto& [key, tensor] : tensors) {
    if (key == name) return tensor;
  }
  throw Error(fmt::format("safetensors: there is no tensor '{}'", name));
}

void save_safetensors(const std::string& path, const Safetensors& contents) {
  const std::string header = header_of(contents, path);
  AtomicFile file(path);
  const std::uint64_t length = header.size();
  file.write(&length, length_bytes);
  file.write(header);
  for (const auto& [name, tensor] : contents.tensors) {
    visit_dtype(tensor.dtype(), [&, &values = tensor](auto tag) {
      using T = typename decltype(tag)::type;
      file.write(values.to_vector<T>().data(), bytes_of(values));
    });
  }
  file.commit();
}

Safetensors load_safetensors(const std::string& path) { return Reader(path).read(); }

}  // namespace deft
