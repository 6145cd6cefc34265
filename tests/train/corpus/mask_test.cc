#include <doctest/doctest.h>

#include <tinyllm/train/corpus/mask.h>

#include "runtime/documents/text_cases.h"

namespace tinyllm::test {

using namespace corpus;
namespace {

std::string masked(const std::string& text) {
  MaskCounts counts;
  CHECK(mask(text, {}, counts) == text);
  return mask(text, {true, true, true}, counts);
}

}  // namespace

TEST_CASE("mail addresses are masked wherever they are") {
  const std::vector<TextCase> cases = {
      {"in a sentence", "write to an.na+x@mail.example.org.", "write to <email>."},
      {"after marks", "_li.ming_1990@example.com, o'hara@example.com, 'anna@x.org'", "<email>, <email>, '<email>'"},
      {"after a dot", "或者.zhang@example.com都可以", "或者<email>都可以"},
      {"after a label", "E-mail:a@b.cn;Mail=a@b.cn", "E-mail:<email>;Mail=<email>"},
      {"of digits", "13812345678@example.com", "<email>"},
      {"of other scripts", "李雷@example.com 是，test@例子.公司也是，иван@пример.рф",
       "<email> 是，<email>也是，<email>"},
      {"in punycode", "a@xn--e1afmkfd.xn--p1ai", "<email>"},
      {"one after the other", "a@b.cn,c@d.cn c@d.cn", "<email>,<email> <email>"},
      {"none", "twitter @anna, a@b, x@y.z, @@, a@.com", "twitter @anna, a@b, x@y.z, @@, a@.com"},
  };
  check_cases(masked, cases);
}

TEST_CASE("telephone numbers are masked wherever they are") {
  const std::vector<TextCase> cases = {
      {"mobile", "电话13912345678，或 +86 139-1234-5678", "电话<phone>，或 +<phone>"},
      {"two", "13912345678 13812345678/13712345678", "<phone> <phone>/<phone>"},
      {"after No.", "客服No.13812345678请在工作时间拨打", "客服No.<phone>请在工作时间拨打"},
      {"after Tel.", "Tel.13812345678, tel13812345678, Tel: 138.1234.5678", "Tel.<phone>, tel<phone>, Tel: <phone>"},
      {"after marks", "联系-13812345678或_13812345678或.13812345678", "联系-<phone>或_<phone>或.<phone>"},
      {"in a name", "wx_13812345678_li", "wx_<phone>_li"},
      {"after 0086", "0086-13812345678, 008613812345678, 0086 138 1234 5678, (+86)13812345678",
       "<phone>, <phone>, <phone>, (+<phone>"},
      {"landline", "总机 010-12345678 或 0571-1234567 或 (021)1234 5678", "总机 <phone> 或 <phone> 或 <phone>"},
      {"with marks of full width", "电话（0755）26001234，0755－26001234", "电话（<phone>，<phone>"},
      {"with an extension", "010-12345678-801", "<phone>"},
      {"landline from abroad", "+86 10 12345678, 0086-571-1234567, +86 (0)10 1234 5678", "+<phone>, <phone>, +<phone>"},
      {"America", "call (212) 555-0100 or 212-555-0100 or 1-212-555-0100", "call <phone> or <phone> or <phone>"},
      {"other countries", "+44 20 7946 0958, +4930123456", "+<phone>, +<phone>"},
      {"hotline", "热线 400-123-4567", "热线 <phone>"},
  };
  check_cases(masked, cases);
}

TEST_CASE("numbers of other things are left alone") {
  for (const std::string text : {
           "The book has ISBN 978-7-302-51234-6 and DOI 10.1000/182 and the year 2019-2021.",
           "ISBN 13812345678, doi 10.1234/13812345678, https://doi.org/10.1/13812345678",
           "Order 20230115123456789 was sent on 2023-01-15 at 12:34:56 to room 400-800-1200.",
           "Order No. 13812345678; 订单号：13812345678；编号 13812345678",
           "在1949年到2008年，共 12345678901234567 元，订单 20081234567",
           "0.13812345678 and 13812345678.5 and $13812345678 and 13812345678元 and x13812345678",
           "deadbeef13812345678 and 13812345678abc and 6222 0213 8123 4567 890",
           "13 14 15 16 17 18 19, 1.2.3.4, 192.168.100.200, 2020-12-31 23:59:59",
       }) {
    CHECK(masked(text) == text);
  }
}

TEST_CASE("identity numbers with a right check digit are masked") {
  const std::vector<TextCase> cases = {
      // 11010519491231002X: the example of the standard.
      {"after words", "身份证11010519491231002X和电话+86 138 1234 5678都在", "身份证<id>和电话+<phone>都在"},
      {"in lower case, after marks", "No.11010519491231002x, ID-11010519491231002X", "No.<id>, ID-<id>"},
      {"in groups", "110105 19491231 002X", "<id>"},
      {"wrong", "110105194912310021", "110105194912310021"},
      {"longer", "11010519491231002X1, 111010519491231002X", "11010519491231002X1, 111010519491231002X"},
  };
  check_cases(masked, cases);
}

TEST_CASE("text of one sign many thousand times is masked in proportion to its size") {
  for (const char* part : {"@", "a@", "a@b.", "a.", "公司", "@例.", "1", "1 ", "(1", "-", "138 ", "+1-", "1.1", "9@"}) {
    CAPTURE(part);
    CHECK(masked(repeat(part, 50000) + "\nend").ends_with("\nend"));
  }
}

}  // namespace tinyllm::test
