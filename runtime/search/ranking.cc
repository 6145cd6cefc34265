#include <tinyllm/runtime/search/ranking.h>

#include <tinyllm/tensor/base/error.h>
#include <tinyllm/tensor/base/json.h>

#include <algorithm>

namespace tinyllm::search {
namespace {

constexpr size_t kRead = 3;  // Chunks whose sentences are ranked.
constexpr std::string_view kSetting = "ranking";

template <class Names>
Json json_of(const Weights& weights, const Names& names) {
  Json object = Json::object();
  for (size_t k = 0; k < kFeatures; ++k) object[names[k]] = weights[k];
  return object;
}

template <class Names>
Weights weights_of(const Json& object, const Names& names) {
  Weights weights;
  for (size_t k = 0; k < kFeatures; ++k) {
    float value = 0;
    read_field(object, names[k], value);
    weights[k] = double{value};
  }
  return weights;
}

double number_of(const Json& object, const char* field) {
  float value = 0;
  read_field(object, field, value);
  return double{value};
}

Features answer_features(const Analysis& analysis, const Ranked& ranked) {
  const Candidate& best = analysis.candidates[ranked.chunks[0].candidate];
  // The margin to the next document: chunks of the same one say the same.
  double margin = 1;
  for (const RankedChunk& other : ranked.chunks) {
    const Candidate& candidate = analysis.candidates[other.candidate];
    if (candidate.record.document == best.record.document) continue;
    margin = std::max(0.0, 1 - double{candidate.features[0]} / std::max(1e-9, double{best.features[0]}));
    break;
  }
  const Features& f = best.features;
  const float sentence = ranked.sentences.empty() ? 0 : ranked.sentences[0].features[0];
  return {f[0], static_cast<float>(margin), f[3], f[4], f[5], f[6], f[8], f[9], best.rarest_missing, sentence};
}

}  // namespace

Ranked rank(const Analysis& analysis, const Ranking& ranking) {
  Ranked ranked;
  const std::vector<Candidate>& candidates = analysis.candidates;
  if (candidates.empty()) return ranked;
  for (size_t i = 0; i < candidates.size(); ++i) {
    ranked.chunks.push_back({i, score_of(candidates[i].features, ranking.chunks)});
  }
  std::stable_sort(ranked.chunks.begin(), ranked.chunks.end(),
                   [](const RankedChunk& a, const RankedChunk& b) { return a.score > b.score; });
  const size_t read = std::min(kRead, ranked.chunks.size());
  double sum = 0;
  for (size_t i = 0; i < read; ++i) sum += std::exp(ranked.chunks[i].score - ranked.chunks[0].score);
  for (size_t i = 0; i < read; ++i) {
    const RankedChunk& chunk = ranked.chunks[i];
    const Candidate& candidate = candidates[chunk.candidate];
    for (size_t s = 0; s < candidate.of_sentences.size(); ++s) {
      RankedSentence& sentence = ranked.sentences.emplace_back();
      sentence.candidate = chunk.candidate;
      sentence.sentence = s;
      sentence.features = candidate.of_sentences[s];
      sentence.features[8] = static_cast<float>(std::exp(chunk.score - ranked.chunks[0].score) / sum);
      sentence.score = score_of(sentence.features, ranking.sentences);
    }
  }
  std::stable_sort(ranked.sentences.begin(), ranked.sentences.end(),
                   [](const RankedSentence& a, const RankedSentence& b) { return a.score > b.score; });
  ranked.answer = answer_features(analysis, ranked);
  ranked.probability = ranking.answer.probability(ranked.answer);
  return ranked;
}

std::string to_json(const Ranking& ranking) {
  return Json{{"chunks", json_of(ranking.chunks, kChunkFeatures)},
              {"sentences", json_of(ranking.sentences, kSentenceFeatures)},
              {"answer", json_of(ranking.answer.weights, kAnswerFeatures)},
              {"bias", ranking.answer.bias},
              {"threshold", ranking.threshold}}
      .dump();
}

Ranking parse_ranking(std::string_view json, std::string_view what) {
  try {
    const Json object = parse_json_object(json, what);
    Ranking ranking;
    ranking.chunks = weights_of(need_field(object, "chunks"), kChunkFeatures);
    ranking.sentences = weights_of(need_field(object, "sentences"), kSentenceFeatures);
    ranking.answer.weights = weights_of(need_field(object, "answer"), kAnswerFeatures);
    ranking.answer.bias = number_of(object, "bias");
    ranking.threshold = number_of(object, "threshold");
    return ranking;
  } catch (const Error& error) {
    throw Error("{}: is not a ranking: {}", what, error.what());
  }
}

Ranking ranking_of(IndexFile& index) {
  const std::optional<std::string> kept = index.setting(kSetting);
  return kept ? parse_ranking(*kept, index.database().path().string()) : default_ranking();
}

void keep_ranking(IndexFile& index, const Ranking& ranking) {
  Transaction transaction(index.database(), true);
  index.set_setting(kSetting, to_json(ranking));
  transaction.commit();
}

const Ranking& default_ranking() {
  static const Ranking ranking = {
      .chunks = {10.22, 5.69, 4.39, 10.94, 7.50, 4.12, -0.03, 1.34, -0.31, 1.09},
      .sentences = {2.31, 3.77, 3.99, 1.98, -0.48, 1.73, -0.54, 1.90, 3.05, 3.42},
      .answer = {{2.85, 5.17, 3.54, -2.26, 4.14, 1.91, 0.78, -0.34, -6.88, 1.47}, -0.77},
      .threshold = 0.62,
  };
  return ranking;
}

}  // namespace tinyllm::search
