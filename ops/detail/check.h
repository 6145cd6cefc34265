#pragma once

#include <tinyllm/tensor/graph.h>

#include <cmath>
#include <limits>
#include <string_view>

// The checks that most shape rules share. Each throws Error that names the op and the tensor.
namespace tinyllm {

/// No tensor is empty, and all are of the type.
inline void check_type(std::string_view op, std::initializer_list<Tensor> tensors, Type type) {
  for (const Tensor& tensor : tensors) {
    if (!tensor) throw Error("{}: an input is empty", op);
    if (tensor.type() != type) {
      throw Error("{}: {} is {}, expected {}", op, tensor.str(), tensor.type().str(), type.str());
    }
  }
}
inline void check_f32(std::string_view op, std::initializer_list<Tensor> tensors) { check_type(op, tensors, f32); }
inline void check_i32(std::string_view op, std::initializer_list<Tensor> tensors) { check_type(op, tensors, i32); }

/// It is not empty and has elements: it is not a packed matrix.
inline void check_elements(std::string_view op, const Tensor& tensor) {
  if (!tensor) throw Error("{}: an input is empty", op);
  if (tensor.type().is_packed()) throw Error("{}: {} is {}, expected elements", op, tensor.str(), tensor.type().str());
}

/// It has elements of 4 bytes, which ops that only move elements copy without looking at them.
inline void check_words(std::string_view op, const Tensor& tensor) {
  check_elements(op, tensor);
  if (size_of(tensor.dtype()) != sizeof(uint32_t)) {
    throw Error("{}: {} is {}, expected f32 or i32", op, tensor.str(), tensor.type().str());
  }
}

/// Whether an i32 can hold the number as it is.
inline bool is_int32(double x) {
  return x == std::trunc(x) && x >= std::numeric_limits<int32_t>::min() && x <= std::numeric_limits<int32_t>::max();
}

inline void check_shape(std::string_view op, const Tensor& tensor, const Shape& expected) {
  if (tensor.shape() != expected) throw Error("{}: {}: expected {}", op, tensor.str(), expected);
}

}  // namespace tinyllm
