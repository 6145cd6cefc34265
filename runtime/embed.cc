#include <tinyllm/runtime/embed.h>

#include <tinyllm/runtime/generate.h>

#include <cmath>

namespace tinyllm {

void Embedding::add(std::span<const float> hidden) {
  sum_.resize(hidden.size());
  for (size_t c = 0; c < hidden.size(); ++c) sum_[c] += static_cast<double>(hidden[c]);
}

std::vector<float> Embedding::unit_vector() const {
  double squares = 0;
  for (const double x : sum_) squares += x * x;
  const double length = std::sqrt(squares);
  std::vector<float> unit;
  for (const double x : sum_) unit.push_back(static_cast<float>(length > 0 ? x / length : 0));
  return unit;
}

std::vector<std::vector<float>> embed(Session& session, std::span<const std::vector<int32_t>> texts) {
  std::vector<Embedding> embeddings(texts.size());
  std::vector<Request> requests;
  for (size_t i = 0; i < texts.size(); ++i) {
    requests.push_back({.prompt = texts[i], .options = {.max_tokens = 0}});
    requests.back().on_hidden = [&embedding = embeddings[i]](std::span<const float> hidden) { embedding.add(hidden); };
  }
  for (const Completion& done : generate(session, requests)) {
    if (done.finish_reason == FinishReason::failed) throw Error("embed: {}", done.error);
  }
  std::vector<std::vector<float>> vectors;
  for (const Embedding& embedding : embeddings) vectors.push_back(embedding.unit_vector());
  return vectors;
}

}  // namespace tinyllm
