#include "net/http_target.h"

#include <utility>

namespace timepool::net {
namespace {

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

bool is_control(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte < 0x20 || byte == 0x7f;
}

bool is_unreserved(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' ||
         c == '.' || c == '_' || c == '~';
}

// RFC 9112 3.2.2: a server must accept "http://host/path"; host and scheme are dropped.
Result<std::string_view, BadTarget> origin_form(std::string_view target) {
  if (target == "*" || target.starts_with('/')) return target;
  for (const std::string_view scheme : {"http://", "https://"}) {
    if (!target.starts_with(scheme)) continue;
    const std::size_t end = target.find_first_of("/?", scheme.size());
    if (end == scheme.size()) return fail(BadTarget::kForm);
    if (end == std::string_view::npos) return std::string_view("/");
    if (target[end] == '?') return fail(BadTarget::kForm);
    return target.substr(end);
  }
  return fail(BadTarget::kForm);
}

}  // namespace

std::string_view explain(BadTarget bad) {
  switch (bad) {
    case BadTarget::kForm:
      return "the request target is neither a path nor an http URL";
    case BadTarget::kEscape:
      return "the request target has a % without two hexadecimal digits";
    case BadTarget::kCharacter:
      return "the request target has a control character";
    case BadTarget::kTooMany:
      return "the request target has more than 32 path segments or 64 query parameters";
  }
  return "";
}

Result<std::string, BadTarget> percent_decode(std::string_view text, bool plus_is_space) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    char c = text[i];
    if (c == '%') {
      if (text.size() - i < 3) return fail(BadTarget::kEscape);
      const int high = hex_digit(text[i + 1]);
      const int low = hex_digit(text[i + 2]);
      if (high < 0 || low < 0) return fail(BadTarget::kEscape);
      c = static_cast<char>(high * 16 + low);
      i += 2;
    } else if (c == '+' && plus_is_space) {
      c = ' ';
    }
    if (is_control(c)) return fail(BadTarget::kCharacter);
    out.push_back(c);
  }
  return out;
}

std::string percent_encode(std::string_view text) {
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    if (is_unreserved(c)) {
      out.push_back(c);
      continue;
    }
    const auto byte = static_cast<unsigned char>(c);
    out.push_back('%');
    out.push_back(kDigits[byte >> 4]);
    out.push_back(kDigits[byte & 15]);
  }
  return out;
}

Result<HttpPairs, BadTarget> parse_pairs(std::string_view text) {
  HttpPairs out;
  while (!text.empty()) {
    const std::size_t end = text.find('&');
    const std::string_view part = text.substr(0, end);
    text = end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
    if (part.empty()) continue;
    if (out.size() == kMaxQueryPairs) return fail(BadTarget::kTooMany);
    const std::size_t equals = part.find('=');
    std::string name = TRY(percent_decode(part.substr(0, equals), true));
    std::string value;
    if (equals != std::string_view::npos)
      value = TRY(percent_decode(part.substr(equals + 1), true));
    out.emplace_back(std::move(name), std::move(value));
  }
  return out;
}

Result<HttpTarget, BadTarget> parse_target(std::string_view target) {
  target = TRY(origin_form(target));
  HttpTarget out;
  const std::size_t question = target.find('?');
  const std::string_view path = target.substr(0, question);
  out.path = path;
  if (path != "*") {
    std::string_view rest = path.substr(1);
    for (;;) {
      if (out.segments.size() == kMaxPathSegments) return fail(BadTarget::kTooMany);
      const std::size_t slash = rest.find('/');
      out.segments.push_back(TRY(percent_decode(rest.substr(0, slash), false)));
      if (slash == std::string_view::npos) break;
      rest = rest.substr(slash + 1);
    }
  }
  if (question != std::string_view::npos) out.query = TRY(parse_pairs(target.substr(question + 1)));
  return out;
}

}  // namespace timepool::net
