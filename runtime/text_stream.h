#pragma once

#include <tinyllm/model/text/tokenizer.h>

#include <string>
#include <vector>

namespace tinyllm {

/// Joins the bytes of tokens into text that is given out in whole UTF-8 characters (bytes that are part of none become
/// U+FFFD), and that ends where a stop string begins. What may be the beginning of one is held back.
class TextStream {
 public:
  /// Throws Error on a stop string that is empty or not UTF-8.
  explicit TextStream(const Tokenizer& tokenizer, std::vector<std::string> stop = {});

  /// What has become certain by this token. Nothing once a stop string was found.
  std::string add(int32_t token);
  /// What is left, at the end.
  std::string finish();
  bool stopped() const { return stopped_; }

 private:
  const Tokenizer& tokenizer_;
  std::vector<std::string> stop_;
  std::string pending_;
  bool stopped_ = false;
};

}  // namespace tinyllm
