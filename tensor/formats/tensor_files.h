#pragma once

#include <tinyllm/tensor/op.h>
#include <tinyllm/tensor/store.h>

#include <cstddef>
#include <filesystem>
#include <map>
#include <span>
#include <string>
#include <vector>

/// Tensors as files, in one call. Files are written whole or not at all. Those that are read may come from a stranger:
/// memory is reserved only after a claim was compared with the size of the file.
namespace tinyllm {

/// A tensor with memory of its own, outside of programs and stores.
struct Array {
  DType dtype = f32;
  Shape shape;
  std::vector<std::byte> bytes;

  View view() { return {bytes.data(), shape, dtype}; }
  /// The elements. Throws Error when T is not its type.
  template <class T>
  std::span<const T> as() const {
    if (dtype != dtype_of<T>()) throw Error("array: is {}, not {}", name_of(dtype), name_of(dtype_of<T>()));
    return {reinterpret_cast<const T*>(bytes.data()), static_cast<size_t>(shape.size())};
  }
};

/// Elements as a tensor to write, such as those that `Program::read` returns. Throws Error when the shape has another
/// number of elements.
template <class T>
View view_of(std::span<const T> elements, const Shape& shape) {
  if (std::ssize(elements) != shape.size()) {
    throw Error("view: {} elements, expected {} for {}", elements.size(), shape.size(), shape);
  }
  return {const_cast<T*>(elements.data()), shape, dtype_of<T>()};
}

/// Writes tensors as a safetensors file (safetensors.h). Throws Error when it cannot be written, a name is not UTF-8,
/// or a tensor is a packed matrix, for which the format has no type.
void save_tensors(const std::filesystem::path& path, const std::map<std::string, View>& tensors);
/// The same for all entries of a store.
void save_tensors(const std::filesystem::path& path, const Store& store);

/// All tensors of a safetensors file. Throws Error that names the file and the tensor when the file is damaged, or has
/// a tensor of another type than f32, i32, f16 and bf16.
std::map<std::string, Array> load_tensors(const std::filesystem::path& path);
/// The same into a store, which gets the tensors that it lacks. Throws Error also when an entry has another type or
/// shape; then the store is not changed.
void load_tensors(const std::filesystem::path& path, Store& store);

/// Writes a tensor of f32, i32 or f16 as a .npy file: little-endian, in C order, version 1.0. Throws Error when it
/// cannot be written, or has a type that NumPy lacks: bf16, or a packed matrix. Source: NumPy's documentation,
/// "numpy.lib.format".
void save_npy(const std::filesystem::path& path, const View& tensor);
/// Reads such a file. Throws Error that names the file, what was found and what was expected, for other types (NumPy's
/// default is f8), for Fortran order and for other versions.
Array load_npy(const std::filesystem::path& path);

}  // namespace tinyllm
