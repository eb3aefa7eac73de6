#include "acme/problem.h"

#include <algorithm>
#include <array>
#include <utility>

#include "acme/json_fields.h"

namespace timepool::acme {
namespace {

constexpr std::string_view kPrefix = "urn:ietf:params:acme:error:";

std::string short_type(std::string_view type) {
  if (type.starts_with(kPrefix)) type.remove_prefix(kPrefix.size());
  return plain(type, Problem::kMaxText);
}

// RFC 8555 6.7, the profiles draft 5, and RFC 9773 for alreadyReplaced, which is handled before.
constexpr std::array<std::pair<std::string_view, FailureKind>, 17> kKinds = {{
    {"accountDoesNotExist", FailureKind::kAccount},
    {"unauthorized", FailureKind::kRefused},
    {"badPublicKey", FailureKind::kAccount},
    {"badSignatureAlgorithm", FailureKind::kAccount},
    {"externalAccountRequired", FailureKind::kExternalAccount},
    {"userActionRequired", FailureKind::kTerms},
    {"invalidProfile", FailureKind::kProfile},
    {"rateLimited", FailureKind::kRateLimited},
    {"badNonce", FailureKind::kNonces},
    {"connection", FailureKind::kChallenge},
    {"dns", FailureKind::kChallenge},
    {"incorrectResponse", FailureKind::kChallenge},
    {"tls", FailureKind::kChallenge},
    {"caa", FailureKind::kCaa},
    {"serverInternal", FailureKind::kUnreachable},
    {"invalidContact", FailureKind::kAccount},
    {"unsupportedContact", FailureKind::kAccount},
}};

std::string describe_part(const std::string& name, const std::string& detail,
                          const std::string& type) {
  std::string out = name.empty() ? "" : name + ": ";
  out += detail.empty() ? type : detail;
  if (!detail.empty() && !type.empty()) out += " (" + type + ")";
  return out;
}

}  // namespace

Problem parse_problem(std::string_view body) {
  Problem out;
  const auto object = json_object(body);
  if (!object) return out;
  out.type = short_type(text_of(*object, "type"));
  out.detail = plain(text_of(*object, "detail"), Problem::kMaxText);
  out.instance = plain(text_of(*object, "instance"), Problem::kMaxText);
  const auto* parts = list_of(*object, "subproblems");
  if (parts == nullptr) return out;
  for (const auto& value : *parts) {
    const auto* part = value.if_object();
    if (part == nullptr || out.parts.size() >= Problem::kMaxParts) continue;
    const auto* identifier = object_of(*part, "identifier");
    out.parts.push_back(
        {short_type(text_of(*part, "type")), plain(text_of(*part, "detail"), Problem::kMaxText),
         identifier == nullptr ? "" : plain(text_of(*identifier, "value"), Problem::kMaxText)});
  }
  return out;
}

std::string describe(const Problem& problem) {
  std::string out = describe_part("", problem.detail, problem.type);
  for (const Problem::Part& part : problem.parts) {
    if (out.size() > Problem::kMaxText) break;
    out += "; " + describe_part(part.name, part.detail, part.type);
  }
  if (!problem.instance.empty()) out += "; see " + problem.instance;
  return out;
}

FailureKind kind_of(const Problem& problem, int status) {
  const auto* at = std::find_if(kKinds.begin(), kKinds.end(),
                                [&](const auto& it) { return it.first == problem.type; });
  if (at != kKinds.end()) return at->second;
  if (status == 429) return FailureKind::kRateLimited;
  if (status >= 500) return FailureKind::kUnreachable;
  return problem.empty() && status < 400 ? FailureKind::kRubbish : FailureKind::kRefused;
}

}  // namespace timepool::acme
