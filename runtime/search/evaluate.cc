#include <tinyllm/runtime/search/evaluate.h>

#include <tinyllm/tensor/base/clock.h>
#include <tinyllm/tensor/base/error.h>
#include <tinyllm/tensor/base/file.h>
#include <tinyllm/tensor/base/json.h>

#include <algorithm>
#include <map>

namespace tinyllm::search {
namespace {

constexpr DocumentId kSeveral = -1;  // Documents of one name.
constexpr double kFalse = 0.05;      // Of the questions without an answer, how many may be answered.

std::map<std::string, DocumentId> documents_of(IndexFile& index) {
  std::map<std::string, DocumentId> documents;
  Statement all =
      index.database().prepare("SELECT d.id, d.name, f.path FROM documents d JOIN files f ON f.content = d.content");
  while (all.step()) {
    const std::string_view name = all.bytes(1);
    const auto [known, is_new] = documents.emplace(name.empty() ? all.bytes(2) : name, all.number(0));
    if (!is_new && known->second != all.number(0)) known->second = kSeveral;
  }
  return documents;
}

bool holds_one(std::string_view text, const std::vector<std::string>& answers) {
  return std::any_of(answers.begin(), answers.end(),
                     [&](const std::string& answer) { return text.find(answer) != text.npos; });
}

// What the texts are needed for is done.
void forget_texts(Analysis& analysis) {
  for (Candidate& candidate : analysis.candidates) {
    candidate.text = {};
    candidate.sentences = {};
  }
}

void mark(Trial& trial, const KnownQuestion& question) {
  for (const Candidate& candidate : trial.found.candidates) {
    const bool is_there = candidate.record.document == trial.document;
    trial.chunk_right.push_back(is_there && (question.answers.empty() || holds_one(candidate.text, question.answers)));
    std::vector<bool>& right = trial.sentence_right.emplace_back();
    for (const Span& span : candidate.sentences) {
      right.push_back(is_there &&
                      holds_one(std::string_view(candidate.text).substr(span.begin, span.size()), question.answers));
    }
  }
}

// The rank from 0 of the first right one; SIZE_MAX if there is none.
template <class IsRight>
size_t rank_of(size_t count, IsRight is_right) {
  for (size_t i = 0; i < count; ++i) {
    if (is_right(i)) return i;
  }
  return SIZE_MAX;
}

void count(Rate& rate, bool is_right) {
  ++rate.total;
  rate.right += is_right;
}

// The least threshold at which no more than the allowed fraction is answered falsely.
double threshold_of(std::vector<double> without) {
  if (without.empty()) return 0.5;
  std::sort(without.begin(), without.end(), std::greater<>());
  const auto allowed = static_cast<size_t>(kFalse * static_cast<double>(without.size()));
  return std::nextafter(without[std::min(allowed, without.size() - 1)], 2);
}

// The area under the curve, by ranks: ties count half.
double area(const std::vector<double>& with, std::vector<double> without) {
  if (with.empty() || without.empty()) return 0.5;
  std::sort(without.begin(), without.end());
  double sum = 0;
  for (const double p : with) {
    const auto [low, high] = std::equal_range(without.begin(), without.end(), p);
    sum += static_cast<double>((low - without.begin()) + (high - without.begin())) / 2;
  }
  return sum / (static_cast<double>(with.size()) * static_cast<double>(without.size()));
}

}  // namespace

std::vector<KnownQuestion> read_questions(const std::filesystem::path& path) {
  const std::string lines = read_file(path, uint64_t{256} << 20);
  std::vector<KnownQuestion> questions;
  int64_t number = 0;
  for (size_t begin = 0; begin < lines.size();) {
    const size_t end = std::min(lines.find('\n', begin), lines.size());
    const std::string_view line = std::string_view(lines).substr(begin, end - begin);
    begin = end + 1;
    ++number;
    if (is_blank(line)) continue;
    const std::string what = fmt::format("{}: line {}", path.string(), number);
    const Json object = parse_json_object(line, what);
    try {
      KnownQuestion question{text_or_none(object, "id"), text(object, "question"), {}, text(object, "doc_id")};
      if (find_field(object, "answers") != nullptr) read_field(object, "answers", question.answers);
      std::erase_if(question.answers, [](const std::string& answer) { return is_blank(answer); });
      questions.push_back(std::move(question));
    } catch (const Error& error) {
      throw Error("{}: {}", what, error.what());
    }
  }
  if (questions.empty()) throw Error("{}: has no questions", path.string());
  return questions;
}

std::vector<Trial> try_questions(IndexFile& index, const std::vector<KnownQuestion>& questions,
                                 const OnProgress& on_progress) {
  const Transaction transaction(index.database(), false);
  index.refresh();
  const std::map<std::string, DocumentId> documents = documents_of(index);
  std::vector<Trial> trials;
  for (const KnownQuestion& question : questions) {
    const auto document = documents.find(question.document);
    if (document == documents.end()) {
      throw Error("{}: has no document {}, of which a question asks: {}", index.database().path().string(),
                  short_name(question.document), shortened(question.question));
    }
    if (document->second == kSeveral) {
      throw Error("{}: has several documents {}, of which a question asks: {}", index.database().path().string(),
                  short_name(question.document), shortened(question.question));
    }
    Trial& trial = trials.emplace_back();
    trial.id = question.id;
    trial.document = document->second;
    const Clock::time_point start = Clock::now();
    trial.found = analyse(index, question.question);
    rank(trial.found, default_ranking());
    trial.seconds = seconds_since(start);
    mark(trial, question);
    forget_texts(trial.found);
    trial.without = analyse(index, question.question, document->second);
    forget_texts(trial.without);
    report(on_progress, {std::ssize(trials), std::ssize(questions)});
  }
  return trials;
}

Ranking learn_ranking(const std::vector<const Trial*>& trials) {
  Ranking ranking;
  std::vector<Choice> choices;
  for (const Trial* trial : trials) {
    Choice& choice = choices.emplace_back();
    for (const Candidate& candidate : trial->found.candidates) choice.options.push_back(candidate.features);
    choice.is_right = trial->chunk_right;
  }
  ranking.chunks = learn_choices(choices);
  choices.clear();
  for (const Trial* trial : trials) {
    Choice& choice = choices.emplace_back();
    for (const RankedSentence& sentence : rank(trial->found, ranking).sentences) {
      choice.options.push_back(sentence.features);
      choice.is_right.push_back(trial->sentence_right[sentence.candidate][sentence.sentence]);
    }
  }
  ranking.sentences = learn_choices(choices);
  std::vector<Features> features;
  std::vector<bool> has_answer;
  for (const Trial* trial : trials) {
    for (const Analysis* analysis : {&trial->found, &trial->without}) {
      features.push_back(rank(*analysis, ranking).answer);
      has_answer.push_back(analysis == &trial->found);
    }
  }
  ranking.answer = learn_logistic(features, has_answer);
  std::vector<double> without;
  for (size_t i = 0; i < features.size(); ++i) {
    if (!has_answer[i]) without.push_back(ranking.answer.probability(features[i]));
  }
  ranking.threshold = threshold_of(without);
  return ranking;
}

Evaluation evaluate(const std::vector<Judged>& trials) {
  Evaluation e;
  std::vector<double> with, without;
  for (const Judged& judged : trials) {
    const Trial& trial = *judged.trial;
    const Ranking& ranking = *judged.ranking;
    const Ranked ranked = rank(trial.found, ranking);
    std::vector<DocumentId> documents;
    for (const RankedChunk& chunk : ranked.chunks) {
      const DocumentId document = trial.found.candidates[chunk.candidate].record.document;
      if (std::find(documents.begin(), documents.end(), document) == documents.end()) documents.push_back(document);
    }
    const size_t document = rank_of(documents.size(), [&](size_t i) { return documents[i] == trial.document; });
    count(e.document_first, document < 1);
    count(e.document_five, document < 5);
    const size_t chunk =
        rank_of(ranked.chunks.size(), [&](size_t i) { return trial.chunk_right[ranked.chunks[i].candidate]; });
    count(e.chunk_first, chunk < 1);
    count(e.chunk_five, chunk < 5);
    count(e.chunk_ten, chunk < 10);
    e.mrr += chunk < 10 ? 1 / static_cast<double>(chunk + 1) : 0;
    const size_t sentence = rank_of(ranked.sentences.size(), [&](size_t i) {
      return trial.sentence_right[ranked.sentences[i].candidate][ranked.sentences[i].sentence];
    });
    count(e.sentence_first, sentence < 1);
    count(e.sentence_three, sentence < 3);
    with.push_back(ranked.probability);
    without.push_back(rank(trial.without, ranking).probability);
    count(e.answered, with.back() >= ranking.threshold);
    count(e.falsely, without.back() >= ranking.threshold);
  }
  e.mrr /= static_cast<double>(std::max<size_t>(trials.size(), 1));
  std::vector<double> seconds;
  for (const Judged& judged : trials) seconds.push_back(judged.trial->seconds);
  std::sort(seconds.begin(), seconds.end());
  if (!seconds.empty()) {
    e.median_seconds = seconds[seconds.size() / 2];
    e.slow_seconds = seconds[seconds.size() * 95 / 100];
  }
  e.auc = area(with, without);
  const double threshold = threshold_of(without);
  for (const double p : with) count(e.kept, p >= threshold);
  return e;
}

std::vector<Judged> cross_validated(const std::vector<Trial>& trials, int folds, std::vector<Ranking>& learned) {
  learned.resize(static_cast<size_t>(folds));
  // Documents are dealt out in order, so that each part has its share of them.
  std::map<int64_t, size_t> fold_of_document;
  for (const Trial& trial : trials) fold_of_document.emplace(trial.document, 0);
  if (std::ssize(fold_of_document) < folds) {
    throw Error("the questions are about {} documents, expected at least {}, the parts of --folds",
                fold_of_document.size(), folds);
  }
  size_t next = 0;
  for (auto& [document, fold] : fold_of_document) fold = next++ % learned.size();
  const auto fold_of = [&](const Trial& trial) { return fold_of_document.at(trial.document); };
  for (size_t fold = 0; fold < learned.size(); ++fold) {
    std::vector<const Trial*> others;
    for (const Trial& trial : trials) {
      if (fold_of(trial) != fold) others.push_back(&trial);
    }
    learned[fold] = learn_ranking(others);
  }
  std::vector<Judged> judged;
  for (const Trial& trial : trials) judged.push_back({&trial, &learned[fold_of(trial)]});
  return judged;
}

Ranking plain_ranking() {
  Ranking ranking;
  ranking.chunks[0] = 1;          // bm25
  ranking.sentences[0] = 1;       // coverage
  ranking.answer.weights[2] = 1;  // coverage
  return ranking;
}

}  // namespace tinyllm::search
