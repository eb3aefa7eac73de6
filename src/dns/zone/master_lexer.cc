#include "dns/zone/master_lexer.h"

namespace timepool::dns {
namespace {

bool is_blank(char c) {
  return c == ' ' || c == '\t' || c == '\r';
}
bool ends_word(char c) {
  return is_blank(c) || c == '\n' || c == ';' || c == '(' || c == ')';
}
bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

}  // namespace

void MasterLexer::skip_comment() {
  while (at_ < text_.size() && text_[at_] != '\n') ++at_;
}

Result<void, LexFault> MasterLexer::word(MasterEntry& entry) {
  const std::size_t start = at_;
  if (entry.words.size() == kMaxWords) {
    return fail(LexFault{start, "more than " + std::to_string(kMaxWords) + " words in one entry"});
  }
  bool in_quotes = false;
  for (; at_ < text_.size() && (in_quotes || !ends_word(text_[at_])); ++at_) {
    const char c = text_[at_];
    if (c == '\\' && at_ + 1 < text_.size()) {
      ++at_;
    } else if (c == '"') {
      in_quotes = !in_quotes;
      // What began with a quote ends with the next one.
      if (!in_quotes && text_[start] == '"') {
        entry.words.push_back({text_.substr(start + 1, at_ - start - 1), true, start});
        ++at_;
        return {};
      }
    } else if (c == '\n') {
      break;
    }
  }
  if (in_quotes) return fail(LexFault{start, "a quote is not closed on its line"});
  entry.words.push_back({text_.substr(start, at_ - start), false, start});
  return {};
}

Result<std::optional<MasterEntry>, LexFault> MasterLexer::next() {
  MasterEntry entry;
  std::optional<std::size_t> open;
  bool line_start = at_ == 0 || text_[at_ - 1] == '\n';
  while (at_ < text_.size()) {
    const char c = text_[at_];
    if (c == '\n') {
      ++at_;
      if (!open && !entry.words.empty()) return std::optional(std::move(entry));
      if (!open) entry.starts_blank = false;
      line_start = !open;
      continue;
    }
    if (is_blank(c)) {
      if (line_start && entry.words.empty()) entry.starts_blank = true;
      ++at_;
    } else if (c == ';') {
      skip_comment();
    } else if (c == '(') {
      if (open) return fail(LexFault{at_, "a parenthesis within parentheses"});
      open = at_++;
    } else if (c == ')') {
      if (!open) return fail(LexFault{at_, "a closing parenthesis without an opening one"});
      open.reset();
      ++at_;
    } else {
      TRY(word(entry));
    }
    line_start = false;
  }
  if (open) return fail(LexFault{*open, "a parenthesis is not closed"});
  if (entry.words.empty()) return std::optional<MasterEntry>();
  return std::optional(std::move(entry));
}

std::optional<std::string> unescaped(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\\') {
      out += text[i];
      continue;
    }
    if (++i == text.size()) return std::nullopt;
    if (!is_digit(text[i])) {
      out += text[i];
      continue;
    }
    if (i + 2 >= text.size() || !is_digit(text[i + 1]) || !is_digit(text[i + 2])) {
      return std::nullopt;
    }
    const int value = (text[i] - '0') * 100 + (text[i + 1] - '0') * 10 + (text[i + 2] - '0');
    if (value > 255) return std::nullopt;
    out += static_cast<char>(value);
    i += 2;
  }
  return out;
}

}  // namespace timepool::dns
