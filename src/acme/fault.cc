#include "acme/fault.h"

#include <algorithm>
#include <array>

namespace timepool::acme {
namespace {

constexpr std::array<std::string_view, kFailureKindCount> kNames = {
    "unreachable", "rubbish",   "rate_limited", "nonces",  "account", "external_account", "terms",
    "profile",     "challenge", "caa",          "refused", "stuck",   "certificate",      "local"};

}  // namespace

std::string_view name_of(FailureKind kind) {
  return kNames[static_cast<std::size_t>(kind)];
}

std::optional<FailureKind> parse_failure_kind(std::string_view text) {
  const auto* at = std::find(kNames.begin(), kNames.end(), text);
  if (at == kNames.end()) return std::nullopt;
  return static_cast<FailureKind>(at - kNames.begin());
}

}  // namespace timepool::acme
