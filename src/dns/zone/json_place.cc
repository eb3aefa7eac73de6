#include "dns/zone/json_place.h"

#include <algorithm>
#include <boost/json.hpp>

namespace timepool::dns {
namespace {

// Walks over well-formed JSON; on anything else it stops at the end of the text.
class Scanner {
 public:
  Scanner(std::string_view text, std::size_t at) : text_(text), at_(at) { skip_space(); }

  std::size_t at() const { return at_; }
  char peek() const { return at_ < text_.size() ? text_[at_] : '\0'; }
  void next() {
    if (at_ < text_.size()) ++at_;
    skip_space();
  }
  void skip_space() {
    while (at_ < text_.size() && std::string_view(" \t\r\n").find(text_[at_]) != text_.npos) ++at_;
  }
  // A string with its quotes.
  std::string_view string() {
    const std::size_t start = at_;
    for (++at_; at_ < text_.size() && text_[at_] != '"'; ++at_) {
      if (text_[at_] == '\\') ++at_;
    }
    at_ = std::min(at_ + 1, text_.size());
    const std::string_view out = text_.substr(start, at_ - start);
    skip_space();
    return out;
  }
  void value() {
    std::size_t depth = 0;
    do {
      const char c = peek();
      if (c == '\0') return;
      if (c == '"') {
        static_cast<void>(string());
        continue;
      }
      if (c == '{' || c == '[') ++depth;
      if (c == '}' || c == ']') --depth;
      if (std::string_view("{}[],:").find(c) != std::string_view::npos) {
        next();
      } else {
        scalar();
      }
    } while (depth > 0);
  }

 private:
  void scalar() {
    while (at_ < text_.size() && std::string_view("{}[],: \t\r\n").find(text_[at_]) == text_.npos) {
      ++at_;
    }
    skip_space();
  }

  std::string_view text_;
  std::size_t at_;
};

bool key_is(std::string_view quoted, std::string_view key) {
  if (quoted.find('\\') == std::string_view::npos) {
    return quoted.size() == key.size() + 2 && quoted.substr(1, key.size()) == key;
  }
  boost::json::error_code error;
  const boost::json::value decoded =
      boost::json::parse(boost::json::string_view(quoted.data(), quoted.size()), error);
  const boost::json::string* text = error ? nullptr : decoded.if_string();
  return text != nullptr && std::string_view(text->data(), text->size()) == key;
}

constexpr std::size_t kNowhere = static_cast<std::size_t>(-1);

std::size_t member_offset(std::string_view json, std::size_t at, std::string_view key) {
  Scanner scanner(json, at);
  if (scanner.peek() != '{') return kNowhere;
  scanner.next();
  std::size_t found = kNowhere;
  while (scanner.peek() == '"') {
    const bool match = key_is(scanner.string(), key);
    if (scanner.peek() == ':') scanner.next();
    if (match) found = scanner.at();
    scanner.value();
    if (scanner.peek() == ',') scanner.next();
  }
  return found;
}

std::size_t item_offset(std::string_view json, std::size_t at, std::size_t index) {
  Scanner scanner(json, at);
  if (scanner.peek() != '[') return kNowhere;
  scanner.next();
  for (; index > 0; --index) {
    if (scanner.peek() == ']' || scanner.peek() == '\0') return kNowhere;
    scanner.value();
    if (scanner.peek() == ',') scanner.next();
  }
  return scanner.peek() == ']' ? kNowhere : scanner.at();
}

}  // namespace

TextPlace place_of(std::string_view text, std::size_t offset) {
  const std::string_view before = text.substr(0, std::min(offset, text.size()));
  const auto lines = static_cast<unsigned>(std::count(before.begin(), before.end(), '\n'));
  const std::size_t line_start = lines == 0 ? 0 : before.rfind('\n') + 1;
  return {lines + 1, static_cast<unsigned>(before.size() - line_start) + 1};
}

std::size_t offset_of(std::string_view json, std::span<const JsonStep> path) {
  std::size_t at = Scanner(json, 0).at();
  for (const JsonStep& step : path) {
    const std::size_t next =
        step.in_array ? item_offset(json, at, step.index) : member_offset(json, at, step.key);
    if (next == kNowhere) return at;
    at = next;
  }
  return at;
}

std::string format(std::span<const JsonStep> path) {
  std::string out;
  for (const JsonStep& step : path) {
    if (!out.empty()) out += '/';
    if (step.in_array) {
      out += std::to_string(step.index);
    } else {
      out += step.key.empty() ? std::string_view("\"\"") : step.key;
    }
  }
  return out;
}

}  // namespace timepool::dns
