#include "acme/resources.h"

#include <algorithm>
#include <array>
#include <boost/json/serialize.hpp>

#include "acme/base64url.h"
#include "acme/json_fields.h"
#include "acme/message.h"
#include "base/ip.h"

namespace timepool::acme {
namespace {

constexpr std::array<std::string_view, 8> kStatuses = {
    "pending", "ready", "processing", "valid", "invalid", "deactivated", "expired", "revoked"};
constexpr std::array<std::string_view, 2> kChallengeTypes = {"http-01", "tls-alpn-01"};
// RFC 1035 2.3.4.
constexpr std::size_t kMaxName = 253;
constexpr std::size_t kMaxLabel = 63;

bool is_label(std::string_view label) {
  const auto inner = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
  };
  return !label.empty() && label.size() <= kMaxLabel && label.front() != '-' &&
         label.back() != '-' && std::all_of(label.begin(), label.end(), inner);
}

bool is_host_name(std::string_view name) {
  if (name.empty() || name.size() > kMaxName) return false;
  for (;;) {
    const std::size_t dot = name.find('.');
    if (!is_label(name.substr(0, dot))) return false;
    if (dot == std::string_view::npos) return true;
    name.remove_prefix(dot + 1);
  }
}

std::string lower_case(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return out;
}

std::optional<Identifier> read_identifier(const boost::json::object& object) {
  Identifier out{std::string(text_of(object, "type")), lower_case(text_of(object, "value"))};
  if (out.type.empty() || out.value.empty() || out.value.size() > kMaxName) return std::nullopt;
  if (out.type == "ip") {
    const auto address = parse_ip(out.value);
    if (!address.ok()) return std::nullopt;
    out.value = format(*address);
  }
  return out;
}

Problem read_error(const boost::json::object& object) {
  const boost::json::object* error = object_of(object, "error");
  return error == nullptr ? Problem() : parse_problem(boost::json::serialize(*error));
}

bool read_authorizations(const boost::json::array& list, Order& out) {
  if (list.empty() || list.size() > kMaxNames) return false;
  for (const auto& it : list) {
    const auto* url = it.if_string();
    if (url == nullptr || !is_https_url({url->data(), url->size()})) return false;
    out.authorizations.emplace_back(url->data(), url->size());
  }
  return true;
}

// What a challenge of these types needs is there; of others only the type is of interest.
std::optional<OfferedChallenge> read_challenge(const boost::json::object& object) {
  OfferedChallenge out;
  out.type = plain(text_of(object, "type"), kMaxToken);
  out.url = text_of(object, "url");
  out.token = text_of(object, "token");
  out.status = plain(text_of(object, "status"), kMaxToken);
  out.error = read_error(object);
  if (out.type.empty()) return std::nullopt;
  const bool ours = parse_challenge_type(out.type).has_value();
  // RFC 8555 8.1, 8.3: nothing but this alphabet, whatever it is put into.
  const bool whole =
      is_https_url(out.url) && is_base64url(out.token) && out.token.size() <= kMaxToken;
  if (ours && !whole) return std::nullopt;
  return out;
}

}  // namespace

std::string_view name_of(Status status) {
  return kStatuses[static_cast<std::size_t>(status)];
}

std::optional<Status> parse_status(std::string_view text) {
  const auto* at = std::find(kStatuses.begin(), kStatuses.end(), text);
  if (at == kStatuses.end()) return std::nullopt;
  return static_cast<Status>(at - kStatuses.begin());
}

std::string_view name_of(ChallengeType type) {
  return kChallengeTypes[static_cast<std::size_t>(type)];
}

std::optional<ChallengeType> parse_challenge_type(std::string_view text) {
  const auto* at = std::find(kChallengeTypes.begin(), kChallengeTypes.end(), text);
  if (at == kChallengeTypes.end()) return std::nullopt;
  return static_cast<ChallengeType>(at - kChallengeTypes.begin());
}

Result<Identifier, FailureKind> identifier_of(std::string_view text) {
  if (const auto address = parse_ip(text); address.ok()) {
    return Identifier{"ip", format(*address)};
  }
  std::string name = lower_case(text);
  if (name.ends_with('.')) name.pop_back();
  if (!is_host_name(name)) return fail(FailureKind::kLocal);
  return Identifier{"dns", std::move(name)};
}

Result<Order, FailureKind> parse_order(std::string_view body) {
  const auto object = json_object(body);
  if (!object) return fail(FailureKind::kRubbish);
  Order out;
  const auto status = parse_status(text_of(*object, "status"));
  const auto* identifiers = list_of(*object, "identifiers");
  const auto* authorizations = list_of(*object, "authorizations");
  if (!status || identifiers == nullptr || authorizations == nullptr ||
      identifiers->size() > kMaxNames || !read_authorizations(*authorizations, out)) {
    return fail(FailureKind::kRubbish);
  }
  out.status = *status;
  for (const auto& it : *identifiers) {
    const auto* one = it.if_object();
    auto identifier = one == nullptr ? std::nullopt : read_identifier(*one);
    if (!identifier) return fail(FailureKind::kRubbish);
    out.identifiers.push_back(std::move(*identifier));
  }
  std::sort(out.identifiers.begin(), out.identifiers.end());
  out.finalize = text_of(*object, "finalize");
  out.certificate = text_of(*object, "certificate");
  out.error = read_error(*object);
  const bool urls =
      is_https_url(out.finalize) && (out.certificate.empty() || is_https_url(out.certificate));
  if (!urls) return fail(FailureKind::kRubbish);
  return out;
}

Result<Authorization, FailureKind> parse_authorization(std::string_view body) {
  const auto object = json_object(body);
  if (!object) return fail(FailureKind::kRubbish);
  Authorization out;
  const auto status = parse_status(text_of(*object, "status"));
  const auto* identifier = object_of(*object, "identifier");
  const auto* challenges = list_of(*object, "challenges");
  auto named = identifier == nullptr ? std::nullopt : read_identifier(*identifier);
  if (!status || !named || challenges == nullptr) return fail(FailureKind::kRubbish);
  out.status = *status;
  out.identifier = std::move(*named);
  for (const auto& it : *challenges) {
    const auto* one = it.if_object();
    if (one == nullptr || out.challenges.size() >= Authorization::kMaxChallenges) continue;
    if (auto challenge = read_challenge(*one)) out.challenges.push_back(std::move(*challenge));
  }
  return out;
}

Result<std::vector<std::string>, FailureKind> split_chain(std::string_view pem) {
  constexpr std::string_view kBegin = "-----BEGIN CERTIFICATE-----";
  constexpr std::string_view kEnd = "-----END CERTIFICATE-----";
  constexpr std::string_view kSpace = " \t\r\n";
  std::vector<std::string> out;
  for (;;) {
    const std::size_t start = pem.find_first_not_of(kSpace);
    if (start == std::string_view::npos) break;
    pem.remove_prefix(start);
    const std::size_t end = pem.find(kEnd);
    if (!pem.starts_with(kBegin) || end == std::string_view::npos || out.size() >= kMaxChain) {
      return fail(FailureKind::kRubbish);
    }
    const std::string_view inner = pem.substr(kBegin.size(), end - kBegin.size());
    const bool base64 = std::all_of(inner.begin(), inner.end(), [](char c) {
      return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
             c == '+' || c == '/' || c == '=' || c == '\r' || c == '\n';
    });
    if (!base64) return fail(FailureKind::kRubbish);
    std::string one(pem.substr(0, end + kEnd.size()));
    std::erase(one, '\r');
    out.push_back(one + "\n");
    pem.remove_prefix(end + kEnd.size());
  }
  if (out.empty()) return fail(FailureKind::kRubbish);
  return out;
}

}  // namespace timepool::acme
