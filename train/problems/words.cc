#include <tinyllm/train/problems/words.h>

#include <fmt/format.h>

#include <algorithm>

namespace tinyllm::problems {
namespace {

using Lists = std::array<std::vector<std::string>, 2>;

const std::vector<std::string>& in(const Lists& lists, Language language) {
  return lists[static_cast<size_t>(language)];
}

const std::string& pick(const std::vector<std::string>& list, Random& random) {
  return list[static_cast<size_t>(random.below(static_cast<int64_t>(list.size())))];
}

}  // namespace

void draw_words(Scene& scene) {
  static const Lists kNames = {{{"小明", "小红", "小刚", "小丽", "小华", "小军", "小芳", "小强"},
                                {"Tom", "Anna", "Ben", "Lucy", "Emma", "Jack", "Mia", "Sam"}}};
  static const Lists kThings = {
      {{"苹果", "橘子", "气球", "贝壳", "玩具", "杯子"}, {"apples", "oranges", "balloons", "shells", "toys", "cups"}}};
  std::vector<std::string> people = in(kNames, scene.language);
  for (size_t i = 0; i < 6; ++i) {
    std::swap(people[i], people[static_cast<size_t>(scene.draw(static_cast<int64_t>(i), 7))]);
    scene.words[std::string(1, static_cast<char>('A' + i))] = people[i];
  }
  scene.words["thing"] = pick(in(kThings, scene.language), *scene.random);
}

std::string idle_sentence(Language language, int level, Random& random) {
  static const Lists kSentences = {
      {{"教室里有{}张桌子。", "图书馆今天来了{}位读者。", "这本书有{}页。", "校园里有{}棵树。", "昨天卖出了{}张票。"},
       {"There are {} desks in the classroom. ", "{} people came to the library today. ", "This book has {} pages. ",
        "There are {} trees in the park. ", "{} tickets were sold yesterday. "}}};
  const int64_t most = level < 3 ? 90 : 900;
  return fmt::format(fmt::runtime(pick(in(kSentences, language), random)), 10 + random.below(most));
}

std::string weekday(Language language, int64_t day) {
  static const Lists kDays = {{{"星期一", "星期二", "星期三", "星期四", "星期五", "星期六", "星期日"},
                               {"Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"}}};
  return in(kDays, language)[static_cast<size_t>(day - 1)];
}

}  // namespace tinyllm::problems
