#include <tinyllm/train/corpus/corpus_writer.h>

#include <tinyllm/runtime/documents/characters.h>
#include <tinyllm/train/corpus/code_lines.h>
#include <tinyllm/train/corpus/rules.h>
#include <tinyllm/train/data/documents.h>

#include <nlohmann/json.hpp>

#include <utility>

namespace tinyllm::corpus {

using namespace documents;
namespace {

constexpr size_t kBuffer = size_t{1} << 20;

std::string_view text_of(const CleanPiece& piece, const CleanParagraph& paragraph) {
  return std::string_view(piece.text).substr(paragraph.begin, paragraph.size);
}

}  // namespace

CorpusWriter::CorpusWriter(const std::vector<InputFile>& files, const CleanOptions& clean,
                           const DuplicateOptions& duplicates, Append corpus, Append rejects, Report& report)
    : files_(files),
      clean_(clean),
      duplicates_(duplicates),
      corpus_(std::move(corpus)),
      rejects_(std::move(rejects)),
      report_(report),
      counts_(files.size()),
      near_(duplicates.near) {}

void CorpusWriter::take(const CleanPiece& piece) {
  Report::File& file = counts_[piece.file];
  file.read += {0, piece.documents_read, piece.paragraphs_read, piece.bytes_read};
  file.format = format_name(piece.format);
  file.encoding = encoding_name(piece.encoding);
  count_changes(piece);
  for (const Dropped& dropped : piece.dropped) drop(dropped.rule, piece.file, dropped.line, dropped.text);
  for (const CleanDocument& document : piece.documents) take(piece, document);
  if (!piece.problem.empty()) skip(files_[piece.file].name, 0, piece.problem, piece.why);
}

void CorpusWriter::take(const CleanPiece& piece, const CleanDocument& document) {
  if (document.opens) wrote_document_ = false;
  if (document.paragraphs.empty() || seen_before(piece, document)) return;
  // Each with the rule that drops it, if one does.
  std::vector<std::pair<const CleanParagraph*, std::string_view>> paragraphs;
  int64_t kept = 0;
  for (size_t i = 0; i < document.paragraphs.size(); ++i) {
    const CleanParagraph& paragraph = document.paragraphs[i];
    const std::string_view text = text_of(piece, paragraph);
    const int64_t characters = count_of_characters(text.substr(indentation(text).size()));
    std::string_view rule;
    if (duplicates_.exact && characters >= duplicates_.min_characters && !paragraphs_.insert(paragraph.hash)) {
      rule = kRuleDuplicate;
    } else if (clean_.near == NearUnit::paragraphs && document.minhashes[i] &&
               near_.find_or_add(*document.minhashes[i])) {
      rule = kRuleNearDuplicate;
    }
    if (rule.empty()) kept += characters;
    paragraphs.emplace_back(&paragraph, rule);
  }
  const bool is_whole = document.opens && document.closes;
  const std::string_view rest = is_whole && kept < clean_.min_document ? kRuleShortDocument : "";
  Report::Amount& counts = counts_[piece.file].kept;
  for (auto& [paragraph, rule] : paragraphs) {
    if (rule.empty()) rule = rest;
    const std::string_view text = text_of(piece, *paragraph);
    if (!rule.empty()) {
      drop(rule, piece.file, paragraph->line, text);
      continue;
    }
    if (!std::exchange(wrote_document_, true)) {
      ++counts.documents;
      if (kept_bytes_ > 0) text_ += {kDocumentBreak, '\n'};
    }
    text_.append(text).push_back('\n');
    ++counts.paragraphs;
    counts.bytes += std::ssize(text) + 1;
    kept_bytes_ += std::ssize(text) + 1;
  }
  flush(text_, corpus_, kBuffer);
}

// Drops the document when it equals or resembles an earlier one.
bool CorpusWriter::seen_before(const CleanPiece& piece, const CleanDocument& document) {
  std::string_view rule;
  if (duplicates_.exact && !documents_.insert(document.hash)) {
    rule = kRuleDuplicateDocument;
  } else if (clean_.near == NearUnit::documents && near_.find_or_add(*document.minhashes[0])) {
    rule = kRuleNearDocument;
  }
  if (rule.empty()) return false;
  const CleanParagraph& first = document.paragraphs.front();
  const CleanParagraph& last = document.paragraphs.back();
  drop(rule, piece.file, first.line,
       std::string_view(piece.text).substr(first.begin, last.begin + last.size - first.begin));
  return true;
}

void CorpusWriter::drop(std::string_view rule, size_t file, int64_t line, std::string_view text) {
  report_.drop(rule, text, fmt::format("{}:{}", files_[file].name, line));
  reject(rule, files_[file].name, line, text);
}

void CorpusWriter::skip(std::string_view file, int64_t bytes, std::string_view rule, std::string_view why) {
  report_.drop(rule, why, file, bytes);
  reject(rule, file, 0, why);
  if (rule == kRuleUnreadable || rule == kRuleBinary || rule == kRuleOutside) {
    report_.unread.push_back({std::string(file), std::string(why)});
  }
}

void CorpusWriter::reject(std::string_view rule, std::string_view file, int64_t line, std::string_view text) {
  if (!rejects_) return;
  const nlohmann::ordered_json record{{"rule", rule}, {"file", file}, {"line", line}, {"text", text}};
  lines_ += record.dump();
  lines_ += '\n';
  flush(lines_, rejects_, kBuffer);
}

void CorpusWriter::flush(std::string& buffer, const Append& append, size_t least) {
  if (buffer.size() < least || buffer.empty()) return;
  append(std::as_bytes(std::span(buffer)));
  buffer.clear();
}

void CorpusWriter::count_changes(const CleanPiece& piece) {
  const auto add = [&](const char* kind, int64_t count) {
    if (count > 0) report_.changed[kind] += count;
  };
  add("bytes of markup and fields", piece.markup);
  add("control characters", piece.normalised.controls);
  add("invisible characters", piece.normalised.invisible);
  add("private-use characters", piece.normalised.private_use);
  add("undecodable characters", piece.normalised.undecodable);
  add("width folded", piece.normalised.folded);
  add("entities decoded", piece.normalised.entities);
  add("repetitions", piece.normalised.repeated);
  add("e-mail addresses masked", piece.masked.emails);
  add("phone numbers masked", piece.masked.phones);
  add("identity numbers masked", piece.masked.ids);
}

void CorpusWriter::finish() {
  flush(text_, corpus_, 0);
  flush(lines_, rejects_, 0);
  for (size_t i = 0; i < files_.size(); ++i) {
    counts_[i].name = files_[i].name;
    report_.add(std::move(counts_[i]));
  }
}

}  // namespace tinyllm::corpus
