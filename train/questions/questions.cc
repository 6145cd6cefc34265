#include <tinyllm/train/questions/questions.h>

#include <tinyllm/runtime/documents/characters.h>
#include <tinyllm/runtime/search/grams.h>
#include <tinyllm/runtime/search/ranking.h>
#include <tinyllm/train/corpus/near_duplicates.h>
#include <tinyllm/train/questions/draft.h>
#include <tinyllm/train/questions/filters.h>
#include <tinyllm/train/questions/words.h>

#include <xxhash.h>

#include <algorithm>
#include <cmath>
#include <map>

namespace tinyllm::questions {
namespace {

using namespace search;

constexpr size_t kFirst = 3;  // Chunks of the search, among which the question's own must be.

template <class Name>
size_t place(Name name) {
  return static_cast<size_t>(name);
}

// The longest run of letters that both have.
size_t common_run(std::u32string_view a, std::u32string_view b) {
  std::vector<size_t> ends(b.size() + 1);  // Of the runs that end before each letter of b.
  size_t longest = 0;
  for (const char32_t c : a) {
    for (size_t j = b.size(); j-- > 0;) {
      ends[j + 1] = c == b[j] ? ends[j] + 1 : 0;
      longest = std::max(longest, ends[j + 1]);
    }
  }
  return longest;
}

bool is_chinese(std::string_view text) {
  for (size_t at = 0; at < text.size();) {
    if (documents::is_han(next_character(text, at))) return true;
  }
  return false;
}

// With the title of the document that it asks about, unless it has half of that and two letters, notes in brackets
// aside.
std::string with_title(const std::string& question, const std::string& title) {
  const std::u32string name = folded(without_brackets(title));
  const size_t enough = std::min(name.size(), std::max<size_t>(2, (name.size() + 1) / 2));
  if (common_run(name, folded(question)) >= enough) return question;
  return is_chinese(question) ? fmt::format("关于“{}”，{}", title, question)
                              : fmt::format("About \"{}\": {}", title, question);
}

struct KnownDocument {
  Source source;
  Split split = Split::train;
  std::string hash;
};

class Maker {
 public:
  Maker(const std::filesystem::path& path, const QuestionOptions& options)
      : index_(path, Database::Mode::read), options_(options) {}

  QuestionSet run(const OnProgress& on_progress) {
    const Transaction transaction(index_.database(), false);
    index_.refresh();
    ranking_ = ranking_of(index_);
    for (ChunkId id = 1; id < index_.chunks_end(); ++id) {
      if (index_.length_of(id) == 0) continue;
      read_chunk(id);
      report(on_progress, {set_.report.chunks, index_.chunks(), std::ssize(set_.rows)});
    }
    set_.report.documents = std::ssize(documents_);
    return std::move(set_);
  }

 private:
  const KnownDocument& document(DocumentId id) {
    const auto [found, is_new] = documents_.try_emplace(id);
    KnownDocument& known = found->second;
    if (!is_new) return known;
    known.source = index_.source(id);
    const std::string key = known.source.path + '\n' + known.source.name;
    const uint64_t part = XXH3_64bits(key.data(), key.size()) % 10;
    known.split = part == 0 ? Split::test : part == 1 ? Split::dev : Split::train;
    const std::string text = index_.text(id, 0, known.source.length);
    known.hash = fmt::format("{:016x}", XXH3_64bits(text.data(), text.size()));
    return known;
  }

  // The sentences of a chunk, and the heading above it if it is a question.
  void read_chunk(ChunkId id) {
    const ChunkRecord chunk = index_.chunk(id);
    document(chunk.document);  // Is counted, even if nothing is made of it.
    ++set_.report.chunks;
    const std::string text = index_.text(chunk.document, chunk.offset, chunk.length);
    std::vector<Span> sentences = sentences_of(text);
    set_.report.sentences += std::ssize(sentences);
    const bool is_below_heading = chunk.document != last_.document || chunk.headings != last_.headings;
    if (goes_on(chunk) && !sentences.empty()) sentences.erase(sentences.begin());
    for (size_t i = 0; i < sentences.size(); ++i) {
      const std::string_view sentence = std::string_view(text).substr(sentences[i].begin, sentences[i].size());
      std::vector<Draft> drafts = drafts_of(sentence);
      if (i == 0 && is_below_heading) add_heading(chunk.headings, sentence, drafts);
      for (Draft& draft : drafts) {
        draft.answer = {sentences[i].begin + draft.answer.begin, sentences[i].begin + draft.answer.end};
        take(draft, id, chunk, text);
      }
    }
    last_ = chunk;
    last_text_ = text;
  }

  // Whether a chunk begins within a sentence, which was too long for one.
  bool goes_on(const ChunkRecord& chunk) {
    const int64_t end = last_.offset + last_.length;
    if (chunk.document != last_.document || chunk.offset < end || ends_as_sentence(last_text_)) return false;
    return index_.text(chunk.document, end, chunk.offset - end).find('\n') == std::string::npos;
  }

  static void add_heading(std::string_view headings, std::string_view sentence, std::vector<Draft>& drafts) {
    constexpr std::string_view kBetween = " › ";
    const size_t at = headings.rfind(kBetween);
    if (at != headings.npos) headings.remove_prefix(at + kBetween.size());
    if (!headings.ends_with("？") && !headings.ends_with('?')) return;
    if (ends_as_sentence(sentence)) drafts.push_back({Rule::heading, "", std::string(headings), {0, sentence.size()}});
  }

  void take(const Draft& draft, ChunkId id, const ChunkRecord& chunk, const std::string& text) {
    ++set_.report.made[place(draft.rule)];
    const KnownDocument& known = document(chunk.document);
    Row row;
    row.rule = draft.rule;
    row.split = known.split;
    row.question = with_title(draft.question, known.source.title);
    row.answer = text.substr(draft.answer.begin, draft.answer.size());
    row.passage = text;
    if (const std::optional<Dropped> why = problem(row, id)) {
      ++set_.report.dropped[place(*why)];
      return;
    }
    const auto size = static_cast<int64_t>(row.answer.size());
    row.source = span_of(chunk, chunk.offset + static_cast<int64_t>(draft.answer.begin), size);
    int64_t& rows = set_.report.rows[place(row.split)];
    int64_t& unanswerable = set_.report.unanswerable[place(row.split)];
    ++rows;
    if (unanswerable < std::llround(options_.unanswerable * static_cast<double>(rows))) {
      unanswerable += take_answer_away(row, draft.subject, chunk.document);
    }
    ++set_.report.kept[place(row.rule)];
    set_.rows.push_back(std::move(row));
  }

  std::optional<Dropped> problem(const Row& row, ChunkId id) {
    if (const std::optional<Dropped> why = problem_with(row.question, row.answer)) return why;
    const Analysis found = analyse(index_, row.question);
    const Ranked ranked = rank(found, ranking_);
    const auto end = ranked.chunks.begin() + std::min(std::ssize(ranked.chunks), std::ptrdiff_t{kFirst});
    const auto is_own = [&](const RankedChunk& chunk) { return found.candidates[chunk.candidate].id == id; };
    if (std::none_of(ranked.chunks.begin(), end, is_own)) return Dropped::not_found;
    if (asked_.find_or_add(corpus::minhash(row.question))) return Dropped::alike;
    return {};
  }

  SourceSpan span_of(const ChunkRecord& chunk, int64_t start, int64_t size) {
    const KnownDocument& known = document(chunk.document);
    return {known.source.path,
            known.source.name,
            known.source.title,
            chunk.headings,
            index_.page_at(chunk.document, start),
            start,
            start + size,
            known.hash};
  }

  // Replaces the passage by the nearest one of the other documents of this part. False if that may answer, too.
  bool take_answer_away(Row& row, const std::string& subject, DocumentId own) {
    const Analysis found = analyse(index_, row.question, own);
    const Ranked ranked = rank(found, ranking_);
    if (ranked.probability >= ranking_.threshold) return false;
    for (const RankedChunk& each : ranked.chunks) {
      const Candidate& other = found.candidates[each.candidate];
      if (document(other.record.document).split != row.split) continue;
      const bool defines = row.rule == Rule::definition && other.text.find(subject) != std::string::npos;
      if (defines || other.text.find(row.answer) != std::string::npos) continue;
      row.is_answered = false;
      row.answer = is_chinese(row.question) ? "资料中没有找到。" : "The documents do not say.";
      row.passage = other.text;
      row.source = span_of(other.record, other.record.offset, other.record.length);
      return true;
    }
    return false;
  }

  IndexFile index_;
  QuestionOptions options_;
  Ranking ranking_;
  std::map<DocumentId, KnownDocument> documents_;
  ChunkRecord last_;
  std::string last_text_;
  corpus::NearDuplicates asked_;
  QuestionSet set_;
};

}  // namespace

QuestionSet make_questions(const std::filesystem::path& index, const QuestionOptions& options,
                           const OnProgress& on_progress) {
  return Maker(index, options).run(on_progress);
}

}  // namespace tinyllm::questions
