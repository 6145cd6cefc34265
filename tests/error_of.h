#pragma once

#include <tinyllm/tensor/base/error.h>

#include <string>

namespace tinyllm::test {

/// The message of the Error that `f` throws; "no error" if it throws none.
template <class F>
std::string error_of(F&& f) {
  try {
    f();
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

}  // namespace tinyllm::test
