#include "ntp/service.h"

#include <algorithm>

namespace timepool::ntp {
namespace {

constexpr std::string_view kPool = "{pool}";
constexpr std::size_t kMaxLabel = 63;
constexpr std::size_t kMaxName = 253;

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

std::string lowered(std::string_view text) {
  std::string out(text);
  if (out.size() > 1 && out.back() == '.') out.pop_back();
  std::transform(out.begin(), out.end(), out.begin(), lower);
  return out;
}

bool is_host_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-';
}

TargetFault fault_of(const ServiceTarget& target, bool suffix_only, const NtsSettings& settings,
                     std::string_view pool) {
  if (!is_host_name(target.target)) return TargetFault::kName;
  if (target.port == 0) return TargetFault::kPort;
  if (suffix_only && !within_suffix(target.target, settings.suffix, pool)) {
    return TargetFault::kSuffix;
  }
  return TargetFault::kNone;
}

// What is made of an answer that DNS does not prove, and of none.
ServiceVerdict without_proof(const NtsSettings& settings, ServiceVerdict otherwise) {
  // The pool's own name is what its operator configured: TLS proves it whatever DNS says.
  return settings.lookup == ServerLookup::kEither ? ServiceVerdict::kHost : otherwise;
}

std::vector<JudgedTarget> judged_targets(const ServiceAnswer& answer, const NtsSettings& settings,
                                         std::string_view pool) {
  std::vector<JudgedTarget> out;
  for (const ServiceTarget& it : answer.targets) {
    if (out.size() >= kMaxTargets) break;
    if (it.target == ".") continue;
    ServiceTarget target = it;
    target.target = lowered(it.target);
    const bool twice = std::any_of(out.begin(), out.end(), [&](const JudgedTarget& other) {
      return other.target.target == target.target;
    });
    if (twice) continue;
    out.push_back({target, fault_of(target, answer.trust != DnsTrust::kSecure, settings, pool)});
  }
  return out;
}

}  // namespace

std::string_view name_of(DnsTrust trust) {
  constexpr std::string_view kNames[] = {"secure", "insecure", "bogus"};
  return kNames[static_cast<std::size_t>(trust)];
}

std::string_view name_of(ServiceVerdict verdict) {
  constexpr std::string_view kNames[] = {"use",      "host",  "nobody", "no_record", "alias",
                                         "insecure", "bogus", "failed", "no_target"};
  return kNames[static_cast<std::size_t>(verdict)];
}

std::string_view name_of(TargetFault fault) {
  constexpr std::string_view kNames[] = {"none", "bad_name", "port_0", "outside_suffix"};
  return kNames[static_cast<std::size_t>(fault)];
}

std::vector<ServiceTarget> ServiceJudgement::usable() const {
  std::vector<ServiceTarget> out;
  for (const JudgedTarget& it : targets) {
    if (it.fault == TargetFault::kNone) out.push_back(it.target);
  }
  return out;
}

std::string service_name(std::string_view pool) {
  std::string out = "_ntske._tcp." + std::string(pool);
  if (out.back() != '.') out += '.';
  return out;
}

bool is_host_name(std::string_view name) {
  if (name.empty() || name.size() > kMaxName) return false;
  while (true) {
    const std::size_t end = std::min(name.find('.'), name.size());
    const std::string_view label = name.substr(0, end);
    if (label.empty() || label.size() > kMaxLabel) return false;
    if (!std::all_of(label.begin(), label.end(), is_host_character)) return false;
    if (end == name.size()) return true;
    name.remove_prefix(end + 1);
  }
}

bool within_suffix(std::string_view target, std::string_view suffix, std::string_view pool) {
  std::string wanted(suffix);
  const std::size_t at = wanted.find(kPool);
  if (at != std::string::npos) wanted.replace(at, kPool.size(), pool);
  wanted = lowered(wanted);
  const std::string name = lowered(target);
  if (!wanted.starts_with("*.")) return name == wanted;
  const std::size_t label = name.find('.');
  return label != std::string::npos && label > 0 &&
         name.substr(label) == std::string_view(wanted).substr(1);
}

ServiceJudgement judge(const ServiceAnswer& answer, const NtsSettings& settings,
                       std::string_view pool) {
  ServiceJudgement out;
  // LC6. What the proof fails of is nobody's: neither way is taken by it.
  if (answer.trust == DnsTrust::kBogus) {
    out.verdict = ServiceVerdict::kBogus;
    return out;
  }
  if (answer.status == ServiceStatus::kFailed) return out;
  if (answer.alias) {
    out.verdict = ServiceVerdict::kAlias;
    return out;
  }
  const bool secure = answer.trust == DnsTrust::kSecure;
  if (answer.status == ServiceStatus::kNone || answer.targets.empty()) {
    const bool proved = secure || settings.trust == ServiceTrust::kSecureOrSuffix;
    out.verdict =
        without_proof(settings, proved ? ServiceVerdict::kNoRecord : ServiceVerdict::kInsecure);
    return out;
  }
  if (!secure && settings.trust == ServiceTrust::kSecure) {
    out.verdict = without_proof(settings, ServiceVerdict::kInsecure);
    return out;
  }
  // LC7, RFC 2782: "." alone says that there is no such service: nor is another way tried.
  const bool nobody = std::all_of(answer.targets.begin(), answer.targets.end(),
                                  [](const ServiceTarget& it) { return it.target == "."; });
  if (nobody) {
    out.verdict = ServiceVerdict::kNobody;
    return out;
  }
  out.targets = judged_targets(answer, settings, pool);
  out.verdict = out.usable().empty() ? ServiceVerdict::kNoTarget : ServiceVerdict::kUse;
  return out;
}

}  // namespace timepool::ntp
