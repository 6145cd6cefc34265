#include <doctest/doctest.h>

#include <tinyllm/runtime/documents/encoding.h>
#include <tinyllm/train/corpus/mojibake.h>

#include "runtime/documents/encode.h"

#include <string>
#include <vector>

namespace tinyllm::test {

using namespace corpus;
using namespace documents;
namespace {

constexpr std::string_view kProse =
    "河边的柳树已经发芽了。早上孩子们背着书包去学校，老人坐在桥头，一边晒太阳，一边说起从前的事情。";
constexpr std::string_view kTraditional = "河邊的柳樹已經發芽了。早上孩子們背著書包去學校，老人坐在橋頭，一邊曬太陽。";
constexpr std::string_view kFrench =
    "Le café était fermé ; nous avons dîné chez une amie, où l'on parlait déjà de l'été.";

// The bytes of a text, read in another encoding.
std::string read_as(std::string_view text, const char* written, Encoding read) {
  Decoder decoder(read);
  std::string wrong;
  decoder.decode(encode(text, written), wrong);
  decoder.finish(wrong);
  return wrong;
}

}  // namespace

TEST_CASE("text decoded in a wrong way is found") {
  struct Case {
    std::string_view text;
    const char* written;
    Encoding read;
  };
  const std::vector<Case> cases = {
      {kProse, "UTF-8", Encoding::gb18030},     {kTraditional, "UTF-8", Encoding::gb18030},
      {kProse, "UTF-8", Encoding::windows1252}, {kFrench, "UTF-8", Encoding::windows1252},
      {kProse, "GBK", Encoding::windows1252},   {kTraditional, "BIG5", Encoding::windows1252},
      {kProse, "GBK", Encoding::utf8},          {kTraditional, "BIG5", Encoding::utf8},
  };
  for (const Case& c : cases) {
    const std::string wrong = read_as(c.text, c.written, c.read);
    CAPTURE(wrong);
    CHECK(looks_like_mojibake(wrong));
  }
  for (const std::string_view wrong :
       {"Die Temperatur lag bei Ä° im Text, Größe Â½ fehlt.", "Le cafÃ© est prÃªt et la forÃªt est trÃ¨s belle.",
        "RÄ«ga and Ä°stanbul are two towns that were broken here.", "Â«RÄ«gaÂ» un Â«pilÄ«Â» bija labi."}) {
    CAPTURE(wrong);
    CHECK(looks_like_mojibake(wrong));
  }
  const std::string twice = read_as(read_as(kProse, "GBK", Encoding::utf8), "UTF-8", Encoding::gb18030);
  CHECK(twice.find("锟斤拷") != std::string::npos);
  CHECK(looks_like_mojibake(twice));
  std::string latin1;  // Each byte of UTF-8 a character, control characters among them.
  for (const char c : kProse) {
    const auto byte = static_cast<unsigned char>(c);
    latin1 += {static_cast<char>(0xC0 | byte >> 6), static_cast<char>(0x80 | (byte & 0x3F))};
  }
  CHECK(looks_like_mojibake(latin1));
}

TEST_CASE("good text is left alone") {
  const std::vector<std::string_view> texts = {
      kProse,
      kTraditional,
      kFrench,
      "",
      "啧啧啧啧啧啧啧啧",
      "鹦鹉、鸳鸯、鹧鸪、鹡鸰、鸬鹚、鸊鷉",
      "嘌呤、嘧啶、吡啶、喹啉、噻唑、呋喃",
      "GÖTTERDÄMMERUNG, »Überfluß« und ÄÖÜäöüß; MENÜ»",
      "Elle a dit «J’AI MANGÉ» puis «J’AI ÉTÉ FATIGUÉ», et tout le monde est parti du village.",
      "Le panneau disait «CAFÉ» et la vitrine «MARCHÉ».",
      "Nous avons lu «LE PÈRE GORIOT» et «LE ROUGE ET LE NOIR» cette semaine.",
      "Das Schild sagte »STRASSE GESPERRT« und »GRÜN«; »Spaß« und »Maß«.",
      "El cartel de la tienda decía «SÍ» y el otro decía «MAMÁ», nada más.",
      "A placa dizia «AMANHÃ» e “AMANHÃ”, e a outra ‹IRMÃ› e «MAÇÃ».",
      "»GÅ PÅ» och »STÅ PÅ» och »KOM HÄR PÅ».",
      "Le «café…» et le «thé…», puis le «pré…», le «blé…».",
      "NESCAFÉ® et NESCAFÉ®, CAFÉ™, CAFÉ… et CAFÉ–BAR.",
      "PowerHouseâ„¢ is a name that was broken once.",
      "El niño comió piñón y habló con «José» — ¿qué tal?",
      "Tiếng Việt có nhiều dấu: ắ ằ ẳ ẵ ặ, và cả à á ã â ê ô ư ơ.",
      "Съешь ещё этих мягких французских булок.",
      "吾輩は猫である。名前はまだ無い。どこで生れたかとんと見当がつかぬ。",
      "한글은 소리를 적는 글자이다.",
      "std::vector<int> x{1, 2}; // 2 × 3 ± 1 °C, © 2020 – “done”…",
      "把 GBK 的字节当作 UTF-8 来读，写回去时就会出现著名的“锟斤拷”，这是因为替换字符被编码了两次。",
      "这一页有一个坏字符\uFFFD，别的都好好的，不该整段扔掉。",
  };
  for (const std::string_view text : texts) {
    CAPTURE(text);
    CHECK_FALSE(looks_like_mojibake(text));
  }
}

}  // namespace tinyllm::test
