#include <tinyllm/train/eval/log_likelihood.h>

#include <tinyllm/runtime/log_probs.h>

#include <algorithm>

namespace tinyllm::eval {
namespace {

size_t common_size(std::span<const int32_t> a, std::span<const int32_t> b) {
  return static_cast<size_t>(std::ranges::mismatch(a, b).in1 - a.begin());
}

// Pages that a group of continuations takes at most, with nothing shared but each context.
int64_t pages_for(const Continuations& one) {
  int64_t pages = Session::pages_for(std::ssize(one.context)) + 1;
  for (const std::vector<int32_t>& ending : one.endings) {
    if (ending.size() > 1) pages += Session::pages_for(std::ssize(ending)) + 1;
  }
  return pages;
}

}  // namespace

Continuations split_continuations(std::span<const int32_t> context, std::vector<std::vector<int32_t>> texts,
                                  int64_t most) {
  size_t common = context.size(), longest = 0;
  for (const std::vector<int32_t>& text : texts) {
    common = std::min({common, common_size(context, text), std::max<size_t>(text.size(), 1) - 1});
    longest = std::max(longest, text.size());
  }
  size_t cut = longest > static_cast<size_t>(most) ? longest - static_cast<size_t>(most) : 0;
  if (cut >= common && common > 0) cut = common - 1;  // The session refuses what still does not fit.
  Continuations result{
      {context.begin() + static_cast<std::ptrdiff_t>(cut), context.begin() + static_cast<std::ptrdiff_t>(common)},
      std::move(texts)};
  for (std::vector<int32_t>& ending : result.endings) {
    ending.erase(ending.begin(), ending.begin() + static_cast<std::ptrdiff_t>(std::min(common, ending.size())));
  }
  return result;
}

std::vector<std::vector<double>> LogLikelihoods::of(std::span<const Continuations> all) {
  constexpr size_t kMostTogether = 16;
  const int64_t longest = Session::pages_for(session_.context()), room = session_.sequences() * longest;
  std::vector<std::vector<double>> sums;
  for (const Continuations& one : all) {
    if (one.context.empty()) throw Error("log-likelihood: the context is empty");
    sums.emplace_back(one.endings.size(), 0.0);
  }
  for (size_t first = 0; first < all.size();) {
    int64_t pages = longest + pages_for(all[first]);  // With those of the last context.
    size_t last = first + 1;
    while (last < all.size() && last - first < kMostTogether && pages + pages_for(all[last]) <= room) {
      pages += pages_for(all[last++]);
    }
    if (pages > room) {
      compute_one_by_one(all[first], sums[first]);
    } else {
      compute(all.subspan(first, last - first), std::span(sums).subspan(first, last - first));
    }
    first = last;
  }
  return sums;
}

// Where there is room for little more than one sequence.
void LogLikelihoods::compute_one_by_one(const Continuations& one, std::vector<double>& sums) {
  if (kept_.empty()) kept_.push_back(session_.start());
  Sequence& sequence = kept_[0];
  sequence.truncate(
      static_cast<int64_t>(std::min(common_size(sequence.tokens(), one.context), one.context.size() - 1)));
  session_.forward(sequence, std::span(one.context).subspan(static_cast<size_t>(sequence.size())));
  const std::vector<float> logits(sequence.logits().begin(), sequence.logits().end());
  for (size_t i = 0; i < sums.size(); ++i) {
    const std::vector<int32_t>& ending = one.endings[i];
    if (ending.empty()) continue;
    sums[i] = log_probs(logits, ending[0], 0).log_prob;
    if (ending.size() == 1) continue;
    const Session::Feed feed{&sequence, std::span(ending).first(ending.size() - 1)};
    session_.forward({&feed, 1}, [&](size_t, size_t token, std::span<const float> found) {
      sums[i] += log_probs(found, ending[token + 1], 0).log_prob;
    });
    sequence.truncate(std::ssize(one.context));
  }
}

// A copy of the last context, as far as another one begins alike; the last token of a context is always computed, for
// its logits.
Sequence LogLikelihoods::begun(std::span<const int32_t> context) {
  if (kept_.empty()) return session_.start();
  Sequence sequence = kept_[0].fork();
  sequence.truncate(static_cast<int64_t>(std::min(common_size(sequence.tokens(), context), context.size() - 1)));
  return sequence;
}

void LogLikelihoods::compute(std::span<const Continuations> all, std::span<std::vector<double>> sums) {
  // What all contexts begin with is computed once, before them.
  size_t common = all[0].context.size() - 1;
  for (const Continuations& one : all) {
    common = std::min({common, common_size(all[0].context, one.context), one.context.size() - 1});
  }
  const auto start = std::span(all[0].context).first(common);
  if (all.size() > 1 && common > 0) {
    Sequence shared = begun(all[0].context);
    shared.truncate(std::min(shared.size(), std::ssize(start)));
    const auto rest = start.subspan(static_cast<size_t>(shared.size()));
    if (!rest.empty()) session_.forward(shared, rest);
    kept_.clear();
    kept_.push_back(std::move(shared));
  }
  std::vector<Sequence> contexts;
  std::vector<Session::Feed> feeds;
  contexts.reserve(all.size());
  for (const Continuations& one : all) {
    Sequence& sequence = contexts.emplace_back(begun(one.context));
    feeds.push_back({&sequence, std::span(one.context).subspan(static_cast<size_t>(sequence.size()))});
  }
  session_.forward(feeds);
  kept_.clear();

  // The first token of each ending is scored by the logits of the context, the others by those after the token before.
  std::vector<std::pair<size_t, size_t>> places;  // Question and ending.
  for (size_t i = 0; i < all.size(); ++i) {
    for (size_t j = 0; j < all[i].endings.size(); ++j) {
      const std::vector<int32_t>& ending = all[i].endings[j];
      if (!ending.empty()) sums[i][j] = log_probs(contexts[i].logits(), ending[0], 0).log_prob;
      if (ending.size() > 1) places.emplace_back(i, j);
    }
    contexts[i].drop_logits();  // Each fork would copy them.
  }
  std::vector<Sequence> endings;
  endings.reserve(places.size());
  feeds.clear();
  for (const auto& [i, j] : places) {
    const std::vector<int32_t>& ending = all[i].endings[j];
    feeds.push_back({&endings.emplace_back(contexts[i].fork()), std::span(ending).first(ending.size() - 1)});
  }
  if (!feeds.empty()) {
    session_.forward(feeds, [&](size_t feed, size_t token, std::span<const float> logits) {
      const auto [i, j] = places[feed];
      sums[i][j] += log_probs(logits, all[i].endings[j][token + 1], 0).log_prob;
    });
  }
  kept_.push_back(std::move(contexts.back()));
}

}  // namespace tinyllm::eval
