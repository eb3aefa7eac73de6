#include "acme/challenge_responder.h"

#include <algorithm>
#include <array>
#include <optional>

#include "acme/base64url.h"
#include "base/ip.h"

namespace timepool::acme {
namespace {

std::string lower_case(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return out;
}

std::string_view trimmed(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(" \t");
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t") - begin + 1);
}

bool is_port(std::string_view text) {
  return text.size() <= 5 &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

bool is_token_char(char c) {
  // RFC 9110 5.6.2.
  constexpr std::string_view kMore = "!#$%&'*+-.^_`|~";
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
         kMore.find(c) != std::string_view::npos;
}

struct RequestLine {
  std::string_view method;
  std::string_view target;
};

// RFC 9112 3: method, target and version, one space between.
std::optional<RequestLine> parse_line(std::string_view line) {
  const std::size_t first = line.find(' ');
  const std::size_t last = line.rfind(' ');
  if (first == std::string_view::npos || first == 0 || last == first) return std::nullopt;
  const std::string_view version = line.substr(last + 1);
  if (version != "HTTP/1.1" && version != "HTTP/1.0") return std::nullopt;
  const RequestLine out{line.substr(0, first), line.substr(first + 1, last - first - 1)};
  const auto visible = [](char c) { return c > ' ' && c < 0x7f; };
  if (!std::all_of(out.method.begin(), out.method.end(), is_token_char) || out.target.empty() ||
      !std::all_of(out.target.begin(), out.target.end(), visible)) {
    return std::nullopt;
  }
  return out;
}

struct Fields {
  bool well_formed = true;
  std::size_t hosts = 0;
  std::string_view host;
};

Fields read_fields(std::string_view lines) {
  Fields out;
  while (!lines.empty() && out.well_formed) {
    const std::size_t end = lines.find("\r\n");
    const std::string_view line = lines.substr(0, end);
    lines = end == std::string_view::npos ? std::string_view() : lines.substr(end + 2);
    const std::size_t colon = line.find(':');
    const std::string_view name = line.substr(0, colon);
    // RFC 9112 5.1: no space before the colon; 5.2: no folded lines.
    out.well_formed = colon != std::string_view::npos && colon > 0 &&
                      std::all_of(name.begin(), name.end(), is_token_char) &&
                      line.find_first_of(std::string_view("\r\n\0", 3)) == std::string_view::npos;
    if (!out.well_formed || lower_case(name) != "host") continue;
    ++out.hosts;
    out.host = trimmed(line.substr(colon + 1));
  }
  return out;
}

struct Asked {
  std::string host;
  std::string_view path;
};

// RFC 9112 3.2.2: of a target that is a whole URL the host counts, not the field's.
std::optional<Asked> asked_of(std::string_view target, std::string_view host_field) {
  if (target.starts_with('/')) return Asked{host_of(host_field), target};
  constexpr std::string_view kScheme = "http://";
  if (lower_case(target.substr(0, kScheme.size())) != kScheme) return std::nullopt;
  target.remove_prefix(kScheme.size());
  const std::size_t slash = std::min(target.find_first_of("/?#"), target.size());
  return Asked{host_of(target.substr(0, slash)), target.substr(slash)};
}

const LiveChallenges::Proof* find_proof(const Asked& asked, const LiveChallenges& live) {
  if (!asked.path.starts_with(kChallengePath)) return nullptr;
  const std::string_view token = asked.path.substr(kChallengePath.size());
  if (token.size() > kMaxToken || !is_base64url(token)) return nullptr;
  const auto at = live.proofs.find(token);
  if (at == live.proofs.end() || at->second.name != asked.host) return nullptr;
  return &at->second;
}

std::string_view words_of(ChallengeReason reason) {
  switch (reason) {
    case ChallengeReason::kServed:
      return "OK";
    case ChallengeReason::kMalformed:
    case ChallengeReason::kNoHost:
      return "Bad Request";
    case ChallengeReason::kForeignHost:
      return "Misdirected Request";
    case ChallengeReason::kNotFound:
    case ChallengeReason::kMethod:
      return "Not Found";
    case ChallengeReason::kTooLong:
      return "Request Header Fields Too Large";
  }
  return "";
}

// `body` is not followed by a line feed: an authority compares it whole.
ChallengeAnswer answer(ChallengeReason reason, std::string_view body, bool with_body = true) {
  ChallengeAnswer out;
  out.reason = reason;
  out.octets = "HTTP/1.1 " + std::to_string(status_of(reason)) + " " +
               std::string(words_of(reason)) + "\r\nContent-Type: " +
               (reason == ChallengeReason::kServed ? "application/octet-stream" : "text/plain") +
               "\r\nContent-Length: " + std::to_string(body.size()) +
               "\r\nX-Content-Type-Options: nosniff\r\nCache-Control: no-store\r\n"
               "Connection: close\r\n\r\n";
  if (with_body) out.octets += body;
  return out;
}

ChallengeAnswer refusal(ChallengeReason reason) {
  return answer(reason, name_of(reason));
}

}  // namespace

std::string_view name_of(ChallengeReason reason) {
  constexpr std::array<std::string_view, kChallengeReasonCount> kNames = {
      "served", "malformed", "no_host", "foreign_host", "not_found", "method", "too_long"};
  return kNames[static_cast<std::size_t>(reason)];
}

int status_of(ChallengeReason reason) {
  switch (reason) {
    case ChallengeReason::kServed:
      return 200;
    case ChallengeReason::kMalformed:
    case ChallengeReason::kNoHost:
      return 400;
    case ChallengeReason::kForeignHost:
      return 421;
    case ChallengeReason::kNotFound:
    case ChallengeReason::kMethod:
      return 404;
    case ChallengeReason::kTooLong:
      return 431;
  }
  return 0;
}

std::string host_of(std::string_view authority) {
  if (authority.starts_with('[')) {
    const std::size_t close = authority.find(']');
    if (close == std::string_view::npos) return {};
    const std::string_view rest = authority.substr(close + 1);
    const auto address = parse_ip(authority.substr(1, close - 1));
    const bool port = rest.empty() || (rest.starts_with(':') && is_port(rest.substr(1)));
    return address.ok() && port ? format(*address) : std::string();
  }
  const std::size_t colon = authority.find(':');
  if (colon != std::string_view::npos && !is_port(authority.substr(colon + 1))) return {};
  const auto identifier = identifier_of(authority.substr(0, colon));
  return identifier.ok() ? identifier->value : std::string();
}

ChallengeAnswer answer_challenge(std::string_view head, const LiveChallenges& live) {
  if (head.size() > kMaxRequestHead) return refusal(ChallengeReason::kTooLong);
  const std::size_t end = head.find("\r\n");
  const auto line = parse_line(head.substr(0, end));
  const Fields fields =
      read_fields(end == std::string_view::npos ? std::string_view() : head.substr(end + 2));
  if (!line || !fields.well_formed) return refusal(ChallengeReason::kMalformed);
  if (fields.hosts != 1 || host_of(fields.host).empty()) return refusal(ChallengeReason::kNoHost);
  const auto asked = asked_of(line->target, fields.host);
  if (!asked || asked->host.empty()) return refusal(ChallengeReason::kMalformed);
  if (std::find(live.names.begin(), live.names.end(), asked->host) == live.names.end()) {
    return refusal(ChallengeReason::kForeignHost);
  }
  if (line->method != "GET" && line->method != "HEAD") return refusal(ChallengeReason::kMethod);
  const LiveChallenges::Proof* proof = find_proof(*asked, live);
  if (proof == nullptr) return refusal(ChallengeReason::kNotFound);
  return answer(ChallengeReason::kServed, proof->key_authorization, line->method == "GET");
}

}  // namespace timepool::acme
