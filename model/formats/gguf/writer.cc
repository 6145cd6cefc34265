#include <tinyllm/model/formats/gguf/writer.h>

#include <tinyllm/model/formats/gguf/encode.h>
#include <tinyllm/model/formats/gguf/metadata.h>
#include <tinyllm/tensor/base/checked.h>
#include <tinyllm/tensor/base/file.h>

#include <algorithm>

namespace tinyllm {
namespace {

constexpr uint64_t kAlignment = 32;   // The format's default alignment.
constexpr size_t kMaxNameBytes = 63;  // ggml stores a name in 64 bytes, with its terminating 0.
constexpr int64_t kAtOnce = 1 << 20;  // How many numbers are in memory at a time.

uint64_t aligned(uint64_t size) { return checked_add(size, kAlignment - 1) / kAlignment * kAlignment; }

template <class T>
void put(std::string& to, T value) {
  to.append(reinterpret_cast<const char*>(&value), sizeof value);
}

void put_string(std::string& to, std::string_view text) {
  put(to, uint64_t{text.size()});
  to += text;
}

void put_type(std::string& to, GgufValueType type) { put(to, static_cast<uint32_t>(type)); }

template <class T>
void put_array(std::string& to, GgufValueType type, const std::vector<T>& values) {
  put_type(to, type);
  put(to, uint64_t{values.size()});
  for (const T& value : values) {
    if constexpr (std::is_arithmetic_v<T>) {
      put(to, value);
    } else {
      put_string(to, value);
    }
  }
}

std::vector<std::byte> encode_rows(const std::string& name, GgufType type, int64_t row, std::span<const float> numbers,
                                   ThreadPool& pool) {
  try {
    return gguf::encode(type, row, numbers, pool);
  } catch (const Error& error) {
    throw Error("GGUF: tensor {}: {}", name, error.what());
  }
}

}  // namespace

GgufType gguf_type_for(GgufType wanted, const Shape& shape) {
  if (shape.rank() < 2) return GgufType::F32;
  return shape.row() % gguf_type(wanted).block == 0 ? wanted : GgufType::F16;
}

uint32_t gguf_file_type(GgufType type) {
  switch (type) {
    case GgufType::F32:
      return 0;
    case GgufType::F16:
      return 1;
    case GgufType::Q4_0:
      return 2;
    case GgufType::Q8_0:
      return 7;
    case GgufType::BF16:
      return 32;
    default:
      throw Error("files of type {} are not written, expected F32, F16, BF16, Q8_0 or Q4_0", gguf_type(type).name);
  }
}

void GgufWriter::begin_value(std::string_view key, GgufValueType type) {
  if (!keys_.emplace(key).second) throw Error("GGUF: {} is there twice", key);
  put_string(values_, key);
  put_type(values_, type);
}

void GgufWriter::add(std::string_view key, uint32_t value) {
  begin_value(key, GgufValueType::uint32);
  put(values_, value);
}

void GgufWriter::add(std::string_view key, float value) {
  begin_value(key, GgufValueType::float32);
  put(values_, value);
}

void GgufWriter::add(std::string_view key, bool value) {
  begin_value(key, GgufValueType::boolean);
  put(values_, static_cast<uint8_t>(value));
}

void GgufWriter::add(std::string_view key, std::string_view value) {
  begin_value(key, GgufValueType::string);
  put_string(values_, value);
}

void GgufWriter::add(std::string_view key, const std::vector<std::string>& values) {
  begin_value(key, GgufValueType::array);
  put_array(values_, GgufValueType::string, values);
}

void GgufWriter::add(std::string_view key, const std::vector<float>& values) {
  begin_value(key, GgufValueType::array);
  put_array(values_, GgufValueType::float32, values);
}

void GgufWriter::add(std::string_view key, const std::vector<int32_t>& values) {
  begin_value(key, GgufValueType::array);
  put_array(values_, GgufValueType::int32, values);
}

void GgufWriter::add_tensor(std::string name, GgufType type, const Shape& shape, Rows rows) {
  try {
    if (name.empty() || name.size() > kMaxNameBytes) {
      throw Error("its name has {} bytes, expected 1 to {}", name.size(), kMaxNameBytes);
    }
    if (shape.rank() < 1 || shape.rank() > 4) throw Error("is {}, expected 1 to 4 axes", shape);
    if (!gguf::can_encode(type)) throw Error("type {} is not written", gguf_type(type).name);
    bytes_of(gguf_type(type), shape);  // Throws if a row is not a whole number of blocks.
    if (!names_.insert(name).second) throw Error("is there twice");
  } catch (const Error& error) {
    throw Error("GGUF: tensor {}: {}", name, error.what());
  }
  tensors_.push_back({std::move(name), type, shape, std::move(rows)});
}

std::string GgufWriter::header() const {
  std::string text = "GGUF";
  put(text, uint32_t{3});
  put(text, uint64_t{tensors_.size()});
  put(text, uint64_t{keys_.size()});
  text += values_;
  uint64_t offset = 0;
  for (const Tensor& tensor : tensors_) {
    put_string(text, tensor.name);
    put(text, static_cast<uint32_t>(tensor.shape.rank()));
    for (int i = tensor.shape.rank(); i-- > 0;) put(text, static_cast<uint64_t>(tensor.shape[i]));
    put(text, static_cast<uint32_t>(tensor.type));
    put(text, offset);
    offset = checked_add(offset, aligned(bytes_of(gguf_type(tensor.type), tensor.shape)));
  }
  text.resize(aligned(text.size()), '\0');
  return text;
}

void GgufWriter::save(const std::filesystem::path& path, ThreadPool& pool, const OnProgress& on_progress) const {
  constexpr std::byte kPadding[kAlignment] = {};
  Progress progress;
  for (const Tensor& tensor : tensors_) progress.total += tensor.shape.size();
  write_file(path, [&](const Append& append) {
    const std::string head = header();
    append(std::as_bytes(std::span(head)));
    std::vector<float> numbers;
    for (const Tensor& tensor : tensors_) {
      const int64_t row = tensor.shape.row(), count = tensor.shape.rows();
      const int64_t some = std::max<int64_t>(1, kAtOnce / std::max<int64_t>(row, 1));
      uint64_t size = 0;
      for (int64_t first = 0; first < count; first += some) {
        numbers.resize(static_cast<size_t>(std::min(some, count - first) * row));
        tensor.rows(first, numbers);
        const std::vector<std::byte> bytes = encode_rows(tensor.name, tensor.type, row, numbers, pool);
        append(bytes);
        size += bytes.size();
        progress.done += std::ssize(numbers);
        report(on_progress, progress);
      }
      append(std::span(kPadding).first(aligned(size) - size));
    }
  });
}

}  // namespace tinyllm
