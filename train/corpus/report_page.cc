#include <tinyllm/train/corpus/report.h>

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <utility>

namespace tinyllm {
extern const std::string_view kCorpusPage;  // page/, with {{report}} where the report goes.
}

namespace tinyllm::corpus {
namespace {

// UTF-8 as text of a page: markup is escaped, and control characters become their pictures.
std::string escaped(std::string_view text) {
  std::string safe;
  for (const char c : text) {
    switch (c) {
      case '&':
        safe += "&amp;";
        break;
      case '<':
        safe += "&lt;";
        break;
      case '>':
        safe += "&gt;";
        break;
      case '"':
        safe += "&quot;";
        break;
      case '\'':
        safe += "&#39;";
        break;
      case '\n':
      case '\t':
        safe += c;
        break;
      case '\x7F':
        safe += "␡";
        break;
      default:
        if (static_cast<unsigned char>(c) >= ' ') {
          safe += c;
        } else {
          fmt::format_to(std::back_inserter(safe), "&#{};", 0x2400 + c);
        }
    }
  }
  return safe;
}

// 1,234,567.
std::string grouped(int64_t count) {
  if (count < 1000) return fmt::format("{}", count);
  return fmt::format("{},{:03}", grouped(count / 1000), count % 1000);
}

std::string size_of(int64_t bytes) {
  constexpr double kStep = 1000;
  auto size = static_cast<double>(bytes);
  if (size < kStep) return fmt::format("{} B", bytes);
  const char* unit = "kB";
  for (const char* larger : {"MB", "GB", "TB"}) {
    if (size < kStep * kStep) break;
    size /= kStep;
    unit = larger;
  }
  return fmt::format("{:.1f} {}", size / kStep, unit);
}

double percent(int64_t part, int64_t whole) {
  return whole <= 0 ? 0 : 100 * static_cast<double>(part) / static_cast<double>(whole);
}

std::string tile(std::string_view name, const std::string& kept, const std::string& read, double share) {
  return fmt::format(R"(<div class="card tile"><span class="faint">{}</span><b>{}</b>
<span class="faint">of {} · {:.1f} %</span></div>
)",
                     name, kept, read, share);
}

std::string row(std::string_view name, double bar, int64_t count, int64_t bytes, double share) {
  return fmt::format(R"(<div class="row"><span>{}</span><span class="bar"><i style="width:{:.2f}%"></i></span>
<span>{}</span><span>{}</span><span>{:.1f} %</span></div>
)",
                     escaped(name), bar, grouped(count), size_of(bytes), share);
}

std::string heading(std::string_view title, std::string_view first, std::string_view counted) {
  return fmt::format(R"(<h2>{}</h2>
<section class="card {}">
<div class="row head"><span>{}</span><span></span><span>{}</span><span>size</span><span>of all</span></div>
)",
                     title, first == "rule" ? "rules" : "kinds", first, counted);
}

std::string totals(const Report& report) {
  const Report::Amount& read = report.read;
  const Report::Amount& kept = report.kept;
  const double share = percent(kept.bytes, read.bytes);
  std::string html = "<div class=\"tiles\">\n";
  html += tile("text kept", size_of(kept.bytes), size_of(read.bytes), share);
  html += tile("paragraphs kept", grouped(kept.paragraphs), grouped(read.paragraphs),
               percent(kept.paragraphs, read.paragraphs));
  html +=
      tile("documents kept", grouped(kept.documents), grouped(read.documents), percent(kept.documents, read.documents));
  html += tile("files kept from", grouped(kept.files), grouped(read.files), percent(kept.files, read.files));
  html += fmt::format(R"(</div>
<div class="whole"><i style="width:{:.2f}%"></i></div>
<p class="faint">Kept is green, dropped is orange. A rule opens to show the first pieces that it dropped.</p>
)",
                      std::clamp(share, 0.0, 100.0));
  return html;
}

// The largest first.
template <class T>
std::vector<std::pair<std::string_view, const T*>> by_size(const std::map<std::string, T>& entries) {
  std::vector<std::pair<std::string_view, const T*>> sorted;
  for (const auto& [name, entry] : entries) sorted.emplace_back(name, &entry);
  std::stable_sort(sorted.begin(), sorted.end(),
                   [](const auto& a, const auto& b) { return a.second->bytes > b.second->bytes; });
  return sorted;
}

std::string by_rule(const Report& report) {
  const auto sorted = by_size(report.rules);
  std::string html = heading("What was dropped, by rule", "rule", "pieces");
  for (const auto& [name, rule] : sorted) {
    std::string words(name);
    std::replace(words.begin(), words.end(), '_', ' ');
    html += "<details><summary>";
    html += row(words, percent(rule->bytes, sorted[0].second->bytes), rule->pieces, rule->bytes,
                percent(rule->bytes, report.read.bytes));
    html += "</summary>\n";
    for (const Report::Sample& sample : rule->samples) {
      html += fmt::format("<figure><figcaption><bdi>{}</bdi></figcaption><pre><bdi>{}</bdi></pre></figure>\n",
                          escaped(sample.source), escaped(sample.text));
    }
    html += "</details>\n";
  }
  return html + "</section>\n";
}

std::string by_kind(std::string_view title, std::string_view first,
                    const std::map<std::string, Report::Amount>& amounts, int64_t all) {
  const auto sorted = by_size(amounts);
  std::string html = heading(title, first, "files");
  for (const auto& [name, amount] : sorted) {
    html += row(name, percent(amount->bytes, sorted[0].second->bytes), amount->files, amount->bytes,
                percent(amount->bytes, all));
  }
  return html + "</section>\n";
}

// Markup is shown so that the bars add up: most of an HTML page is markup.
std::string by_change(const std::map<std::string, int64_t>& changed) {
  std::string html =
      "<h2>Left out or changed within what was kept</h2>\n<section class=\"card\">\n"
      "<div class=\"row head\"><span>kind</span><span></span><span>count</span></div>\n";
  for (const auto& [name, count] : changed) {
    html += fmt::format("<div class=\"row\"><span>{}</span><span></span><span>{}</span></div>\n", escaped(name),
                        grouped(count));
  }
  return html + "</section>\n";
}

}  // namespace

std::string Report::to_html() const {
  constexpr std::string_view kPlace = "{{report}}";
  const size_t place = kCorpusPage.find(kPlace);
  return std::string(kCorpusPage.substr(0, place)) + totals(*this) + by_rule(*this) + by_change(changed) +
         by_kind("Encodings", "encoding", encodings, read.bytes) +
         by_kind("Kinds of files", "kind", formats, read.bytes) +
         std::string(kCorpusPage.substr(place + kPlace.size()));
}

}  // namespace tinyllm::corpus
