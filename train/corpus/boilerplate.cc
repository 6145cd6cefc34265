#include <tinyllm/runtime/documents/characters.h>
#include <tinyllm/train/corpus/paragraph_rules.h>

namespace tinyllm::corpus {

using namespace documents;
namespace {

constexpr int64_t kLongest = 120;  // Characters: a longer paragraph has content besides.

// Phrases that hardly occur outside of what surrounds the text of a page.
const WordFinder& phrases() {
  static const WordFinder finder({
      // Notices.
      "版权所有",
      "保留所有权利",
      "转载请注明",
      "转载自网络",
      "如有侵权",
      "侵权必究",
      "未经许可不得转载",
      "icp备",
      "icp证",
      "公网安备",
      "责任编辑：",
      "本文来源：",
      "all rights reserved",
      "copyright ©",
      "copyright (c)",
      "© copyright",
      // Navigation.
      "点击查看更多",
      "查看更多>",
      "查看更多 >",
      "点击阅读原文",
      "阅读全文>",
      "上一篇：",
      "下一篇：",
      "返回首页",
      "设为首页",
      "加入收藏",
      "分享到：",
      "分享到微信",
      "扫描二维码",
      "扫码关注",
      "关注公众号",
      "关注我们的公众号",
      "长按识别",
      "登录后查看",
      "登录后可见",
      "立即注册",
      "友情链接",
      "相关推荐：",
      "相关阅读：",
      "read more »",
      "skip to main content",
      "share on facebook",
      "share on twitter",
      "subscribe to our newsletter",
      "sign up for our newsletter",
      "accept all cookies",
      "we use cookies",
      "privacy policy |",
      "terms of service |",
      // Advertisement.
      "【广告】",
      "[广告]",
      "【推广】",
      "限时优惠",
      "限时抢购",
      "点击购买",
      "点击领取",
      "免费领取",
      "加微信",
      "客服电话",
      "客服qq",
      "咨询热线",
      "联系客服",
      "sponsored content",
      "buy now!",
      // Scripts.
      "document.write(",
      "var _hmt",
      "$(document).ready",
      "googletag",
      "<iframe",
      "<script",
  });
  return finder;
}

// Usual entries of a menu.
const WordFinder& entries() {
  static const WordFinder finder({"首页", "主页", "关于我们", "联系我们", "网站地图", "登录", "注册", "home",
                                  "about us", "contact", "contact us", "log in", "login", "sign in", "sign up",
                                  "sitemap"});
  return finder;
}

// `Home | About | Contact`: short entries in a row instead of a sentence.
bool is_menu(std::string_view paragraph) {
  int64_t bars = 0;
  for (size_t at = 0; at < paragraph.size();) {
    const char32_t c = next_character(paragraph, at);
    if (c == '|' || c == 0xFF5C || c == 0x2502) ++bars;
    if (c == 0x3002 || c == 0xFF0C || c == 0xFF1B) return false;
  }
  return bars >= 2 && entries().found_in(paragraph);
}

}  // namespace

bool is_boilerplate(std::string_view paragraph, const CharacterCounts& counts) {
  if (counts.characters == 0 || counts.characters > kLongest) return false;
  return is_menu(paragraph) || phrases().found_in(paragraph);
}

}  // namespace tinyllm::corpus
