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
#include "deft/kernels/runtime/error.h"

namespace deft {
namespace {

using nlohmann::json;

static_assert(std::endian::native == std::endian::little, "the format is little-endian, and so is every GPU host");

constexpr std::size_t length_bytes = 8;
constexpr std::size_t alignment = 8;
constexpr std::uint64_t most_length = 100'000'000;  // the reference implementation's limit
constexpr const char* metadata_key = "__metadata__";

// In the order of their data: large elements first, so that each tensor's are aligned to their size.
constexpr std::pair<const char*, DType> type_names[] = {
    {"I64", DType::int64}, {"F64", DType::float64}, {"F32", DType::float32}, {"U8", DType::uint8}};

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

// The tensors as the reference implementation orders them: by type, then by name.
NamedTensors in_file_order(NamedTensors tensors) {
  const auto rank = [](const Tensor& tensor) {
    return std::find_if(std::begin(type_names), std::end(type_names),
                        [&](const auto& entry) { return entry.second == tensor.dtype(); });
  };
  std::sort(tensors.begin(), tensors.end(), [&](const auto& a, const auto& b) {
    return std::forward_as_tuple(rank(a.second), a.first) < std::forward_as_tuple(rank(b.second), b.first);
  });
  return tensors;
}

// Writing another name instead, as for other text, could make two names one.
void require_utf8(const std::string& path, const char* what, const std::string& name) {
  try {
    static_cast<void>(json(name).dump());
  } catch (const json::type_error&) {
    throw Error(fmt::format("{}: the {} {:?} is not UTF-8", path, what, name));
  }
}

std::string header_of(const NamedTensors& tensors, const std::map<std::string, std::string>& metadata,
                      const std::string& path) {
  nlohmann::ordered_json header;
  for (const auto& [key, text] : metadata) require_utf8(path, "metadata key", key);
  if (!metadata.empty()) header[metadata_key] = metadata;
  std::size_t begin = 0;
  for (const auto& [name, tensor] : tensors) {
    require_utf8(path, "tensor name", name);
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
    std::sort(entries.begin(), entries.end(), [](const Entry& a, const Entry& b) {
      return std::tie(a.begin, a.end, a.name) < std::tie(b.begin, b.end, b.name);
    });
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
    if (length > most_length) {
      fail(fmt::format("not a safetensors file: its header has {} bytes, expected at most {}", length, most_length));
    }
    if (length > rest) {
      fail(fmt::format("not a safetensors file, or truncated: its header should have {} bytes, {} are left", length,
                       rest));
    }
    data_begin_ = length_bytes + static_cast<std::size_t>(length);
    const auto first = file_.begin() + static_cast<std::ptrdiff_t>(length_bytes);
    std::vector<std::set<std::string>> keys;  // of the object that is read and of those around it
    std::string tensor;
    const auto note_key = [&](int depth, json::parse_event_t event, const json& parsed) {
      const auto around = static_cast<std::size_t>(depth);
      if (event == json::parse_event_t::object_start) {
        keys.resize(around);
        keys.emplace_back();
      } else if (event == json::parse_event_t::key) {
        const auto key = parsed.get<std::string>();
        const bool is_new = keys.at(around - 1).insert(key).second;
        if (depth == 1) tensor = key;
        if (!is_new && depth == 1) fail(fmt::format("the tensor name '{}' is used twice", key));
        if (!is_new) fail(fmt::format("'{}' has '{}' twice", tensor, key));
      }
      return true;
    };
    const json header = json::parse(first, first + static_cast<std::ptrdiff_t>(length), note_key, false);
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
    visit_dtype(entry.dtype, [&]<class T>() {
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
  const NamedTensors tensors = in_file_order(contents.tensors);
  const std::string header = header_of(tensors, contents.metadata, path);
  if (header.size() > most_length) {
    throw Error(fmt::format("{}: the header has {} bytes, expected at most {}", path, header.size(), most_length));
  }
  AtomicFile file(path);
  const std::uint64_t length = header.size();
  file.write(&length, length_bytes);
  file.write(header);
  for (const auto& [name, tensor] : tensors) {
    visit_dtype(tensor.dtype(),
                [&, &values = tensor]<class T>() { file.write(values.to_vector<T>().data(), bytes_of(values)); });
  }
  file.commit();
}

Safetensors load_safetensors(const std::string& path) { return Reader(path).read(); }

}  // namespace deft
