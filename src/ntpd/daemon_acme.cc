// The daemon's part of [nts.acme]: when its dates may be believed, and the commands of the control
// socket.
#include <boost/json.hpp>
#include <utility>

#include "ntpd/acme_settings.h"
#include "ntpd/daemon.h"
#include "ntpd/report_acme.h"
#include "sys/clock.h"

namespace timepool::ntpd {
namespace json = boost::json;
namespace {

// A clock that is only observed may be so far off: authorities date certificates back by an hour.
constexpr Duration kPlausibleOffset = Duration::seconds(300);

Error no_acme(const char* command) {
  return Error{ErrorCode::kInvalid, command, "there is no [nts.acme]"};
}

}  // namespace

Result<void> Daemon::make_acme() {
  if (!config_.nts.acme) return {};
  AcmeService::Options options;
  options.store = acme_store(config_);
  options.user = config_.sandbox.user;
  options.inherited = &succession_.inherited();
  options.clock_is_plausible = [this] { return clock_is_plausible(); };
  options.changed = [this] {
    if (key_server_) key_server_->look_at_certificates();
  };
  acme_ = TRY(AcmeService::create(reactor_, logger_, *config_.nts.acme, std::move(options)));
  return {};
}

// A11: served as good, or not far from what the sources agree upon.
bool Daemon::clock_is_plausible() const {
  if (server_ && server_->state().synchronised()) return true;
  if (!client_) return false;
  const ntp::Tracking tracking = client_->keeper().tracking(sys::mono_now());
  const Duration off =
      tracking.offset < Duration() ? Duration() - tracking.offset : tracking.offset;
  return tracking.synchronised && off <= kPlausibleOffset;
}

Result<void> Daemon::reload_acme(config::NtpdConfig& next, json::array& restart) {
  if (next.nts.acme.has_value() != config_.nts.acme.has_value()) {
    restart.emplace_back("nts.acme");
    next.nts.acme = config_.nts.acme;  // what runs stays
    return {};
  }
  if (acme_ && !TRY(acme_->reload(*next.nts.acme))) {
    restart.emplace_back("nts.acme: how challenges are served, and store");
  }
  return {};
}

void Daemon::add_acme_commands() {
  control_->add("acme", "The certificate that [nts.acme] keeps, and what is done for it.",
                [this](const json::object&) -> Result<json::object> {
                  if (!acme_) return fail(no_acme("acme"));
                  return acme_report(*acme_);
                });
  control_->add("acme-renew", "Asks for another certificate now.",
                [this](const json::object&) -> Result<json::object> {
                  if (!acme_) return fail(no_acme("acme-renew"));
                  TRY(succession_.must_hold("acme-renew"));
                  if (!acme_->worker().request()) {
                    const std::string fault = acme_->worker().report().fault;
                    return fail(Error{ErrorCode::kUnavailable, "acme-renew",
                                      fault.empty() ? "not begun yet" : fault});
                  }
                  return acme_report(*acme_);
                });
  control_->add("acme-check",
                "Looks at challenges of its own, as an authority would; \"acme\" has the result.",
                [this](const json::object&) -> Result<json::object> {
                  if (!acme_) return fail(no_acme("acme-check"));
                  TRY(succession_.must_hold("acme-check"));
                  return begin_acme_check(*acme_);
                });
  control_->add("acme-account", "The accounts of [nts.acme], and what became of changes of them.",
                [this](const json::object&) -> Result<json::object> {
                  if (!acme_) return fail(no_acme("acme-account"));
                  return acme_account_report(*acme_);
                });
  const auto add_change = [this](const char* name, const char* help,
                                 AcmeWorker::AccountChange change) {
    control_->add(name, help,
                  [this, name, change](const json::object& request) -> Result<json::object> {
                    if (!acme_) return fail(no_acme(name));
                    TRY(succession_.must_hold(name));
                    return begin_account_change(*acme_, change, request);
                  });
  };
  add_change("acme-account-key",
             "Begins to change the key of an account; \"acme-account\" has the result.",
             AcmeWorker::AccountChange::kNewKey);
  add_change("acme-account-deactivate",
             "Begins to end an account for good; \"acme-account\" has the result.",
             AcmeWorker::AccountChange::kDeactivate);
}

}  // namespace timepool::ntpd
