// MasterLexer: the words of a standard master file (RFC 1035 5.1), entry by entry: comments and
// line ends within parentheses are gone, quotes and escapes are known. The text must outlive the
// words, which are views into it.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "dns/zone/json_place.h"

namespace timepool::dns {

// A word as it stands in the file, its escapes included; a quoted one without its quotes. A word
// may have quotes within, as in key="a b": those stay.
struct Word {
  std::string_view text;
  bool quoted = false;
  std::size_t offset = 0;  // in the file's text
};

struct MasterEntry {
  std::vector<Word> words;    // one or more
  bool starts_blank = false;  // the line began with a blank: the owner is the one before
};

struct LexFault {
  std::size_t offset = 0;
  std::string text;
};

class MasterLexer {
 public:
  // So many words hold the longest data there is, character by character.
  static constexpr std::size_t kMaxWords = 8192;

  explicit MasterLexer(std::string_view text) : text_(text) {}

  // The next entry, which may fill several lines; nullopt at the end. Errors: an open parenthesis
  // or quote, a closing parenthesis too much, more than kMaxWords words. After one: no more calls.
  Result<std::optional<MasterEntry>, LexFault> next();

 private:
  Result<void, LexFault> word(MasterEntry& entry);
  void skip_comment();

  std::string_view text_;
  std::size_t at_ = 0;
};

// The octets of a word: \DDD and \X decoded (RFC 1035 5.1). nullopt for a broken escape.
std::optional<std::string> unescaped(std::string_view text);

}  // namespace timepool::dns
