#include <tinyllm/runtime/documents/docx_reader.h>

#include <tinyllm/runtime/documents/docx_numbering.h>
#include <tinyllm/runtime/documents/docx_package.h>
#include <tinyllm/runtime/documents/docx_styles.h>
#include <tinyllm/runtime/documents/xml.h>
#include <tinyllm/tensor/base/error.h>

#include <algorithm>
#include <charconv>
#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace tinyllm::documents {
namespace {

using Kind = Paragraph::Kind;
using Notes = std::map<std::string, std::string>;

bool is_off(std::string_view value) { return value == "0" || value == "false" || value == "off"; }

// Walks a part of the document and gives its paragraphs and rows, in order.
class Walker : public XmlHandler {
 public:
  using Write = std::function<void(Kind, int level, std::string_view text, bool is_title)>;

  Walker(const DocxStyles& styles, DocxNumbers& numbers, const Notes& notes, Write write)
      : styles_(styles), numbers_(numbers), notes_(notes), write_(std::move(write)) {}

  void begin(std::string_view name, std::span<const XmlAttribute> attributes) override {
    if (skipped_ > 0 || is_skipped(name)) {
      ++skipped_;
      return;
    }
    const std::string_view value = attribute(attributes, "val");
    if (name == "p") {
      paragraphs_.emplace_back();
    } else if (name == "tbl") {
      tables_.push_back({paragraphs_.size(), {}});
    } else if (name == "tr" && !tables_.empty()) {
      tables_.back().cells.clear();
    } else if (name == "tc" && !tables_.empty()) {
      tables_.back().cells.emplace_back();
    } else if (!paragraphs_.empty()) {
      in_paragraph(name, value, attributes);
    }
  }

  void end(std::string_view name) override {
    if (skipped_ > 0) {
      --skipped_;
    } else if (name == "t") {
      is_text_ = false;
    } else if (name == "pPr") {
      is_properties_ = false;
    } else if (name == "p" && !paragraphs_.empty()) {
      end_paragraph();
    } else if (name == "tr" && !tables_.empty()) {
      end_row();
    } else if (name == "tbl" && !tables_.empty()) {
      tables_.pop_back();
    }
  }

  void text(std::string_view text) override {
    if (is_text_ && skipped_ == 0 && !is_hidden_ && !paragraphs_.empty()) paragraphs_.back().text += text;
  }

  /// Signs of fonts that have their own encoding, which are not read.
  int64_t symbols() const { return symbols_; }

 private:
  struct Open {
    std::string text;
    std::string style;
    DocxNumbering numbering;
    int outline = -1;
    std::vector<std::pair<Kind, std::string>> boxes;  // What is in text boxes of it.
  };
  struct Table {
    size_t paragraphs;  // That are open around it.
    std::vector<std::string> cells;
  };

  // Deleted text, earlier properties, the second form of what newer versions write, and readings of Chinese characters.
  static bool is_skipped(std::string_view name) {
    return name == "del" || name == "moveFrom" || name == "Fallback" || name == "rt" || name.ends_with("PrChange");
  }

  void in_paragraph(std::string_view name, std::string_view value, std::span<const XmlAttribute> attributes) {
    Open& open = paragraphs_.back();
    if (name == "pPr") {
      is_properties_ = true;
    } else if (is_properties_) {
      property(name, value, open);
    } else if (name == "r") {
      is_hidden_ = false;
    } else if (name == "vanish") {
      is_hidden_ = !is_off(value);
    } else if (name == "t") {
      is_text_ = true;
    } else if (name == "tab") {
      open.text += ' ';
    } else if (name == "br" || name == "cr") {
      open.text += '\n';
    } else if (name == "noBreakHyphen") {
      open.text += '-';
    } else if (name == "sym") {
      ++symbols_;
    } else if (name == "footnoteReference" || name == "endnoteReference") {
      const auto note = notes_.find(std::string(name.substr(0, 1)).append(attribute(attributes, "id")));
      if (note != notes_.end() && !note->second.empty()) {
        count_added(note->second.size());
        open.text.append("[").append(note->second).append("]");
      }
    }
  }

  static void property(std::string_view name, std::string_view value, Open& open) {
    if (name == "pStyle") open.style = value;
    if (name == "numId") open.numbering.list = value;
    if (name == "ilvl") std::from_chars(value.data(), value.data() + value.size(), open.numbering.level);
    if (name == "outlineLvl") std::from_chars(value.data(), value.data() + value.size(), open.outline);
  }

  // Notes and numbers may be long, and come again and again.
  void count_added(size_t bytes) {
    constexpr size_t kMost = size_t{64} << 20;
    added_ += bytes;
    if (added_ > kMost) throw Error("its footnotes and numbers make more than {} MB, which is the limit", kMost >> 20);
  }

  bool is_in_cell() const {
    return !tables_.empty() && tables_.back().paragraphs == paragraphs_.size() && !tables_.back().cells.empty();
  }

  void end_paragraph() {
    const Open open = std::move(paragraphs_.back());
    paragraphs_.pop_back();
    const DocxStyle style = styles_.find(open.style);
    DocxNumbering numbering = open.numbering.list.empty() ? style.numbering : open.numbering;
    const bool is_empty = open.text.find_first_not_of(" \n") == std::string::npos;
    std::string text;
    if (!is_empty) text = numbers_.next(numbering);
    count_added(text.size());
    text += open.text;
    const int outline = open.outline >= 0 ? open.outline : style.outline;
    const bool is_title = style.name == "title";
    const int level = is_title ? 1 : outline >= 0 && outline < 9 ? outline + 1 : 0;
    if (level > 0 && !is_in_cell()) {
      put(Kind::heading, level, text, is_title);
    } else {
      put_lines(text);
    }
    for (const auto& [kind, box] : open.boxes) put(kind, 0, box);
  }

  // A line break that the author made inside of a paragraph ends it here.
  void put_lines(std::string_view text) {
    while (!text.empty()) {
      const size_t end = std::min(text.find('\n'), text.size());
      put(Kind::text, 0, text.substr(0, end));
      text.remove_prefix(std::min(end + 1, text.size()));
    }
  }

  void end_row() {
    std::string row;
    bool is_first = true;
    for (std::string& cell : tables_.back().cells) {
      std::replace(cell.begin(), cell.end(), '\t', ' ');
      if (!std::exchange(is_first, false)) row += '\t';
      row += cell;
    }
    tables_.back().cells.clear();
    Table table = std::move(tables_.back());
    tables_.pop_back();  // The row belongs to what is around the table.
    if (row.find_first_not_of(" \t") != std::string::npos) put(Kind::row, 0, row);
    tables_.push_back(std::move(table));
  }

  // Into the cell, the paragraph with the text box, or the document, whichever is around.
  void put(Kind kind, int level, std::string_view text, bool is_title = false) {
    if (text.empty()) return;
    if (is_in_cell()) {
      std::string& cell = tables_.back().cells.back();
      if (!cell.empty()) cell += ' ';
      cell += text;
    } else if (!paragraphs_.empty()) {
      paragraphs_.back().boxes.emplace_back(kind == Kind::row ? Kind::row : Kind::text, text);
    } else {
      write_(kind, level, text, is_title);
    }
  }

  const DocxStyles& styles_;
  DocxNumbers& numbers_;
  const Notes& notes_;
  Write write_;
  size_t added_ = 0;  // Bytes of notes and numbers.
  int64_t symbols_ = 0;
  int skipped_ = 0;  // Open elements that are skipped.
  bool is_text_ = false;
  bool is_properties_ = false;
  bool is_hidden_ = false;
  std::vector<Open> paragraphs_;  // Those that are open: text boxes are within paragraphs.
  std::vector<Table> tables_;
};

// Footnotes or endnotes by their ids.
class NotesReader : public Walker {
 public:
  NotesReader(const DocxStyles& styles, DocxNumbers& numbers, Notes& notes)
      : Walker(styles, numbers, notes, [this](Kind, int, std::string_view text, bool) { append(text); }), all_(notes) {}

  void begin(std::string_view name, std::span<const XmlAttribute> attributes) override {
    if (name == "footnote" || name == "endnote") {
      note_.clear();
      id_ = std::string(name.substr(0, 1)).append(attribute(attributes, "id"));
    }
    Walker::begin(name, attributes);
  }

  void end(std::string_view name) override {
    Walker::end(name);
    if (name == "footnote" || name == "endnote") all_[id_] = note_;
  }

 private:
  void append(std::string_view text) {
    text.remove_prefix(std::min(text.find_first_not_of(" \t"), text.size()));  // After the number.
    if (!note_.empty() && !text.empty()) note_ += ' ';
    note_ += text;
  }

  Notes& all_;
  std::string id_;
  std::string note_;
};

// The title among the properties of the file.
class Properties : public XmlHandler {
 public:
  void begin(std::string_view name, std::span<const XmlAttribute>) override { is_title_ = name == "title"; }
  void end(std::string_view) override { is_title_ = false; }
  void text(std::string_view text) override {
    if (is_title_) title += text;
  }
  std::string title;

 private:
  bool is_title_ = false;
};

// Whether a part has words.
class HasWords : public XmlHandler {
 public:
  void begin(std::string_view name, std::span<const XmlAttribute>) override { is_text_ = name == "t"; }
  void end(std::string_view) override { is_text_ = false; }
  void text(std::string_view text) override { found |= is_text_ && text.find_first_not_of(" \t\n") != text.npos; }
  bool found = false;

 private:
  bool is_text_ = false;
};

// Names the parts with words that are not read.
void note_left_out(const DocxPackage& package, Document& document) {
  const std::string folder = package.main().substr(0, package.main().rfind('/') + 1);
  for (const std::string_view kind : {"headers", "footers", "comments"}) {
    const std::string front = folder + std::string(kind.substr(0, kind.size() - 1));  // header1.xml, comments.xml
    HasWords words;
    for (const auto& [name, xml] : package.parts()) {
      if (name.starts_with(front) && name.ends_with(".xml")) read_xml(xml, XmlKind::tolerant, words);
    }
    if (words.found) document.notes.push_back(fmt::format("the text of its {} was left out", kind));
  }
}

}  // namespace

void read_docx(std::string_view archive, Document& document, DocumentWriter& out) {
  const DocxPackage package(archive);
  const DocxStyles styles(package.beside_main("styles.xml"));
  DocxNumbers numbers(package.beside_main("numbering.xml"));
  Notes notes;
  for (const char* part : {"footnotes.xml", "endnotes.xml"}) {
    const std::string_view xml = package.beside_main(part);
    if (xml.empty()) continue;
    NotesReader reader(styles, numbers, notes);
    read_xml(xml, XmlKind::strict, reader);
  }
  std::string title;  // As written in the document, which is what readers see.
  Walker walker(styles, numbers, notes, [&](Kind kind, int level, std::string_view text, bool is_title) {
    out.begin(kind, level);
    out.append(text);
    if (is_title && title.empty()) title = text;
  });
  read_xml(package.part(package.main()), XmlKind::strict, walker);
  out.end();
  note_left_out(package, document);
  if (walker.symbols() > 0) {
    document.notes.push_back(fmt::format("signs of symbol fonts were left out: {}", walker.symbols()));
  }
  Properties properties;
  if (const std::string_view xml = package.part("docProps/core.xml"); !xml.empty()) {
    read_xml(xml, XmlKind::strict, properties);
  }
  document.title = title.empty() ? properties.title : title;
}

}  // namespace tinyllm::documents
