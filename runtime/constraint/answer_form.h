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
    /// The last part follows it, in place of a choice. For a form whose last part has no beginning: then an answer that
    /// begins like none of these parts is within the last one from its first byte, even if that is a line feed.
    bool is_thought = false;
  };
  struct Choice {
    std::string begin = {};       ///< Empty only if there is one choice. None begins as another one.
    std::string schema = {};      ///< JSON schema.
    std::string what = "schema";  ///< Names the schema in errors.
    /// If not, keywords that are not supported are left out, and a schema inside it that cannot be read means any
    /// value.
    bool is_strict = true;
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
