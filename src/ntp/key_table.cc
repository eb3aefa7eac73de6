#include "ntp/key_table.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "base/hex.h"

namespace timepool::ntp {
namespace {

constexpr std::string_view kHex = "HEX:";
constexpr std::string_view kAscii = "ASCII:";

bool is_space(char c) {
  return c == ' ' || c == '\t' || c == '\r';
}

bool is_hex_digit(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

bool is_text(std::string_view line) {
  return std::all_of(line.begin(), line.end(),
                     [](char c) { return is_space(c) || (c > 0x20 && c < 0x7f); });
}

bool is_comment_mark(char c) {
  return c == '!' || c == ';' || c == '%';
}

// Up to a word that begins with #.
std::string_view without_comment(std::string_view line) {
  for (std::size_t i = 0; i < line.size(); ++i) {
    if (line[i] == '#' && (i == 0 || is_space(line[i - 1]))) return line.substr(0, i);
  }
  return line;
}

// The next word of `rest`; empty at its end.
std::string_view take_word(std::string_view& rest) {
  while (!rest.empty() && is_space(rest.front())) rest.remove_prefix(1);
  const auto end = std::find_if(rest.begin(), rest.end(), is_space);
  const std::string_view word = rest.substr(0, static_cast<std::size_t>(end - rest.begin()));
  rest.remove_prefix(word.size());
  return word;
}

std::optional<KeyId> parse_id(std::string_view word) {
  std::uint64_t value = 0;
  for (const char c : word) {
    if (c < '0' || c > '9') return std::nullopt;
    value = value * 10 + static_cast<std::uint64_t>(c - '0');
    if (value > 0xffff'ffff) return std::nullopt;
  }
  if (value == 0) return std::nullopt;
  return static_cast<KeyId>(value);
}

using Secret = std::vector<std::byte>;

Result<Secret, KeyFileError> parse_secret(std::string_view word) {
  bool hex = word.size() > kMaxPlainText && std::all_of(word.begin(), word.end(), is_hex_digit);
  if (word.starts_with(kHex)) {
    hex = true;
    word.remove_prefix(kHex.size());
  } else if (word.starts_with(kAscii)) {
    hex = false;
    word.remove_prefix(kAscii.size());
  }
  if (word.empty()) return fail(KeyFileError::kEmptyKey);
  Secret out;
  if (hex) {
    auto bytes = from_hex(word);
    if (!bytes.ok()) return fail(KeyFileError::kBadHex);
    out = std::move(bytes).value();
  } else {
    const Bytes bytes = std::as_bytes(std::span(word.data(), word.size()));
    out.assign(bytes.begin(), bytes.end());
  }
  if (out.size() > kMaxKeySize) return fail(KeyFileError::kKeyTooLong);
  return out;
}

Result<std::vector<Prefix>, KeyFileError> parse_addresses(std::string_view word) {
  std::vector<Prefix> out;
  while (!word.empty()) {
    const std::size_t comma = std::min(word.find(','), word.size());
    const Result<Prefix> prefix = parse_prefix(word.substr(0, comma));
    if (!prefix.ok()) return fail(KeyFileError::kBadAddress);
    if (out.size() == kMaxKeyPrefixes) return fail(KeyFileError::kTooManyAddresses);
    out.push_back(*prefix);
    const bool more = comma < word.size();
    word.remove_prefix(comma + (more ? 1 : 0));
    if (more && word.empty()) return fail(KeyFileError::kBadAddress);
  }
  return out;
}

Result<KeyEntry, KeyFileError> parse_entry(std::string_view number, std::string_view rest) {
  KeyEntry out;
  const std::optional<KeyId> id = parse_id(number);
  if (!id) return fail(KeyFileError::kBadNumber);
  out.id = *id;
  const std::string_view type_word = take_word(rest);
  if (type_word.empty()) return fail(KeyFileError::kNoType);
  const std::optional<MacType> type = parse_mac_type(type_word);
  if (!type) return fail(KeyFileError::kBadType);
  out.type = *type;
  const std::string_view key = take_word(rest);
  if (key.empty()) return fail(KeyFileError::kNoKey);
  out.secret = TRY(parse_secret(key));
  const std::size_t needed = key_size(out.type);
  if (needed != 0 && out.secret.size() != needed) return fail(KeyFileError::kBadLength);
  out.allowed = TRY(parse_addresses(take_word(rest)));
  if (!take_word(rest).empty()) return fail(KeyFileError::kTooManyWords);
  return out;
}

// The first entry, in the order of lines, whose number an earlier one has.
std::optional<std::size_t> line_of_twice(const std::vector<KeyEntry>& entries) {
  std::vector<std::pair<KeyId, std::size_t>> lines;
  lines.reserve(entries.size());
  for (const KeyEntry& it : entries) lines.emplace_back(it.id, it.line);
  std::sort(lines.begin(), lines.end());
  std::optional<std::size_t> out;
  for (std::size_t i = 1; i < lines.size(); ++i) {
    if (lines[i].first != lines[i - 1].first) continue;
    out = std::min(out.value_or(lines[i].second), lines[i].second);
  }
  return out;
}

}  // namespace

Result<std::vector<KeyEntry>, KeyFileFault> parse_key_table(std::string_view text) {
  if (text.size() > kMaxKeyFileSize) return fail(KeyFileFault{KeyFileError::kTooLong, 0});
  std::vector<KeyEntry> out;
  for (std::size_t number = 1; !text.empty(); ++number) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    std::string_view rest = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (rest.size() > kMaxKeyLine) return fail(KeyFileFault{KeyFileError::kLineTooLong, number});
    rest = without_comment(rest);
    const std::string_view first = take_word(rest);
    if (first.empty() || is_comment_mark(first.front())) continue;
    if (!is_text(first) || !is_text(rest))
      return fail(KeyFileFault{KeyFileError::kNotText, number});
    auto entry = parse_entry(first, rest);
    if (!entry.ok()) return fail(KeyFileFault{entry.error(), number});
    if (out.size() == kMaxKeys) return fail(KeyFileFault{KeyFileError::kTooManyKeys, number});
    entry->line = number;
    out.push_back(std::move(entry).value());
  }
  if (const auto twice = line_of_twice(out)) {
    return fail(KeyFileFault{KeyFileError::kTwice, *twice});
  }
  return out;
}

std::string_view describe(KeyFileError error) {
  switch (error) {
    case KeyFileError::kTooLong:
      return "the file is above 4 MiB";
    case KeyFileError::kTooManyKeys:
      return "more than 16384 keys";
    case KeyFileError::kLineTooLong:
      return "the line has more than 1024 characters";
    case KeyFileError::kNotText:
      return "the line has other characters than printable ASCII";
    case KeyFileError::kBadNumber:
      return "the number of the key is not 1 to 4294967295";
    case KeyFileError::kTwice:
      return "the number of the key is there already";
    case KeyFileError::kNoType:
      return "a line is NUMBER TYPE KEY [ADDRESSES]: the type is missing";
    case KeyFileError::kBadType:
      return "the type is not AES128, AES256, SHA256, SHA384, SHA512, SHA1 or MD5";
    case KeyFileError::kNoKey:
      return "a line is NUMBER TYPE KEY [ADDRESSES]: the key is missing";
    case KeyFileError::kBadHex:
      return "the key is not pairs of hexadecimal digits";
    case KeyFileError::kEmptyKey:
      return "the key is empty";
    case KeyFileError::kKeyTooLong:
      return "the key has more than 256 octets";
    case KeyFileError::kBadLength:
      return "a key of AES128 has 16 octets and one of AES256 has 32: HEX: and 32 or 64 digits";
    case KeyFileError::kBadAddress:
      return "the addresses are not a list of addresses or prefixes with commas between";
    case KeyFileError::kTooManyAddresses:
      return "more than 64 addresses";
    case KeyFileError::kTooManyWords:
      break;
  }
  return "a line is NUMBER TYPE KEY [ADDRESSES]: there is more";
}

}  // namespace timepool::ntp
