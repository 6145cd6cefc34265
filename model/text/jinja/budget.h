#pragma once

#include <tinyllm/model/text/jinja/text.h>
#include <tinyllm/tensor/base/error.h>

namespace tinyllm::jinja {

/// The steps that a template may still take. Templates come from strangers, so everything that costs time or memory
/// takes steps.
class Budget {
 public:
  explicit Budget(size_t steps) : steps_(steps), left_(steps) {}

  void step(size_t steps = 1) {
    if (steps > left_) {
      left_ = 0;
      throw Error("takes more than {} steps", steps_);
    }
    left_ -= steps;
  }
  bool is_spent() const { return left_ == 0; }
  /// For reading or comparing this many bytes.
  void read(size_t bytes) { step(1 + bytes / 16); }
  /// For a new text.
  void made(const Text& text) { step(4 + text.size() / 16 + text.runs().size()); }

 private:
  size_t steps_;
  size_t left_;
};

/// Counts one level of nesting while it exists.
class Nesting {
 public:
  Nesting(int& depth, int most) : depth_(depth) {
    if (depth == most) throw Error("nests deeper than {} levels", most);
    ++depth_;
  }
  ~Nesting() { --depth_; }
  Nesting(const Nesting&) = delete;
  Nesting& operator=(const Nesting&) = delete;

 private:
  int& depth_;
};

}  // namespace tinyllm::jinja
