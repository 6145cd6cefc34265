#pragma once

#include <algorithm>
#include <cstdint>
#include <deque>
#include <map>

namespace tinyllm {

/// What waits, one queue for each owner. The next is of the owner who has used least: a token of a prompt counts 1, one
/// of an answer 2. An owner who comes back after a pause begins where the least of the waiting ones is, or, if none
/// waits, the one who was last served: so nobody saves up. Source: Sheng et al., "Fairness in Serving Large Language
/// Models", OSDI 2024 (VTC).
template <class Item>
class FairQueue {
 public:
  size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }

  void push(uint64_t owner, Item item) {
    Owner& one = owners_[owner];
    if (one.items.empty()) {
      // Only now may `owner` have been away: those that wait are what it is compared with.
      one.used = std::max(one.used, least_used());
    }
    one.items.push_back(std::move(item));
    ++size_;
  }

  /// The next item; it stays. There is one.
  Item& front() { return next()->second.items.front(); }
  Item pop() {
    const auto owner = next();
    last_ = owner->first;
    Item item = std::move(owner->second.items.front());
    owner->second.items.pop_front();
    --size_;
    return item;
  }

  /// Takes the newest item of the owner who has most of them waiting. There is one.
  Item pop_greediest() {
    auto most = owners_.begin();
    for (auto one = owners_.begin(); one != owners_.end(); ++one) {
      if (one->second.items.size() > most->second.items.size()) most = one;
    }
    Item item = std::move(most->second.items.back());
    most->second.items.pop_back();
    --size_;
    return item;
  }

  /// What an owner has used, as `charge` said and pauses allowed.
  double used(uint64_t owner) { return owners_[owner].used; }
  /// Notes what an owner has used.
  void charge(uint64_t owner, double tokens) {
    owners_[owner].used += tokens;
    forget_idle();
  }

  /// Removes the items for which `wanted` is true.
  template <class Wanted>
  void erase_if(Wanted wanted) {
    for (auto& [id, owner] : owners_) size_ -= std::erase_if(owner.items, wanted);
  }

 private:
  struct Owner {
    double used = 0;
    std::deque<Item> items;
  };
  static constexpr size_t kMostIdle = 4096;

  auto next() {
    auto best = owners_.end();
    for (auto one = owners_.begin(); one != owners_.end(); ++one) {
      if (!one->second.items.empty() && (best == owners_.end() || one->second.used < best->second.used)) best = one;
    }
    return best;
  }
  double least_used() {
    auto least = next();
    if (least == owners_.end()) least = owners_.find(last_);
    return least == owners_.end() ? 0 : least->second.used;
  }
  void forget_idle() {
    if (owners_.size() <= kMostIdle) return;
    std::erase_if(owners_, [&](const auto& one) { return one.second.items.empty() && one.first != last_; });
  }

  std::map<uint64_t, Owner> owners_;
  uint64_t last_ = 0;  // Of the item that was popped last.
  size_t size_ = 0;
};

}  // namespace tinyllm
