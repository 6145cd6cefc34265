#include <tinyllm/runtime/session.h>

#include <tinyllm/model/transformer.h>
#include <tinyllm/tensor/program.h>

#include <algorithm>
#include <bit>
#include <cstring>
#include <limits>
#include <map>

namespace tinyllm {
namespace {

// Rows of the largest pass. It is large because each pass packs all float weights.
constexpr int64_t kMaxRows = 512;

int64_t checked_pages(int64_t sequences, int64_t context) {
  constexpr int64_t kMost = std::numeric_limits<int32_t>::max();  // A page's number is 32 bits.
  // One spare page: copy-on-write of a shared page needs the new page before the old one is released.
  const int64_t pages = checked_add(checked_mul(sequences, Session::pages_for(context)), int64_t{1});
  if (pages > kMost) {
    throw Error("session: {} sequences of {} tokens need {} cache pages, expected at most {}", sequences, context,
                pages, kMost);
  }
  return pages;
}

// A program for a number of rows, with its result.
struct Pass {
  Tensor result;
  Program program;
};

// Tokens of the next pass, and rows of its program: the next power of two, so that few programs are needed.
struct PassSize {
  int64_t rows, program_rows;
};

PassSize next_pass(int64_t left) {
  const int64_t rows = std::min(left, kMaxRows);
  const auto program_rows = static_cast<int64_t>(std::bit_ceil(static_cast<uint64_t>(rows)));
  // If more than a quarter would be padding, half of the size is filled completely first.
  if (program_rows >= 32 && program_rows - rows > program_rows / 4) return {program_rows / 2, program_rows / 2};
  return {rows, program_rows};
}

}  // namespace

Sequence& Sequence::operator=(Sequence&& other) noexcept {
  std::swap(pool_, other.pool_);
  std::swap(pages_, other.pages_);
  std::swap(tokens_, other.tokens_);
  std::swap(logits_, other.logits_);
  return *this;
}

Sequence::~Sequence() {
  for (const int32_t page : pages_) pool_->release(page);
}

Sequence Sequence::fork() const {
  Sequence copy(*pool_);
  copy.pages_ = pages_;
  copy.tokens_ = tokens_;
  copy.logits_ = logits_;
  for (const int32_t page : pages_) pool_->share(page);
  return copy;
}

void Sequence::truncate(int64_t new_size) {
  if (new_size < 0 || new_size > size())
    throw Error("sequence: truncated to {} tokens, expected 0 to {}", new_size, size());
  if (new_size == size()) return;
  while (static_cast<int64_t>(pages_.size()) > Session::pages_for(new_size)) {
    pool_->release(pages_.back());
    pages_.pop_back();
  }
  tokens_.resize(static_cast<size_t>(new_size));
  drop_logits();
}

struct Session::State {
  const Model& model;
  int64_t sequences;
  int64_t context;
  int64_t most_pages;  // Of a sequence.
  DType cache_type;
  Pages pages;
  ThreadPool pool;
  Store caches;
  std::map<int64_t, Pass> blocks, heads;  // By rows.

  State(const Model& m, const SessionOptions& options)
      : model(m),
        sequences(options.sequences),
        context(options.context == 0 ? m.config.context : options.context),
        most_pages(Session::pages_for(context)),
        cache_type(options.cache_type),
        pages(checked_pages(sequences, context)),
        pool(given_or_new(options.pool)) {}

  // The program of the blocks for `rows` tokens of any sequences: hidden states [1, rows, C].
  Pass& blocks_of(int64_t rows) {
    const auto found = blocks.find(rows);
    if (found != blocks.end()) return found->second;
    Graph graph;
    const Tensor positions = graph.input("positions", i32, {1, rows});
    AttentionCache cache{
        {}, {}, graph.input("sequences", i32, {1, rows}), positions, graph.input("pages", i32, {rows, most_pages})};
    const Tensor hidden = transformer(
        graph, model.config, {graph.input("tokens", i32, {1, rows}), positions},
        [&](int64_t layer, Tensor q, Tensor k, Tensor v) {
          const int64_t all = pages.count(), groups = k.shape()[2], size = k.shape()[3];
          cache.k = graph.state(fmt::format("cache.{}.k", layer), cache_type, {all, groups, size, kCachePage});
          cache.v = graph.state(fmt::format("cache.{}.v", layer), cache_type, {all, groups, kCachePage, size});
          return cached_attention(q, k, v, cache, model.config.window_of(layer));
        });
    return compiled(graph, hidden, blocks, rows);
  }

  // The program of the head for `rows` hidden states: logits [rows, V].
  Pass& head_of(int64_t rows) {
    const auto found = heads.find(rows);
    if (found != heads.end()) return found->second;
    Graph graph;
    const Tensor logits = lm_head(model.config, graph.input("hidden", f32, {rows, model.config.dim}));
    return compiled(graph, logits, heads, rows);
  }

  Pass& compiled(const Graph& graph, Tensor result, std::map<int64_t, Pass>& passes, int64_t rows) {
    Program program = compile(graph, {result}, {.pool = pool, .weights = model.weights.get(), .states = &caches});
    return passes.emplace(rows, Pass{result, std::move(program)}).first->second;
  }

  // New pages that a sequence needs to grow to `size` tokens.
  int64_t pages_needed(const Sequence& sequence, int64_t size) const {
    const int64_t missing = Session::pages_for(size) - static_cast<int64_t>(sequence.pages_.size());
    return missing + (is_last_page_shared(sequence) ? 1 : 0);
  }
  bool is_last_page_shared(const Sequence& sequence) const {
    return sequence.size() % kCachePage != 0 && pages.is_shared(sequence.pages_.back());
  }

  void make_room(Sequence& sequence, int64_t size) {
    if (is_last_page_shared(sequence)) {
      const int32_t shared = sequence.pages_.back();
      sequence.pages_.back() = pages.take();
      copy_page(shared, sequence.pages_.back());
      pages.release(shared);
    }
    while (static_cast<int64_t>(sequence.pages_.size()) < Session::pages_for(size))
      sequence.pages_.push_back(pages.take());
  }

  void copy_page(int32_t from, int32_t to) {
    for (const Store::Entry& entry : caches.entries()) {
      const size_t bytes = entry.bytes() / static_cast<size_t>(pages.count());
      std::memcpy(entry.data + bytes * static_cast<size_t>(to), entry.data + bytes * static_cast<size_t>(from), bytes);
    }
  }

  // Writes into every page of the system what it holds already.
  void take_memory() {
    constexpr size_t kSystemPage = 4096;
    for (const Store::Entry& entry : caches.entries()) {
      for (size_t i = 0; i < entry.bytes(); i += kSystemPage) {
        volatile std::byte& first = entry.data[i];
        const std::byte held = first;
        first = held;
      }
    }
  }

  void check_belongs(const Sequence& sequence) const {
    if (sequence.pool_ != &pages) throw Error("session: the sequence belongs to another session");
  }

  void check(std::span<const Feed> feeds) const {
    int64_t missing = 0;
    std::vector<const Sequence*> seen;
    for (const auto& [sequence, tokens] : feeds) {
      check_belongs(*sequence);
      if (std::find(seen.begin(), seen.end(), sequence) != seen.end()) {
        throw Error("session: the same sequence is twice in one pass");
      }
      seen.push_back(sequence);
      const int64_t size = sequence->size() + static_cast<int64_t>(tokens.size());
      if (size > context) {
        throw Error("session: {} tokens after {}, expected at most {} in all", tokens.size(), sequence->size(),
                    context);
      }
      for (const int32_t token : tokens) {
        if (token < 0 || token >= model.config.vocab_size) {
          throw Error("session: token {}, expected 0 to {}", token, model.config.vocab_size - 1);
        }
      }
      if (!tokens.empty()) missing += pages_needed(*sequence, size);
    }
    if (missing > pages.free()) {
      throw Error("session: {} more pages of {} tokens, expected at most the {} that are free", missing, kCachePage,
                  pages.free());
    }
  }

  // One token of the input: token `token` of feed `feed`.
  struct Row {
    size_t feed, token;
  };
  void run(std::span<const Feed> feeds, std::span<const Row> rows, int64_t program_rows, const OnLogits& on_logits,
           const OnHidden& on_hidden);
  void run_head(std::span<const float> hidden, std::span<const Feed> feeds, std::span<const Row> rows,
                const std::vector<size_t>& wanted, const OnLogits& on_logits);
};

// Runs one pass over some tokens. The program gets one row of page numbers for each sequence in the pass.
void Session::State::run(std::span<const Feed> feeds, std::span<const Row> rows, int64_t program_rows,
                         const OnLogits& on_logits, const OnHidden& on_hidden) {
  Pass& pass = blocks_of(program_rows);
  const auto tokens = pass.program.data<int32_t>("tokens");
  const auto positions = pass.program.data<int32_t>("positions");
  const auto line_of = pass.program.data<int32_t>("sequences");
  const auto lines = pass.program.data<int32_t>("pages");
  std::fill(tokens.begin(), tokens.end(), model.tokenizer->pad());
  std::fill(positions.begin(), positions.end(), 0);
  std::fill(line_of.begin(), line_of.end(), -1);
  std::vector<size_t> wanted;
  int32_t line = -1;
  for (size_t i = 0; i < rows.size(); ++i) {
    const auto& [feed, token] = rows[i];
    const auto& [sequence, read] = feeds[feed];
    if (i == 0 || rows[i - 1].feed != feed) {
      ++line;
      std::copy(sequence->pages_.begin(), sequence->pages_.end(), lines.begin() + line * most_pages);
    }
    tokens[i] = read[token];
    positions[i] = static_cast<int32_t>(sequence->tokens_.size() + token);
    line_of[i] = line;
    if (on_logits || token + 1 == read.size()) wanted.push_back(i);
  }
  pass.program.run();
  const std::span<const float> hidden = pass.program.read<float>(pass.result);
  const auto dim = static_cast<size_t>(model.config.dim);
  for (size_t i = 0; on_hidden && i < rows.size(); ++i) {
    on_hidden(rows[i].feed, rows[i].token, hidden.subspan(i * dim, dim));
  }
  run_head(hidden, feeds, rows, wanted, on_logits);
}

// The head is the largest product, so it runs only for tokens whose logits are wanted.
void Session::State::run_head(std::span<const float> hidden, std::span<const Feed> feeds, std::span<const Row> rows,
                              const std::vector<size_t>& wanted, const OnLogits& on_logits) {
  const auto dim = static_cast<size_t>(model.config.dim), vocab = static_cast<size_t>(model.config.vocab_size);
  for (size_t from = 0; from < wanted.size();) {
    const PassSize pass_size = next_pass(static_cast<int64_t>(wanted.size() - from));
    Pass& pass = head_of(pass_size.program_rows);
    const auto input = pass.program.data<float>("hidden");
    std::fill(input.begin(), input.end(), 0.0f);
    const auto count = static_cast<size_t>(pass_size.rows);
    for (size_t i = 0; i < count; ++i) {
      const auto row = hidden.subspan(wanted[from + i] * dim, dim);
      std::copy(row.begin(), row.end(), input.begin() + static_cast<std::ptrdiff_t>(i * dim));
    }
    pass.program.run();
    for (size_t i = 0; i < count; ++i) {
      const auto logits = pass.program.read<float>(pass.result).subspan(i * vocab, vocab);
      const auto& [feed, token] = rows[wanted[from + i]];
      if (token + 1 == feeds[feed].tokens.size()) {
        auto& own = feeds[feed].sequence->logits_;
        if (own.use_count() != 1) own = std::make_shared<std::vector<float>>();
        own->assign(logits.begin(), logits.end());
      }
      if (on_logits) on_logits(feed, token, logits);
    }
    from += count;
  }
}

Session::Session(const Model& model, const SessionOptions& options) {
  constexpr int64_t kMost = 1 << 16;
  if (options.sequences < 1 || options.sequences > kMost) {
    throw Error("session: {} sequences, expected 1 to {}", options.sequences, kMost);
  }
  if (options.context < 0 || options.context > model.config.context) {
    throw Error("session: a context of {} tokens, expected 1 to the model's {}", options.context, model.config.context);
  }
  if (options.cache_type != f32 && options.cache_type != f16) {
    throw Error("session: a cache of {}, expected f32 or f16", name_of(options.cache_type));
  }
  state_ = std::make_unique<State>(model, options);
}
Session::~Session() = default;

const Model& Session::model() const { return state_->model; }
ThreadPool& Session::pool() { return state_->pool; }
int64_t Session::sequences() const { return state_->sequences; }
int64_t Session::context() const { return state_->context; }
int64_t Session::page_bytes(const ModelConfig& config, DType cache_type) {
  return 2 * config.n_layers * config.kv_dim() * kCachePage * static_cast<int64_t>(size_of(cache_type));
}
int64_t Session::cache_bytes() const {
  return state_->pages.count() * page_bytes(state_->model.config, state_->cache_type);
}
int64_t Session::free_pages() const { return state_->pages.free(); }
int64_t Session::pages_needed(const Sequence& sequence, int64_t size) const {
  state_->check_belongs(sequence);
  return std::max<int64_t>(0, state_->pages_needed(sequence, size));
}
int64_t Session::own_pages(const Sequence& sequence) const {
  state_->check_belongs(sequence);
  return std::ranges::count_if(sequence.pages_, [&](int32_t page) { return !state_->pages.is_shared(page); });
}
Sequence Session::start() { return Sequence(state_->pages); }

void Session::forward(std::span<const Feed> feeds, const OnLogits& on_logits, const OnHidden& on_hidden) {
  State& s = *state_;
  s.check(feeds);
  std::vector<State::Row> rows;
  for (size_t feed = 0; feed < feeds.size(); ++feed) {
    const auto& [sequence, tokens] = feeds[feed];
    if (tokens.empty()) continue;
    s.make_room(*sequence, sequence->size() + static_cast<int64_t>(tokens.size()));
    for (size_t token = 0; token < tokens.size(); ++token) rows.push_back({feed, token});
  }
  for (size_t from = 0; from < rows.size();) {
    const PassSize size = next_pass(static_cast<int64_t>(rows.size() - from));
    s.run(feeds, std::span(rows).subspan(from, static_cast<size_t>(size.rows)), size.program_rows, on_logits,
          on_hidden);
    from += static_cast<size_t>(size.rows);
  }
  for (const auto& [sequence, tokens] : feeds) {
    sequence->tokens_.insert(sequence->tokens_.end(), tokens.begin(), tokens.end());
  }
}

void Session::forward(Sequence& sequence, std::span<const int32_t> tokens) {
  const Feed feed{&sequence, tokens};
  forward({&feed, 1});
}

void Session::prepare(int64_t tokens, int64_t logits) {
  for (int64_t rows = 1; rows < 2 * std::min(tokens, kMaxRows); rows *= 2) {
    state_->blocks_of(rows);
    if (rows < 2 * logits) state_->head_of(rows);
  }
  state_->take_memory();
}

}  // namespace tinyllm
