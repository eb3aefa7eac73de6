// The part of the TimeClient that looks up names: the resolver of the system's kind for sources
// with an address or a name, and the validating one for pools by SRV records and their servers.
#include <algorithm>

#include "ntpd/kernel_clock.h"
#include "ntpd/time_client.h"
#include "sys/clock.h"

namespace timepool::ntpd {
namespace {

// The system clock that is so near is as good.
constexpr Duration kSameTime = Duration::seconds(60);
// With fewer that must agree, one forged answer decides on the time.
constexpr std::size_t kLeastQuorum = 3;

std::string_view words_of(ntp::TargetDrop cause) {
  switch (cause) {
    case ntp::TargetDrop::kNone:
      return "is taken";
    case ntp::TargetDrop::kNoAddress:
      return "is given up: its name has no address";
    case ntp::TargetDrop::kNoKeys:
      return "is given up: it gives no keys";
    case ntp::TargetDrop::kSilent:
      return "is replaced: it does not answer";
    case ntp::TargetDrop::kUseless:
      return "is replaced: its time is of no use";
    case ntp::TargetDrop::kDenied:
      return "is replaced: it denies us";
    case ntp::TargetDrop::kNameGone:
      return "is dropped: the pool took its name away";
    case ntp::TargetDrop::kSameAddress:
      return "is given up: its addresses are in use for another server of the pool";
    case ntp::TargetDrop::kOtherSource:
      return "is left out: it is a source of its own";
    case ntp::TargetDrop::kUntrusted:
      return "is dropped: what named it is not proved";
    case ntp::TargetDrop::kSurplus:
      break;
  }
  return "is not needed any more";
}

}  // namespace

// RFC 4034 3.1.5 by a clock that may be wrong: as the dates of certificates are judged
// (nts/certificate_dates.h), and never by a time that is known to be over.
net::SignatureDates TimeClient::signature_dates() {
  const ntp::ClockReading now = read_clocks();
  const nts::DateRule rule = keeper_.certificate_dates(now);
  const bool quorum = keeper_.sources().selection_config().unchecked_quorum >= kLeastQuorum;
  if (rule.judged == nts::DatesJudged::kNot && quorum) return {false, {}};
  const UnixTime at = std::max(rule.time, earliest_);
  if ((at - now.system).abs() < kSameTime) return {};
  return {true, at};
}

void TimeClient::resolve(ntp::SourceId id) {
  const ntp::Source& source = *sources().sources().find(id);
  const std::string& name = source.config().name;
  if (source.finds_services()) {
    return services_.find_services(
        name, signature_dates(),
        [this, id](const ntp::ServiceAnswer& answer) { on_services(id, answer); });
  }
  if (source.config().pool != ntp::kNoSource) {
    return services_.find_addresses(
        name, signature_dates(),
        [this, id](const net::AddressLookup& found) { on_validated(id, found); });
  }
  resolver_->lookup(name, net::LookupFamily::kBoth, sys::mono_now(),
                    [this, id](const net::LookupResult& found) { on_addresses(id, found); });
}

void TimeClient::on_services(ntp::SourceId id, const ntp::ServiceAnswer& answer) {
  const ntp::Source* source = sources().sources().find(id);
  if (source == nullptr) return;
  const std::string name = source->config().name;
  const ntp::ServiceJudgement judged = ntp::judge(answer, source->config().nts, name);
  const bool good = judged.verdict == ntp::ServiceVerdict::kUse;
  const std::string because = answer.why.empty() ? "" : ": " + answer.why;
  if (good) {
    logger_.debug("{}: {} servers by SRV records, {}{}", name, judged.usable().size(),
                  name_of(answer.trust), answer.dates_checked ? "" : ", dates unchecked");
  } else if (judged.verdict == ntp::ServiceVerdict::kHost) {
    logger_.info("{}: no SRV records that are proved: its own name is asked for keys", name);
  } else {
    logger_.warning("{}: SRV records are not followed: {}{}", name, name_of(judged.verdict),
                    because);
  }
  for (const ntp::JudgedTarget& it : judged.targets) {
    if (it.fault == ntp::TargetFault::kNone) continue;
    logger_.warning("{}: {} is refused: {}", name, it.target.target, name_of(it.fault));
  }
  keeper_.sources().handle_services(id, answer, sys::mono_now());
  schedule();
}

// LC5: that a name is gone counts when it is proved, or the pool's records need no proof.
void TimeClient::on_validated(ntp::SourceId id, const net::AddressLookup& found) {
  const ntp::Source* source = sources().sources().find(id);
  if (source == nullptr) return;
  const bool denied = found.found.status == net::LookupStatus::kNxDomain ||
                      found.found.status == net::LookupStatus::kNoData;
  const bool proved = found.security == net::DnsSecurity::kSecure ||
                      source->config().nts.trust == ntp::ServiceTrust::kSecureOrSuffix;
  if (!denied || !proved) {
    if (found.security == net::DnsSecurity::kBogus) {
      logger_.warning("{}: addresses are bogus: {}", source->config().name, found.why);
    }
    return on_addresses(id, found.found);
  }
  logger_.warning("{}: no address: {}, {}", source->config().name, name_of(found.found.status),
                  name_of(found.security));
  keeper_.sources().handle_gone(id, sys::mono_now());
  schedule();
}

void TimeClient::on_addresses(ntp::SourceId source, const net::LookupResult& result) {
  if (sources().sources().find(source) == nullptr) return;
  if (result.status == net::LookupStatus::kOk) {
    logger_.debug("{}: {} addresses", sources().name(source), result.addresses.size());
  } else {
    logger_.warning("{}: no address: {}", sources().name(source), net::name_of(result.status));
  }
  keeper_.sources().handle_addresses(source, result.addresses, sys::mono_now());
  schedule();
}

void TimeClient::note_targets(const ntp::Outbox& out) {
  for (const ntp::TargetNote& note : out.targets) {
    const ntp::Source* pool = sources().sources().find(note.pool);
    const std::string name = pool == nullptr ? "a pool" : pool->config().name;
    if (note.cause == ntp::TargetDrop::kNone || note.cause == ntp::TargetDrop::kSurplus) {
      logger_.info("{}: {} {}", name, note.target, words_of(note.cause));
    } else {
      logger_.warning("{}: {} {}", name, note.target, words_of(note.cause));
    }
    ++target_notes_[static_cast<std::size_t>(note.cause)];
  }
}

}  // namespace timepool::ntpd
