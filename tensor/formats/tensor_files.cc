#include <tinyllm/tensor/formats/tensor_files.h>

#include <tinyllm/tensor/base/json.h>
#include <tinyllm/tensor/formats/safetensors.h>

namespace tinyllm {
namespace {

NamedTensor named(const std::filesystem::path& path, const std::string& name, const View& view) {
  if (view.type.is_packed()) {
    throw Error("{}: {} is {}, expected elements: the format has no packed types", path.string(), name,
                view.type.str());
  }
  if (view.data == nullptr && view.size() != 0) throw Error("{}: {} has no data", path.string(), name);
  return {name, view.type.dtype(), view.shape, view.data};
}

DType type_of(const Safetensors& file, const Safetensors::Entry& entry) {
  const std::optional<DType> type = entry.element_type();
  if (!type) {
    throw Error("{}: {} is {}, expected F32, I32, F16 or BF16", file.path().string(), short_name(entry.name),
                entry.dtype);
  }
  return *type;
}

}  // namespace

void save_tensors(const std::filesystem::path& path, const std::map<std::string, View>& tensors) {
  std::vector<NamedTensor> all;
  for (const auto& [name, view] : tensors) all.push_back(named(path, name, view));
  save_safetensors(path, all);
}

void save_tensors(const std::filesystem::path& path, const Store& store) {
  std::vector<NamedTensor> all;
  for (const Store::Entry& entry : store.entries()) {
    all.push_back(named(path, entry.name, {entry.data, entry.shape, entry.type}));
  }
  save_safetensors(path, all);
}

std::map<std::string, Array> load_tensors(const std::filesystem::path& path) {
  const Safetensors file(path);
  std::map<std::string, Array> tensors;
  for (const Safetensors::Entry& entry : file.entries()) {
    Array array{type_of(file, entry), entry.shape, std::vector<std::byte>(entry.size)};
    file.read(entry, array.bytes);
    tensors.emplace(entry.name, std::move(array));
  }
  return tensors;
}

void load_tensors(const std::filesystem::path& path, Store& store) {
  const Safetensors file(path);
  std::vector<Store::Wanted> wanted;
  for (const Safetensors::Entry& entry : file.entries()) {
    wanted.push_back({entry.name, type_of(file, entry), entry.shape});
  }
  store.add(wanted);
  for (const Safetensors::Entry& entry : file.entries()) {
    file.read(entry, {store.at(entry.name).data, static_cast<size_t>(entry.size)});
  }
}

}  // namespace tinyllm
