#include <doctest/doctest.h>

#include <tinyllm/tensor/base/error.h>
#include <tinyllm/train/corpus/paragraph_rules.h>
#include <tinyllm/train/corpus/rules.h>

#include "runtime/documents/text_cases.h"

namespace tinyllm::test {

using namespace corpus;
namespace {

std::string_view judged(std::string_view paragraph, const ParagraphOptions& options = {}, int64_t undecodable = 0) {
  return ParagraphRules(options).judge(paragraph, undecodable).value_or("kept");
}

}  // namespace

TEST_CASE("prose is kept, and what is none is dropped by its rule") {
  struct Case {
    std::string paragraph;
    std::string_view rule;
  };
  const Case cases[] = {
      {"清晨，老人把茶叶放进壶里，慢慢倒上热水。", "kept"},
      {"第三章 远方", "kept"},
      {"The kettle whistled, and she poured the tea; it was still dark outside.", "kept"},
      {"在终端里输入 git status --short，就能看到改动的文件。", "kept"},
      {"租金在 1500~2500 元之间，押一付三。", "kept"},
      {"床前明月光，疑是地上霜。", "kept"},
      {"——", kRuleTooShort},
      {"{", kRuleTooShort},
      {R"(resolved "https://registry.example.org/a/-/a-1.0.tgz#0af3")", kRuleSymbols},
      {"if(a[i]!==b){return;}else{x=y+z;}", kRuleSymbols},
      {"首页 | 新闻 | 联系我们 | 登录", kRuleBoilerplate},
      {"版权所有 © 2020 某某公司", kRuleBoilerplate},
      {"网站地图是给搜索引擎看的。", "kept"},
      {"名称 | 描述 | 类型", "kept"},
      {repeat("今日大促，先到先得。", 12), kRuleRepetitive},
      {"Тихий вечер опустился на деревню, и огни погасли.", kRuleLanguage},
      {"静かな夜に、ひとりで本を読んでいました。", kRuleLanguage},
      {"조용한 밤에 혼자 책을 읽고 있었습니다.", kRuleLanguage},
      {"Le soir tombe sur la colline et les enfants rentrent à la maison avec le chien.", kRuleLanguage},
      {"é\u0087\u0091å¤´è\u0099\u008eæ\u0080¥å¿\u0099ç\u0094¨å\u008f\u008cæ\u0089\u008b", kRuleMojibake},
      {repeat("长", 20001), kRuleTooLong},
  };
  for (const Case& c : cases) {
    CAPTURE(c.paragraph);
    CHECK(judged(c.paragraph) == c.rule);
  }
}

TEST_CASE("options switch rules") {
  ParagraphOptions options;
  options.languages = {};
  CHECK(judged("Тихий вечер опустился на деревню.", options) == "kept");
  options.languages = {"ja"};
  CHECK(judged("静かな夜に、ひとりで本を読んでいました。", options) == "kept");
  CHECK(judged("清晨，老人把茶叶放进壶里，慢慢倒上热水。", options) == kRuleLanguage);
  options = {};
  options.boilerplate = false;
  CHECK(judged("首页 | 新闻 | 联系我们 | 登录", options) == "kept");
  options.max_repeated = 1;
  CHECK(judged(repeat("今日大促，先到先得。", 12), options) == "kept");
  options.words = {"热水", "Tea"};
  CHECK(judged("慢慢倒上热水。", options) == kRuleWordList);
  CHECK(judged("a cup of TEA, please", options) == kRuleWordList);
  CHECK(judged("a steady steam", options) == "kept");
  options.languages = {"klingon"};
  CHECK_THROWS_WITH_AS(ParagraphRules{options}, doctest::Contains("klingon"), Error);
}

TEST_CASE("a paragraph that lost one character is kept, one that lost many is not") {
  const std::string paragraph = "清晨，老人把茶叶放进壶里，慢慢倒上热水。";
  CHECK(judged(paragraph, {}, 1) == "kept");
  CHECK(judged(paragraph, {}, 2) == kRuleUndecodable);
  ParagraphOptions options;
  options.max_undecodable = 1;
  CHECK(judged(paragraph, options, 20) == "kept");
}

TEST_CASE("words are found wherever they stand") {
  std::vector<std::string> words;
  for (int i = 0; i < 5000; ++i) words.push_back("word" + std::to_string(i));
  words.push_back("ab");
  words.push_back("坏");
  const WordFinder finder(words);
  CHECK(finder.found_in("word4999"));
  CHECK(finder.found_in("so AB."));
  CHECK(finder.found_in("这是坏的"));
  CHECK(!finder.found_in("word5000 abc cab"));
  CHECK(!finder.found_in(""));
  CHECK(!WordFinder({}).found_in("anything"));
}

}  // namespace tinyllm::test
