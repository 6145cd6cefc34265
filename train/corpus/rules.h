#pragma once

#include <string_view>

namespace tinyllm::corpus {

// Why something was dropped, as reports and rejects name it. Of files:
inline constexpr std::string_view kRuleFileType = "file_type";  ///< Another kind of file.
inline constexpr std::string_view kRuleReadBefore = "file_read_before";
inline constexpr std::string_view kRuleOutput = "file_output";    ///< What this program writes.
inline constexpr std::string_view kRuleOutside = "file_outside";  ///< A link that leads out of the inputs.
inline constexpr std::string_view kRuleUnreadable = "file_unreadable";
inline constexpr std::string_view kRuleBinary = "file_binary";
// Of lines of JSON:
inline constexpr std::string_view kRuleBadJson = "json_bad";
inline constexpr std::string_view kRuleNoText = "json_no_text";  ///< An object without the fields that hold text.
// Of documents:
inline constexpr std::string_view kRuleShortDocument = "document_too_short";
inline constexpr std::string_view kRulePoorDocument = "document_poor";  ///< Most of it was dropped, so the rest is too.
inline constexpr std::string_view kRuleDuplicateDocument = "document_duplicate";
inline constexpr std::string_view kRuleNearDocument = "document_near_duplicate";
// Of paragraphs:
inline constexpr std::string_view kRuleTooLong = "too_long";
inline constexpr std::string_view kRuleTooShort = "too_short";
inline constexpr std::string_view kRuleUndecodable = "undecodable";
inline constexpr std::string_view kRuleMojibake = "mojibake";
inline constexpr std::string_view kRuleSymbols = "symbols";
inline constexpr std::string_view kRuleRepetitive = "repetitive";
inline constexpr std::string_view kRuleLanguage = "language";
inline constexpr std::string_view kRuleBoilerplate = "boilerplate";
inline constexpr std::string_view kRuleWordList = "word_list";
inline constexpr std::string_view kRuleDuplicate = "duplicate";
inline constexpr std::string_view kRuleNearDuplicate = "near_duplicate";

}  // namespace tinyllm::corpus
