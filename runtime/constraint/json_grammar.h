// What a constrained answer may be, as a graph of nodes. For the files of this folder alone.
#pragma once

#include <tinyllm/runtime/constraint/answer_form.h>

#include <array>
#include <cstdint>
#include <limits>
#include <memory>
#include <string>
#include <vector>

namespace tinyllm {

/// Deepest nesting of lists and objects in an answer.
inline constexpr int kMaxAnswerDepth = 32;

/// Immutable once compiled; any number of threads may read it.
struct JsonGrammar {
  /// Larger than the size of any text that can be written.
  static constexpr int64_t kNever = int64_t{1} << 30;
  static constexpr int64_t kUnlimited = std::numeric_limits<int64_t>::max();
  static constexpr uint32_t kNone = std::numeric_limits<uint32_t>::max();

  enum class Kind : uint8_t {
    document,  ///< The whole answer; always node 0.
    words,     ///< One of some texts: values of an enumeration.
    string,    ///< Of `least` to `most` characters.
    number,    ///< Any number.
    decimal,   ///< From `least` to `most` units, each 10^-decimals.
    array,     ///< Of `least` to `most` items: `values` are those of the first ones, `rest` of the others.
    object     ///< `words` are its keys with their quotes, `values` what they have; or `rest` for any key.
  };

  struct Node {
    Kind kind;
    std::vector<std::string> words = {};
    std::vector<uint32_t> values = {};
    std::vector<bool> required = {};
    uint32_t rest = kNone;
    int64_t least = 0;
    int64_t most = kUnlimited;
    int decimals = 0;
  };

  /// A value is one of several nodes. None: there is no such value.
  std::vector<std::vector<uint32_t>> values;
  std::vector<Node> nodes;
  /// Bytes of the shortest text of each node, where lists and objects may nest so deep; kNever: there is none.
  std::vector<std::array<int32_t, kMaxAnswerDepth + 1>> shortest;

  AnswerForm form;  ///< Without the schemas.
  /// Of each free part: where a search for its last text goes on, as in Knuth, Morris and Pratt's.
  std::vector<std::vector<uint32_t>> failure;
  uint32_t key_string = 0;  ///< The node of any key.

  int64_t shortest_value(uint32_t value, int depth_left) const;
  /// Bytes of memory, about.
  size_t bytes() const;
};

}  // namespace tinyllm
