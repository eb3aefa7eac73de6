#include "ntp/server/prefix_list.h"

#include <utility>

namespace timepool::ntp {
namespace {

// The line without its comment and the blanks about it.
std::string_view content_of(std::string_view line) {
  constexpr std::string_view kBlanks = " \t\r\f\v";
  line = line.substr(0, line.find_first_of("#;"));
  const std::size_t first = line.find_first_not_of(kBlanks);
  if (first == std::string_view::npos) return {};
  return line.substr(first, line.find_last_not_of(kBlanks) - first + 1);
}

// What may stand in a log: no control characters, not without end.
std::string printable(std::string_view text) {
  constexpr std::size_t kMax = 64;
  std::string out(text.substr(0, kMax));
  for (char& c : out) {
    if (c < 0x20 || c > 0x7e) c = '?';
  }
  return out + (text.size() > kMax ? "..." : "");
}

Failure<PrefixListFault> fault(std::size_t line, std::string text) {
  return fail(PrefixListFault{line, std::move(text)});
}

}  // namespace

Result<std::vector<Prefix>, PrefixListFault> parse_prefix_list(std::string_view text,
                                                               std::size_t max) {
  std::vector<Prefix> out;
  for (std::size_t number = 1; !text.empty(); ++number) {
    const std::size_t end = text.find('\n');
    const std::string_view line = text.substr(0, end);
    text = end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
    if (line.size() > kMaxPrefixListLine) return fault(number, "the line is too long");
    const std::string_view content = content_of(line);
    if (content.empty()) continue;
    const Result<Prefix> prefix = parse_prefix(content);
    if (!prefix.ok()) {
      return fault(number, "\"" + printable(content) + "\": " + prefix.error().detail);
    }
    if (out.size() == max) {
      return fault(number, "more than " + std::to_string(max) + " prefixes");
    }
    out.push_back(*prefix);
  }
  return out;
}

}  // namespace timepool::ntp
