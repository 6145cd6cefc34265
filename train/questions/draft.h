#pragma once

#include <tinyllm/runtime/search/sentences.h>
#include <tinyllm/train/questions/questions.h>

#include <string>
#include <string_view>
#include <vector>

namespace tinyllm::questions {

/// A question that a sentence answers, by the form of the sentence alone.
struct Draft {
  Rule rule = Rule::definition;
  std::string subject;  ///< What is asked about; empty if it is not known.
  std::string question;
  search::Span answer;  ///< In bytes of the sentence.
};

/// The questions that a sentence of one line makes, in UTF-8: each rule at most one. Only what stands before the first
/// comma is read, except in lists, since subjects are missing after it.
std::vector<Draft> drafts_of(std::string_view sentence);

/// The parts of `drafts_of`.
void add_chinese_drafts(std::string_view sentence, std::vector<Draft>& drafts);
void add_english_drafts(std::string_view sentence, std::vector<Draft>& drafts);

/// Whether a text ends as a sentence does, perhaps with closing quotes.
bool ends_as_sentence(std::string_view text);
/// A sentence without the marks at its end.
std::string_view without_end(std::string_view sentence);

}  // namespace tinyllm::questions
