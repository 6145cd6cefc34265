#include <tinyllm/tensor/formats/tensor_files.h>

#include <tinyllm/tensor/base/file.h>
#include <tinyllm/tensor/base/json.h>

#include <array>
#include <bit>
#include <charconv>
#include <optional>
#include <string_view>

// A .npy file: `\x93NUMPY`, the version in two bytes, the length of the header in two bytes, the header, the elements.
// The header is a dictionary as Python writes it, padded with blanks:
//   {'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }
namespace tinyllm {
namespace {

static_assert(std::endian::native == std::endian::little, "the elements are little-endian");

constexpr std::string_view kMagic = "\x93NUMPY";
constexpr size_t kPrefix = 10;
constexpr size_t kAligned = 64;  // The elements begin at a multiple of this.

constexpr std::pair<const char*, DType> kTypes[] = {{"<f4", DType::f32}, {"<i4", DType::i32}, {"<f2", DType::f16}};

// Reads the header, which may come from a stranger.
class HeaderReader {
 public:
  explicit HeaderReader(std::string_view text) : rest_(text) {}

  struct Header {
    std::optional<DType> dtype;
    std::optional<bool> is_fortran;
    std::optional<Shape> shape;
  };
  Header read() {
    Header header;
    need('{');
    while (!take('}')) {
      const std::string_view key = word();
      need(':');
      if (key == "descr" && !header.dtype) {
        header.dtype = type();
      } else if (key == "fortran_order" && !header.is_fortran) {
        header.is_fortran = truth();
      } else if (key == "shape" && !header.shape) {
        header.shape = shape();
      } else {
        throw Error("key {}, expected descr, fortran_order and shape, once each", short_name(key));
      }
      if (take(',')) continue;
      need('}');
      break;
    }
    skip();
    if (!rest_.empty()) throw Error("it goes on after its end");
    if (!header.dtype || !header.is_fortran || !header.shape) {
      throw Error("it lacks one of descr, fortran_order and shape");
    }
    return header;
  }

 private:
  void skip() { rest_.remove_prefix(std::min(rest_.find_first_not_of(" \t\n"), rest_.size())); }
  bool take(char c) {
    skip();
    if (!rest_.starts_with(c)) return false;
    rest_.remove_prefix(1);
    return true;
  }
  void need(char c) {
    if (!take(c)) throw Error("{} bytes before its end it lacks '{}'", rest_.size(), c);
  }

  std::string_view word() {
    const char quote = take('"') ? '"' : '\'';
    if (quote == '\'') need('\'');
    const size_t end = rest_.find(quote);
    if (end == rest_.npos || rest_.substr(0, end).find_first_of("\\\n") != rest_.npos) throw Error("a string is open");
    const std::string_view word = rest_.substr(0, end);
    rest_.remove_prefix(end + 1);
    return word;
  }

  DType type() {
    skip();
    if (!rest_.starts_with('\'') && !rest_.starts_with('"')) {
      throw Error("descr is a structure, expected <f4, <i4 or <f2");
    }
    const std::string_view name = word();
    for (const auto& [known, dtype] : kTypes) {
      if (name == known) return dtype;
    }
    throw Error("descr is {}, expected <f4, <i4 or <f2", short_name(name));
  }

  bool truth() {
    skip();
    for (const auto& [name, value] : {std::pair("True", true), std::pair("False", false)}) {
      if (!rest_.starts_with(name)) continue;
      rest_.remove_prefix(std::string_view(name).size());
      return value;
    }
    throw Error("fortran_order is neither True nor False");
  }

  Shape shape() {
    std::vector<int64_t> extents;
    need('(');
    while (!take(')')) {
      int64_t extent = 0;
      skip();
      const auto [end, error] = std::from_chars(rest_.data(), rest_.data() + rest_.size(), extent);
      if (error != std::errc()) throw Error("an extent of shape is not a whole number");
      rest_.remove_prefix(static_cast<size_t>(end - rest_.data()));
      extents.push_back(extent);
      if (take(',')) continue;
      need(')');
      break;
    }
    return Shape(std::span<const int64_t>(extents));
  }

  std::string_view rest_;
};

const char* name_in_numpy(const View& tensor, const std::filesystem::path& path) {
  for (const auto& [name, dtype] : kTypes) {
    if (tensor.type == dtype) return name;
  }
  throw Error("{}: the tensor is {}, expected f32, i32 or f16, which NumPy has", path.string(), tensor.type.str());
}

}  // namespace

void save_npy(const std::filesystem::path& path, const View& tensor) {
  const char* type = name_in_numpy(tensor, path);
  if (tensor.data == nullptr && tensor.size() != 0) throw Error("{}: the tensor has no data", path.string());
  std::string header =
      fmt::format("{{'descr': '{}', 'fortran_order': False, 'shape': ({}{}), }}", type,
                  fmt::join(tensor.shape.begin(), tensor.shape.end(), ", "), tensor.shape.rank() == 1 ? "," : "");
  header.resize((kPrefix + header.size() + kAligned) / kAligned * kAligned - kPrefix - 1, ' ');
  header += '\n';
  const std::array<uint8_t, 4> version = {1, 0, static_cast<uint8_t>(header.size() & 255),
                                          static_cast<uint8_t>(header.size() >> 8)};
  write_file(path, [&](const Append& append) {
    append(std::as_bytes(std::span(kMagic)));
    append(std::as_bytes(std::span(version)));
    append(std::as_bytes(std::span(header)));
    append({static_cast<const std::byte*>(tensor.data), bytes_of(tensor.type, tensor.shape)});
  });
}

Array load_npy(const std::filesystem::path& path) {
  const RandomAccessFile file(path);
  std::string prefix(std::min<uint64_t>(kPrefix, file.size()), '\0');
  file.read(0, std::as_writable_bytes(std::span(prefix)));
  if (prefix.size() < kPrefix || !prefix.starts_with(kMagic)) throw Error("{}: is not a .npy file", path.string());
  const auto byte = [&](size_t at) { return static_cast<unsigned>(static_cast<unsigned char>(prefix[at])); };
  if (byte(6) != 1 || byte(7) != 0) {
    throw Error("{}: version {}.{} of the format, expected 1.0", path.string(), byte(6), byte(7));
  }
  const uint64_t length = byte(8) + 256 * byte(9);
  if (length > file.size() - kPrefix) {
    throw Error("{}: a header of {} bytes in a file of {}: it is cut short", path.string(), length, file.size());
  }
  std::string text(length, '\0');
  file.read(kPrefix, std::as_writable_bytes(std::span(text)));
  HeaderReader::Header header;
  try {
    header = HeaderReader(text).read();
    if (*header.is_fortran) throw Error("fortran_order is True, expected C order (numpy.ascontiguousarray)");
  } catch (const Error& error) {
    throw Error("{}: header: {}", path.string(), error.what());
  }
  Array array{*header.dtype, *header.shape, {}};
  const uint64_t begin = kPrefix + length, found = file.size() - begin, bytes = bytes_of(array.dtype, array.shape);
  if (found != bytes) {
    throw Error("{}: {} bytes of elements, expected {} for {} {}", path.string(), found, bytes, name_of(array.dtype),
                array.shape);
  }
  array.bytes.resize(bytes);
  file.read(begin, array.bytes);
  return array;
}

}  // namespace tinyllm
