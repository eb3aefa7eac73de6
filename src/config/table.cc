#include "config/table.h"

#include <fmt/format.h>

#include <algorithm>

namespace timepool::config {
namespace {

std::string join(const std::string& place, const std::string& key) {
  return place.empty() ? quoted_key(key) : place + '.' + quoted_key(key);
}

// "[server] threads: ", "[[pool]]: " is for whole tables.
std::string label(const std::string& place, const std::string& key) {
  return place.empty() ? key + ": " : fmt::format("[{}] {}: ", place, key);
}

void add_problem(Reading& reading, unsigned line, unsigned column, std::string text) {
  reading.problems.push_back({reading.file, line, column, std::move(text)});
}

// Levenshtein distance (Wagner and Fischer 1974).
std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t above = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, diagonal + (a[i - 1] == b[j - 1] ? 0u : 1u)});
      diagonal = above;
    }
  }
  return row[b.size()];
}

bool shape_fits(const Field& field, const Value& value) {
  switch (field.shape) {
    case Field::Shape::kTable:
      return value.kind == Value::Kind::kTable;
    case Field::Shape::kTables:
      return value.kind == Value::Kind::kArray;
    default:
      return true;
  }
}

// In AsciiDoc "[[name]]" is an anchor, which would vanish from the page.
std::string as_asciidoc(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool anchor = text.substr(i).starts_with("[[") && (i == 0 || text[i - 1] != '[');
    if (anchor) out += '\\';
    out += text[i];
  }
  return out;
}

void append_doc(const Field& field, const std::string& value, std::string& out) {
  out += fmt::format("*{}* = {}", field.key, field.type);
  if (field.required) {
    out += " (required)";
  } else if (!value.empty()) {
    out += fmt::format(" (default `{}`)", value);
  } else {
    out += " (no default)";
  }
  out += fmt::format("::\n{}\n\n", as_asciidoc(field.doc));
}

}  // namespace

std::string nearest(std::string_view word, const std::vector<std::string>& names) {
  // Longer words are no setting's name; the distance costs the product of the lengths.
  constexpr std::size_t kMaxWord = 64;
  if (word.size() > kMaxWord) return {};
  std::string best;
  std::size_t best_distance = std::max<std::size_t>(2, word.size() / 3) + 1;
  for (const std::string& name : names) {
    const std::size_t distance = edit_distance(word, name);
    if (distance < best_distance && distance < name.size()) {
      best = name;
      best_distance = distance;
    }
  }
  return best;
}

const Field* Table::find(const Member& member) const {
  const Field* by_name = nullptr;
  for (const Field& field : fields_) {
    if (field.key != member.key) continue;
    if (shape_fits(field, member.value)) return &field;
    if (by_name == nullptr) by_name = &field;
  }
  return by_name;
}

std::string Table::unknown(const std::string& key, const std::string& place) const {
  std::vector<std::string> names;
  for (const Field& field : fields_) {
    if (std::find(names.begin(), names.end(), field.key) == names.end()) names.push_back(field.key);
  }
  std::string out = fmt::format("unknown key {}", quoted(key));
  if (!place.empty()) out += fmt::format(" in [{}]", place);
  const std::string meant = nearest(key, names);
  if (!meant.empty()) return out + fmt::format("; did you mean {}?", quoted(meant));
  out += "; known here:";
  for (std::size_t i = 0; i < names.size(); ++i) out += (i > 0 ? ", " : " ") + names[i];
  return out;
}

void Table::read(const Value& table, const std::string& place, void* object,
                 Reading& reading) const {
  for (const Member& member : table.members) {
    const Field* field = find(member);
    if (field == nullptr) {
      add_problem(reading, member.line, member.column, unknown(member.key, place));
    } else {
      read_field(*field, member, place, object, reading);
    }
  }
}

void Table::read_field(const Field& field, const Member& member, const std::string& place,
                       void* object, Reading& reading) const {
  const Value& value = member.value;
  reading.seen.insert(join(place, field.key));
  if (field.shape == Field::Shape::kValue) {
    const std::string wrong = field.read(object, value);
    if (!wrong.empty()) {
      add_problem(reading, value.line, value.column, label(place, field.key) + wrong);
    }
  } else if (!shape_fits(field, value)) {
    const bool table = field.shape == Field::Shape::kTable;
    add_problem(reading, value.line, value.column,
                fmt::format("{}expected {}, found {}", label(place, field.key),
                            table ? fmt::format("a table [{}]", join(place, field.key))
                                  : fmt::format("tables [[{}]]", join(place, field.key)),
                            name_of(value.kind)));
  } else if (field.shape == Field::Shape::kTable) {
    field.nested->read(value, join(place, field.key), field.enter(object), reading);
  } else {
    for (const Value& item : value.items) read_item(field, item, place, object, reading);
  }
}

void Table::read_item(const Field& field, const Value& item, const std::string& place, void* object,
                      Reading& reading) const {
  const std::string here = join(place, field.key);
  if (item.kind != Value::Kind::kTable) {
    add_problem(reading, item.line, item.column,
                fmt::format("[[{}]]: expected a table, found {}", here, name_of(item.kind)));
    return;
  }
  if (field.count(object) >= field.max) {
    add_problem(reading, item.line, item.column,
                fmt::format("[[{}]]: more than {} tables", here, field.max));
    return;
  }
  void* made = field.append(object);
  // Its keys and checks are its own: it stands in one file as a whole.
  Reading own;
  own.file = reading.file;
  field.nested->read(item, here, made, own);
  const bool sound = own.problems.empty();
  if (sound) field.nested->finish(here, made, own);
  for (Problem& problem : own.problems) {
    if (problem.line == 0) {
      problem.line = item.line;
      problem.column = item.column;
    }
    reading.problems.push_back(std::move(problem));
  }
}

void Table::finish(const std::string& place, const void* object, Reading& reading) const {
  const std::string prefix = place.empty() ? "" : fmt::format("[{}] ", place);
  for (const Field& field : fields_) {
    if (field.required && !reading.seen.contains(join(place, field.key))) {
      add_problem(reading, 0, 0,
                  fmt::format("{}{}: missing; it needs {}", prefix, field.key, field.type));
    }
    if (field.shape == Field::Shape::kTable) {
      const void* inside = field.view(object);
      if (inside != nullptr) field.nested->finish(join(place, field.key), inside, reading);
    }
  }
  for (const auto& check : checks_) {
    const std::string wrong = check(object);
    if (!wrong.empty()) {
      add_problem(reading, 0, 0, place.empty() ? wrong : fmt::format("[{}]: {}", place, wrong));
    }
  }
}

void Table::print(const std::string& place, const void* object, std::string& out) const {
  for (const Field& field : fields_) {
    if (field.shape != Field::Shape::kValue || !field.alias_of.empty()) continue;
    const std::string value = field.write(object);
    if (!value.empty()) out += fmt::format("{} = {}\n", quoted_key(field.key), value);
  }
  for (const Field& field : fields_) {
    if (field.shape == Field::Shape::kValue || !field.alias_of.empty()) continue;
    const std::string here = join(place, field.key);
    if (field.shape == Field::Shape::kTable) {
      const void* inside = field.view(object);
      if (inside == nullptr) continue;
      out += fmt::format("\n[{}]\n", here);
      field.nested->print(here, inside, out);
      continue;
    }
    for (std::size_t i = 0; i < field.count(object); ++i) {
      out += fmt::format("\n[[{}]]\n", here);
      field.nested->print(here, field.at(object, i), out);
    }
  }
}

void Table::reference(const std::string& place, std::string& out) const {
  const std::shared_ptr<void> defaults = make_();
  for (const Field& field : fields_) {
    if (field.shape == Field::Shape::kValue) append_doc(field, field.write(defaults.get()), out);
  }
  for (const Field& field : fields_) {
    if (field.shape == Field::Shape::kValue) continue;
    const std::string here = join(place, field.key);
    const bool tables = field.shape == Field::Shape::kTables;
    out += fmt::format("=== {}{}{}\n\n{}\n\n", tables ? "\\[[" : "[", here, tables ? "]]" : "]",
                       as_asciidoc(field.doc));
    if (field.alias_of.empty()) {
      field.nested->reference(here, out);
    } else {
      out += fmt::format("The same as \\[[{}]].\n\n", field.alias_of);
    }
  }
}

}  // namespace timepool::config
