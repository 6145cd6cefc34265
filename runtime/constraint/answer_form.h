#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace tinyllm {

/// The form of an answer: free text or none, then one of several beginnings, each with a JSON value of its own schema,
/// then an end; perhaps several of these.
struct AnswerForm {
  /// Text that is not restricted, such as a chain of thought.
  struct FreePart {
    std::string begin = {};   ///< As "<think>". Empty: the answer begins within the part.
    std::string until = {};   ///< The last text of the part, as "</think>"; not empty.
    uint16_t line_feeds = 0;  ///< How many may follow it.
  };
  struct Choice {
    std::string begin = {};       ///< Empty only if there is one choice. None begins as another one.
    std::string schema = {};      ///< JSON schema.
    std::string what = "schema";  ///< Names the schema in errors.
  };
  /// The answer begins with one of these; with none of them only if all have a beginning.
  std::vector<FreePart> free = {};
  bool may_end_in_free = false;
  std::vector<Choice> choices = {};
  std::string end = {};
  /// Between an end and another choice, all of which have a beginning then; empty: there is one choice.
  std::string again = {};
};

}  // namespace tinyllm
