#include "ntpd/service_lookups.h"

#include <utility>

#include "net/trust_anchors.h"
#include "sys/clock.h"

namespace timepool::ntpd {
namespace {

Result<net::ServiceResolverOptions> options_of(const config::NtsSrvConfig& settings,
                                               const config::NtpResolverConfig& resolver) {
  net::ServiceResolverOptions out;
  out.servers = settings.servers.empty() ? resolver.servers : settings.servers;
  out.full_resolution = settings.full_resolution;
  out.anchors = TRY(net::load_trust_anchors(settings.trust_anchors));
  return out;
}

ntp::DnsTrust trust_of(net::DnsSecurity security) {
  switch (security) {
    case net::DnsSecurity::kSecure:
      return ntp::DnsTrust::kSecure;
    case net::DnsSecurity::kInsecure:
      return ntp::DnsTrust::kInsecure;
    case net::DnsSecurity::kBogus:
      break;
  }
  return ntp::DnsTrust::kBogus;
}

ntp::ServiceStatus status_of(net::LookupStatus status) {
  switch (status) {
    case net::LookupStatus::kOk:
      return ntp::ServiceStatus::kFound;
    case net::LookupStatus::kNxDomain:
    case net::LookupStatus::kNoData:
      return ntp::ServiceStatus::kNone;
    default:
      return ntp::ServiceStatus::kFailed;
  }
}

}  // namespace

Result<net::ServiceResolverOptions> service_options(const config::NtpdConfig& config) {
  return options_of(config.nts.srv.value_or(config::NtsSrvConfig{}), config.resolver);
}

ntp::ServiceAnswer service_answer(const net::ServiceLookup& found, bool dates_checked) {
  ntp::ServiceAnswer out;
  out.status = status_of(found.status);
  out.trust = trust_of(found.security);
  out.dates_checked = dates_checked;
  out.alias = found.alias;
  out.why = found.why;
  if (out.why.empty() && out.status == ntp::ServiceStatus::kFailed) {
    out.why = net::name_of(found.status);
  }
  for (const net::SrvRecord& it : found.records) {
    out.targets.push_back({it.target, it.port, it.priority, it.weight});
  }
  return out;
}

ServiceLookups::ServiceLookups(net::Reactor& reactor, const config::NtpdConfig& config)
    : reactor_(reactor),
      settings_(config.nts.srv.value_or(config::NtsSrvConfig{})),
      resolver_settings_(config.resolver),
      watch_(reactor) {}

Result<void> ServiceLookups::open() {
  if (resolver_) return {};
  auto options = options_of(settings_, resolver_settings_);
  auto made = options.ok() ? net::ServiceResolver::create(*options)
                           : Result<std::unique_ptr<net::ServiceResolver>>(fail(options.error()));
  if (!made.ok()) {
    fault_ = made.error().text();
    return fail(std::move(made).error());
  }
  resolver_ = std::move(made).value();
  return {};
}

// Answered after this call, as every other.
void ServiceLookups::later(std::function<void()> call) {
  later_.push_back(std::move(call));
  later_timer_ = reactor_.at(sys::mono_now(), [this] {
    for (const auto& it : std::exchange(later_, {})) it();
  });
}

void ServiceLookups::find_services(const std::string& pool, const net::SignatureDates& dates,
                                   std::function<void(const ntp::ServiceAnswer&)> done) {
  if (!open().ok()) {
    ntp::ServiceAnswer none;
    none.why = fault_;
    return later([done = std::move(done), none] { done(none); });
  }
  resolver_->set_dates(dates);
  resolver_->find_services(
      ntp::service_name(pool), sys::mono_now(),
      [done = std::move(done), checked = resolver_->dates().checked](
          const net::ServiceLookup& found) { done(service_answer(found, checked)); });
  watch_.follow(*resolver_);
}

void ServiceLookups::find_addresses(const std::string& name, const net::SignatureDates& dates,
                                    net::ServiceResolver::AddressDone done) {
  if (!open().ok()) {
    net::AddressLookup none;
    none.why = fault_;
    return later([done = std::move(done), none] { done(none); });
  }
  resolver_->set_dates(dates);
  resolver_->find_addresses(name, sys::mono_now(), std::move(done));
  watch_.follow(*resolver_);
}

}  // namespace timepool::ntpd
