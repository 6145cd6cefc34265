#pragma once

#include <fmt/format.h>

#include <stdexcept>
#include <utility>

namespace tinyllm {

/// The one exception type of the library. The message names the thing, what was found and what was expected:
/// `linear: x [8,256,512] and w [2048,1024]: inner sizes differ (512 vs 1024)`.
class Error : public std::runtime_error {
 public:
  template <class... Args>
  explicit Error(fmt::format_string<Args...> format, Args&&... args)
      : std::runtime_error(fmt::format(format, std::forward<Args>(args)...)) {}
};

}  // namespace tinyllm
