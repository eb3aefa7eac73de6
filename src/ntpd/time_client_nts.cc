// The part of the TimeClient that establishes keys for its sources.
#include <algorithm>
#include <utility>

#include "ntpd/kernel_clock.h"
#include "ntpd/time_client.h"
#include "sys/clock.h"

namespace timepool::ntpd {

void TimeClient::establish(const ntp::EstablishAction& action) {
  const ntp::Source* source = sources().sources().find(action.source);
  if (source == nullptr) return;
  const nts::DateRule dates = keeper_.certificate_dates(read_clocks());
  const Result<void> begun = key_source_.establish(
      source->config(), action.server, dates,
      [this, id = action.id, name = source->config().name, server = action.server,
       judged = dates.judged](const KeyResult& result) {
        if (result.established() && judged == nts::DatesJudged::kNot) {
          logger_.info(
              "{}: keys established with {} in {}; the certificate's dates are not checked", name,
              format(server), format(result.total));
        } else if (result.established()) {
          logger_.info("{}: keys established with {} in {}", name, format(server),
                       format(result.total));
        } else {
          logger_.warning("{}: no keys from {}: {}", name, format(server), result.text);
        }
        on_keys(id, result, server, judged);
      });
  if (begun.ok()) return;
  logger_.error("{}: no keys from {}: {}", source->config().name, format(action.server),
                begun.error().text());
  // It is answered after this call, as every other.
  unsent_keys_.push_back(action.id);
  unsent_timer_ = reactor_.at(sys::mono_now(), [this] {
    for (const ntp::EstablishmentId id : std::exchange(unsent_keys_, {})) {
      ntp::EstablishmentResult result;
      result.unsent = true;
      keeper_.sources().handle_establishment(id, result, sys::mono_now());
    }
    schedule();
  });
}

void TimeClient::on_keys(ntp::EstablishmentId id, const KeyResult& result, Endpoint server,
                         nts::DatesJudged judged) {
  ntp::EstablishmentResult out;
  out.established = result.established() && result.establishment;
  out.unsent = result.outcome == KeyOutcome::kSystem || result.outcome == KeyOutcome::kUnreachable;
  if (!out.established) {
    keeper_.sources().handle_establishment(id, out, sys::mono_now());
    return schedule();
  }
  out.keys = *result.establishment;
  if (result.certificate) {
    out.certificate = {result.certificate->chain_not_before, result.certificate->chain_not_after,
                       judged};
  }
  // KEC5.
  out.server = {server.address, out.keys.port, server.scope_id};
  const std::string& named = out.keys.server;
  const Result<IpAddress> literal = parse_ip(named);
  if (literal.ok()) out.server = {*literal, out.keys.port, 0};
  if (!named.empty() && !literal.ok()) return find_named(id, std::move(out));
  keeper_.sources().handle_establishment(id, out, sys::mono_now());
  schedule();
}

// KEC6: the name is looked up as it stands; rather an address of the family that the keys came by.
void TimeClient::find_named(ntp::EstablishmentId id, ntp::EstablishmentResult result) {
  const std::string name = result.keys.server;
  resolver_->lookup(name, net::LookupFamily::kBoth, sys::mono_now(),
                    [this, id, name, result](const net::LookupResult& found) {
                      ntp::EstablishmentResult out = result;
                      const auto same = [&](const IpAddress& it) {
                        return it.is_v4() == result.server.address.is_v4();
                      };
                      const auto& all = found.addresses;
                      auto chosen = std::find_if(all.begin(), all.end(), same);
                      if (chosen == all.end()) chosen = all.begin();
                      out.established = chosen != all.end();
                      if (out.established) {
                        out.server.address = *chosen;
                      } else {
                        logger_.warning("{}: no address of the NTP server that the keys are for",
                                        name);
                      }
                      keeper_.sources().handle_establishment(id, out, sys::mono_now());
                      schedule();
                    });
  resolver_watch_.follow(*resolver_);
}

}  // namespace timepool::ntpd
