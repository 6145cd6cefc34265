#include <tinyllm/runtime/generator.h>

#include <tinyllm/model/transformer.h>
#include <tinyllm/model/utf8.h>

#include <algorithm>

namespace tinyllm {
namespace {

// Tokens of a prompt that are read at once.
constexpr int64_t kChunk = 64;

// One forward pass of [rows, tokens] over the cache, giving the scores after one chosen token of each row.
struct Pass {
  Tensor logits;
  Program program;

  static Pass make(const ModelConfig& c, int64_t rows, int64_t tokens, ThreadPool& pool, Store& weights,
                   Store& caches) {
    Graph graph;
    const Tensor lengths = graph.input("lengths", i32, {rows});
    // A chunk may begin at the last place of the context: the cache has room for what is padding then.
    const Shape cache = {rows, c.context + kChunk, c.kv_heads(), c.head_size()};
    const Tensor hidden = transformer(
        graph, c, {graph.input("tokens", i32, {rows, tokens}), graph.input("positions", i32, {rows, tokens})},
        [&](int64_t layer, Tensor q, Tensor k, Tensor v) {
          return cached_attention(q, k, v, graph.state(fmt::format("cache.{}.k", layer), f32, cache),
                                  graph.state(fmt::format("cache.{}.v", layer), f32, cache), lengths);
        });
    // Scores are wanted after one token of a row: pick it before the head, which is the largest product.
    const Tensor chosen = embedding(reshape(hidden, {rows * tokens, c.dim}), graph.input("chosen", i32, {rows}));
    const Tensor logits = lm_head(c, chosen);
    return {logits, compile(graph, {logits}, {.pool = &pool, .store = &weights, .states = &caches})};
  }
};

int32_t likeliest(std::span<const float> scores) {
  return static_cast<int32_t>(std::max_element(scores.begin(), scores.end()) - scores.begin());
}

}  // namespace

struct Generator::State {
  const Model& model;
  int64_t rows;
  ThreadPool pool;
  Store caches;
  Pass prefill;
  Pass decode;

  State(const Model& m, const Options& options)
      : model(m),
        rows(options.rows),
        pool(options.threads),
        prefill(Pass::make(m.config, rows, kChunk, pool, *m.weights, caches)),
        decode(Pass::make(m.config, rows, 1, pool, *m.weights, caches)) {}

  // Runs `tokens[row]` behind `lengths[row]` old ones; rows that have fewer than the pass takes are padded, and what is
  // computed for padding is overwritten by the next pass.
  void run(Pass& pass, const std::vector<std::span<const int32_t>>& tokens, const std::vector<int32_t>& lengths) {
    const auto ids = pass.program.as<int32_t>("tokens");
    const auto positions = pass.program.as<int32_t>("positions");
    const auto chosen = pass.program.as<int32_t>("chosen");
    const size_t width = ids.size() / static_cast<size_t>(rows);
    for (size_t row = 0; row < tokens.size(); ++row) {
      for (size_t i = 0; i < width; ++i) {
        ids[row * width + i] = i < tokens[row].size() ? tokens[row][i] : kPadId;
        positions[row * width + i] = lengths[row] + static_cast<int32_t>(i);
      }
      const size_t last = tokens[row].empty() ? 0 : tokens[row].size() - 1;
      chosen[row] = static_cast<int32_t>(row * width + last);
    }
    pass.program.write("lengths", lengths);
    pass.program.run();
  }

  int32_t next_token(const Pass& pass, size_t row) const {
    const size_t vocab = static_cast<size_t>(model.config.vocab_size);
    return likeliest(pass.program.read<float>(pass.logits).subspan(row * vocab, vocab));
  }
};

Generator::Generator(const Model& model, const Options& options) {
  if (options.rows < 1) throw Error("generator: {} rows, expected 1 or more", options.rows);
  state_ = std::make_unique<State>(model, options);
}
Generator::~Generator() = default;

std::vector<std::vector<int32_t>> Generator::generate(const std::vector<std::vector<int32_t>>& prompts,
                                                      int64_t max_tokens, const OnToken& on_token) {
  State& s = *state_;
  const size_t rows = static_cast<size_t>(s.rows);
  const int64_t context = s.model.config.context;
  if (prompts.size() > rows) throw Error("generator: {} prompts for {} rows", prompts.size(), rows);
  size_t longest = 0;
  for (const std::vector<int32_t>& prompt : prompts) {
    if (prompt.empty()) throw Error("generator: a prompt is empty");
    if (static_cast<int64_t>(prompt.size()) >= context) {
      throw Error("generator: a prompt of {} tokens leaves no room in a context of {}", prompt.size(), context);
    }
    longest = std::max(longest, prompt.size());
  }

  std::vector<int32_t> lengths(rows, 0);
  std::vector<int32_t> next(rows, kPadId);
  for (size_t from = 0; from < longest; from += kChunk) {
    std::vector<std::span<const int32_t>> parts(rows);
    for (size_t row = 0; row < prompts.size(); ++row) {
      const std::span<const int32_t> prompt = prompts[row];
      const size_t begin = std::min(from, prompt.size());
      parts[row] = prompt.subspan(begin, std::min<size_t>(kChunk, prompt.size() - begin));
    }
    s.run(s.prefill, parts, lengths);
    for (size_t row = 0; row < prompts.size(); ++row) {
      lengths[row] += static_cast<int32_t>(parts[row].size());
      if (!parts[row].empty() && lengths[row] == static_cast<int32_t>(prompts[row].size())) {
        next[row] = s.next_token(s.prefill, row);
      }
    }
  }

  std::vector<std::vector<int32_t>> answers(prompts.size());
  std::vector<bool> ended(rows, false);
  for (;;) {
    bool all_ended = true;
    for (size_t row = 0; row < prompts.size(); ++row) {
      if (ended[row]) continue;
      const bool full = static_cast<int64_t>(answers[row].size()) >= max_tokens;
      if (full || next[row] == kEosId) {
        ended[row] = true;
        continue;
      }
      answers[row].push_back(next[row]);
      const bool go_on = !on_token || on_token(static_cast<int64_t>(row), next[row]);
      ended[row] = !go_on || lengths[row] >= context;
      all_ended = all_ended && ended[row];
    }
    if (all_ended) return answers;
    std::vector<std::span<const int32_t>> parts(rows);
    for (size_t row = 0; row < rows; ++row) {
      if (!ended[row]) parts[row] = {&next[row], 1};
    }
    s.run(s.decode, parts, lengths);
    for (size_t row = 0; row < prompts.size(); ++row) {
      if (ended[row]) continue;
      ++lengths[row];
      next[row] = s.next_token(s.decode, row);
    }
  }
}

std::string TextStream::add(int32_t token) {
  pending_ += tokenizer_.decode({&token, 1});
  // The last character is whole unless its first byte promises more than there is.
  size_t start = pending_.size();
  while (start > 0 && pending_.size() - start < 4) {
    const unsigned byte = static_cast<unsigned char>(pending_[--start]);
    if (continues_character(pending_[start])) continue;
    const size_t promised = byte >= 0xF0 ? 4 : byte >= 0xE0 ? 3 : byte >= 0xC0 ? 2 : 1;
    if (pending_.size() - start >= promised) start = pending_.size();
    break;
  }
  std::string whole = pending_.substr(0, start);
  pending_.erase(0, start);
  return whole;
}

std::string TextStream::finish() { return std::exchange(pending_, {}); }

}  // namespace tinyllm
