#include "acme/message.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "base/civil.h"

namespace timepool::acme {
namespace {

// Seconds of a Retry-After that are believed at all: what is longer is cut by who uses it.
constexpr std::int64_t kMostSeconds = 10LL * 366 * kSecondsPerDay;

std::optional<std::int64_t> number(std::string_view text) {
  std::int64_t out = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  if (text.empty() || text.front() == '-' || error != std::errc() ||
      end != text.data() + text.size()) {
    return std::nullopt;
  }
  return out;
}

std::string_view trimmed(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(" \t");
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t") - begin + 1);
}

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

bool equal_ignoring_case(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](char x, char y) { return lower(x) == lower(y); });
}

// Whether parameters like `;rel="alternate up";title=x` have the relation `kind` (RFC 8288 3.3).
bool has_relation(std::string_view parameters, std::string_view kind) {
  while (!parameters.empty()) {
    const std::size_t next = parameters.find(';', 1);
    std::string_view one = trimmed(parameters.substr(0, next));
    parameters = next == std::string_view::npos ? std::string_view() : parameters.substr(next);
    if (one.starts_with(';')) one = trimmed(one.substr(1));
    const std::size_t equals = one.find('=');
    if (equals == std::string_view::npos ||
        !equal_ignoring_case(trimmed(one.substr(0, equals)), "rel")) {
      continue;
    }
    std::string_view value = trimmed(one.substr(equals + 1));
    if (value.size() >= 2 && value.starts_with('"') && value.ends_with('"')) {
      value = value.substr(1, value.size() - 2);
    }
    while (!value.empty()) {
      const std::size_t space = value.find(' ');
      if (equal_ignoring_case(value.substr(0, space), kind)) return true;
      value = space == std::string_view::npos ? std::string_view() : value.substr(space + 1);
    }
  }
  return false;
}

}  // namespace

std::string_view name_of(Request::Method method) {
  switch (method) {
    case Request::Method::kGet:
      return "GET";
    case Request::Method::kHead:
      return "HEAD";
    case Request::Method::kPost:
      return "POST";
  }
  return "";
}

std::optional<std::int64_t> parse_http_date(std::string_view text) {
  // "Sun, 06 Nov 1994 08:49:37 GMT": the day of the week says nothing that is not there.
  constexpr std::string_view kShape = "___, __ ___ ____ __:__:__ GMT";
  if (text.size() != kShape.size()) return std::nullopt;
  for (std::size_t i = 0; i < kShape.size(); ++i) {
    if (kShape[i] != '_' && kShape[i] != text[i]) return std::nullopt;
  }
  constexpr std::string_view kMonths = "JanFebMarAprMayJunJulAugSepOctNovDec";
  const std::size_t month = kMonths.find(text.substr(8, 3));
  const auto day = number(text.substr(5, 2));
  const auto year = number(text.substr(12, 4));
  const auto hour = number(text.substr(17, 2));
  const auto minute = number(text.substr(20, 2));
  const auto second = number(text.substr(23, 2));
  if (month == std::string_view::npos || month % 3 != 0 || !day || !year || !hour || !minute ||
      !second || *day < 1 || *day > 31 || *hour > 23 || *minute > 59 || *second > 60) {
    return std::nullopt;
  }
  const CivilDate date{*year, static_cast<int>(month / 3) + 1, static_cast<int>(*day)};
  return days_of(date) * kSecondsPerDay + *hour * 3600 + *minute * 60 + *second;
}

std::optional<Duration> retry_after_of(const Reply& reply) {
  const std::string_view text = trimmed(reply.retry_after);
  if (text.empty()) return std::nullopt;
  if (std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; })) {
    return Duration::seconds(std::min(number(text).value_or(kMostSeconds), kMostSeconds));
  }
  const auto then = parse_http_date(text);
  const auto now = parse_http_date(trimmed(reply.date));
  if (!then || !now) return std::nullopt;
  return Duration::seconds(std::clamp<std::int64_t>(*then - *now, 0, kMostSeconds));
}

std::vector<std::string> links_of(const Reply& reply, std::string_view kind) {
  std::vector<std::string> out;
  std::size_t looked_at = 0;
  for (std::string_view rest : reply.links) {
    // One field may hold several: <a>;rel=x, <b>;rel=y
    while (looked_at++ < kMaxLinks) {
      const std::size_t open = rest.find('<');
      const std::size_t close = rest.find('>', open);
      if (open == std::string_view::npos || close == std::string_view::npos) break;
      const std::string_view target = rest.substr(open + 1, close - open - 1);
      rest = rest.substr(close + 1);
      const std::string_view parameters = rest.substr(0, rest.find('<'));
      const std::size_t comma = parameters.rfind(',');
      if (has_relation(parameters.substr(0, comma), kind)) out.emplace_back(target);
    }
  }
  return out;
}

bool is_https_url(std::string_view text) {
  constexpr std::string_view kScheme = "https://";
  if (text.size() > kMaxUrl || text.size() <= kScheme.size() ||
      !equal_ignoring_case(text.substr(0, kScheme.size()), kScheme)) {
    return false;
  }
  const std::string_view rest = text.substr(kScheme.size());
  const std::string_view host = rest.substr(0, rest.find_first_of("/?#"));
  return !host.empty() && host.find('@') == std::string_view::npos &&
         std::all_of(text.begin(), text.end(), [](char c) {
           return c > ' ' && c < 0x7f && c != '"' && c != '<' && c != '>' && c != '\\';
         });
}

}  // namespace timepool::acme
