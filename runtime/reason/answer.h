#pragma once

#include <tinyllm/runtime/reason/rational.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tinyllm {

/// Where an answer was found in what a model said.
enum class AnswerMarker : uint8_t {
  none,      ///< There is no answer: nothing is said, the thinking never ended, or the place for the answer is empty.
  section,   ///< The first line after 【最终答案】.
  box,       ///< `\boxed{}`
  tag,       ///< `<answer></answer>`
  hashes,    ///< `####` at the beginning of a line, as in GSM8K.
  phrase,    ///< 答案：, 答：, 故选, "the answer is".
  whole,     ///< Without a marker: all of it is one short statement.
  fallback,  ///< Without a marker: its last statement with a number.
};

struct ExtractedAnswer {
  AnswerMarker marker = AnswerMarker::none;
  std::string_view text = {};  ///< A part of what was said.
};

/// Finds the answer in what a model said. What follows an answer as another question or turn does not count
/// (`Question:`, "问题：", `<|sep|>`, ...), nor does anything before the last `</think>`. Of several markers the last
/// one counts, but a phrase only where there is no 【最终答案】. Linear in the length of the text, which may be any
/// bytes.
ExtractedAnswer extract_answer(std::string_view said);

enum class AnswerKind : uint8_t {
  none,                ///< Nothing is said that could be compared.
  number,              ///< 12, 3/5, 60%, 1.2万, 五分之三, 3元5角
  ratio,               ///< 2:4:6
  set,                 ///< {2,3}, 2和3, x=2 or x=3: without order or repetition.
  tuple,               ///< (2,3)
  quotient_remainder,  ///< 5余3
  time,                ///< 8:30, 下午3时20分
  date,                ///< 2024年3月5日, 星期天
  choice,              ///< B, (B), B. 苹果, AC
  word,                ///< 无解, 不能, 大于5; also what is not worked out, as 2+2.
  symbol,              ///< 8x, 2√3
};

/// A unit of measurement; a name such as 分 may mean several. Empty: none was said.
struct AnswerUnit {
  struct Meaning {
    std::string dimension;  ///< As "length", "length^2", "length/time".
    Rational factor;        ///< How many of the dimension's first unit it is.
  };
  std::vector<Meaning> meanings = {};
};

/// An answer in a form that can be compared.
struct NormalAnswer {
  AnswerKind kind = AnswerKind::none;
  /// Of a number: itself, in the unit it was said in. Terms of a ratio, in lowest terms. Elements of a set, sorted, or
  /// of a tuple. Quotient and remainder. Of a time that may be a duration (8时30分): seconds.
  std::vector<Rational> values = {};
  AnswerUnit unit = {};
  std::string text = {};   ///< Of words, symbols, choices, times and dates: their one form. Of a tuple, its brackets.
  std::string names = {};  ///< Whom a number is about: 小明多 of 小明多22个.
  std::string said = {};   ///< All of the answer, in plain characters.

  /// The value of a number, or of a ratio of two.
  std::optional<Rational> value() const;
};

/// Reads the text of an answer. An answer is a value and not a way to compute it: 2+2 is no number, but 3/5, 10^3 and
/// 1.2×10^3 are, and of 10-3=7 the right side counts. 60 is not 60%. Bounds (大于5, 5以上), hedges (可能是5, 十几) and
/// lists are not numbers either. At most 1024 bytes are read; a longer text is a word.
NormalAnswer normal_answer(std::string_view text);

/// Extracts an answer and reads it. Of a fallback that has several numbers, the last one counts.
NormalAnswer answer_of(std::string_view said);

/// An answer for people: as it was said, in plain characters, without words that only lead to it. Of an equation the
/// right side, of a number in a long statement the number alone, and of a long text its beginning.
std::string shown(const NormalAnswer& answer);

/// Whether two answers are the same: of one kind and equal, exactly. A ratio of two is the number that it is; a unit
/// that one of them lacks is forgiven, others are converted; the names of `gold` must be in `answer`. An answer of kind
/// `none` equals nothing.
bool same_answer(const NormalAnswer& answer, const NormalAnswer& gold);

}  // namespace tinyllm
