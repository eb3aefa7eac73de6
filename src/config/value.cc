#include "config/value.h"

#include <toml++/toml.h>
#include <algorithm>
#include <array>

namespace timepool::config {
namespace {

unsigned as_unsigned(toml::source_index index) {
  return static_cast<unsigned>(index);
}

// Depth is bounded by the TOML library's own limit (256 levels).
Value convert(const toml::node& node);

void convert_table(const toml::table& table, Value& out) {
  for (const auto& [key, node] : table) {
    Member member{std::string(key.str()), as_unsigned(key.source().begin.line),
                  as_unsigned(key.source().begin.column), convert(node)};
    out.members.push_back(std::move(member));
  }
  // The library orders keys by name; problems read best in the order of the file.
  std::stable_sort(out.members.begin(), out.members.end(), [](const Member& a, const Member& b) {
    return a.line != b.line ? a.line < b.line : a.column < b.column;
  });
}

Value convert(const toml::node& node) {
  Value out;
  out.line = as_unsigned(node.source().begin.line);
  out.column = as_unsigned(node.source().begin.column);
  if (const auto* text = node.as_string()) {
    out.kind = Value::Kind::kString;
    out.text = text->get();
  } else if (const auto* integer = node.as_integer()) {
    out.kind = Value::Kind::kInteger;
    out.integer = integer->get();
  } else if (const auto* number = node.as_floating_point()) {
    out.kind = Value::Kind::kFloat;
    out.number = number->get();
  } else if (const auto* boolean = node.as_boolean()) {
    out.kind = Value::Kind::kBoolean;
    out.boolean = boolean->get();
  } else if (const auto* array = node.as_array()) {
    out.kind = Value::Kind::kArray;
    for (const toml::node& item : *array) out.items.push_back(convert(item));
  } else if (const auto* table = node.as_table()) {
    out.kind = Value::Kind::kTable;
    convert_table(*table, out);
  } else {
    out.kind = Value::Kind::kTime;
  }
  return out;
}

}  // namespace

std::string format(const Problem& problem) {
  std::string out = problem.file;
  if (problem.line > 0) {
    out += ':' + std::to_string(problem.line) + ':' + std::to_string(problem.column);
  }
  return out + ": " + problem.text;
}

std::string format(const std::vector<Problem>& problems) {
  std::string out;
  for (const Problem& problem : problems) {
    if (!out.empty()) out += '\n';
    out += format(problem);
  }
  return out;
}

bool Value::is_table_array() const {
  return kind == Kind::kArray && !items.empty() &&
         std::all_of(items.begin(), items.end(),
                     [](const Value& item) { return item.kind == Kind::kTable; });
}

std::string_view name_of(Value::Kind kind) {
  constexpr std::array<std::string_view, 7> kNames{
      "a string", "an integer", "a number", "a boolean", "a date or time", "an array", "a table"};
  return kNames[static_cast<std::size_t>(kind)];
}

Value read_toml(std::string_view text, const std::string& file, std::vector<Problem>& problems) {
  Value out;
  out.kind = Value::Kind::kTable;
  try {
    out = convert(toml::parse(text, file));
  } catch (const toml::parse_error& error) {
    problems.push_back({file, as_unsigned(error.source().begin.line),
                        as_unsigned(error.source().begin.column),
                        std::string(error.description())});
  }
  return out;
}

std::string quoted(std::string_view text) {
  constexpr std::string_view kHex = "0123456789abcdef";
  std::string out = "\"";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (byte < 0x20 || byte == 0x7f) {
      out += "\\u00";
      out += kHex[byte >> 4];
      out += kHex[byte & 15];
    } else {
      out += c;
    }
  }
  return out + '"';
}

std::string quoted_key(std::string_view key) {
  const bool bare = !key.empty() && std::all_of(key.begin(), key.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_';
  });
  return bare ? std::string(key) : quoted(key);
}

}  // namespace timepool::config
