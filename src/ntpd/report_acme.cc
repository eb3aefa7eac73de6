#include "ntpd/report_acme.h"

#include <algorithm>
#include <array>
#include <boost/json.hpp>
#include <string>
#include <string_view>
#include <utility>

#include "certificates/account_key.h"
#include "certificates/certificate_directory.h"
#include "net/metrics.h"

namespace timepool::ntpd {
namespace json = boost::json;
namespace {

using certificates::ChallengeListener;

json::value text_or_null(const std::string& text) {
  return text.empty() ? json::value(nullptr) : json::value(text);
}

std::string date(UnixTime time) {
  return format_utc(time, 0);
}

acme::ChallengeType challenge_type(config::AcmeChallenge it) {
  return it == config::AcmeChallenge::kHttp01 ? acme::ChallengeType::kHttp01
                                              : acme::ChallengeType::kTlsAlpn01;
}

std::string_view name_of(acme::Step step) {
  constexpr std::array<std::string_view, 4> kNames = {"wait", "wait_for_clock", "obtain",
                                                      "ask_for_renewal"};
  return kNames[static_cast<std::size_t>(step)];
}

std::string_view name_of(certificates::Seen seen) {
  constexpr std::array<std::string_view, 3> kNames = {"proof", "unreachable", "other"};
  return kNames[static_cast<std::size_t>(seen)];
}

json::array texts(const std::vector<std::string>& all) {
  json::array out;
  for (const std::string& it : all) out.emplace_back(it);
  return out;
}

json::array texts(const std::vector<Endpoint>& all) {
  json::array out;
  for (const Endpoint& it : all) out.emplace_back(format(it));
  return out;
}

json::value certificate_of(const acme::SavedState& state, const std::string& file) {
  if (!state.certificate) return nullptr;
  const acme::SavedCertificate& it = *state.certificate;
  json::object out;
  out["file"] = file;
  out["authority"] = it.directory;
  out["names"] = texts(it.names);
  out["profile"] = text_or_null(it.profile);
  out["not_before"] = date(it.not_before);
  out["not_after"] = date(it.not_after);
  out["renew_at"] = date(it.renew_at);
  return out;
}

json::value renewal_of(const acme::SavedState& state) {
  if (!state.renewal) return nullptr;
  json::object out;
  out["start"] = date(state.renewal->window.start);
  out["end"] = date(state.renewal->window.end);
  out["at"] = date(state.renewal->renew_at);
  out["explanation"] = text_or_null(state.renewal->window.explanation);
  return out;
}

json::object authority_of(const std::string& directory, const acme::SavedAuthority* known) {
  json::object out{{"directory", directory},
                   {"account", nullptr},
                   {"failures", 0},
                   {"next_try", nullptr},
                   {"last_failure", nullptr}};
  if (known == nullptr) return out;
  out["account"] = text_or_null(known->account);
  out["failures"] = known->failures;
  if (known->next_try) out["next_try"] = date(*known->next_try);
  if (!known->last_failure) return out;
  json::object failure;
  failure["at"] = date(known->last_failure->at);
  failure["kind"] = std::string(acme::name_of(known->last_failure->kind));
  failure["text"] = known->last_failure->text;
  out["last_failure"] = std::move(failure);
  return out;
}

json::object challenges_of(const AcmeService& acme) {
  const config::NtsAcmeConfig& config = acme.config();
  json::array types;
  for (const config::AcmeChallenge it : config.challenges) {
    types.emplace_back(std::string(acme::name_of(challenge_type(it))));
  }
  const ChallengeListener::Counters counters = acme.counters();
  json::object answers;
  for (std::size_t i = 0; i < counters.answers.size(); ++i) {
    answers[acme::name_of(static_cast<acme::ChallengeReason>(i))] = counters.answers[i];
  }
  json::object out;
  out["types"] = std::move(types);
  out["how"] = config.listens() ? "listen" : config.webroot.empty() ? "hook" : "webroot";
  out["http"] = texts(acme.addresses(ChallengeListener::Kind::kHttp));
  out["tls"] = texts(acme.addresses(ChallengeListener::Kind::kTls));
  out["webroot"] = text_or_null(config.webroot);
  out["hook"] = text_or_null(config.hook);
  out["connections"] = counters.connections;
  out["handshakes"] = counters.handshakes;
  out["refused"] = counters.refused;
  out["answers"] = std::move(answers);
  return out;
}

json::object check_of(const AcmeWorker::CheckReport& check) {
  json::array seen;
  for (const certificates::SelfCheck& it : check.seen) {
    seen.push_back({{"name", it.name},
                    {"challenge", std::string(acme::name_of(it.challenge))},
                    {"at", it.at},
                    {"seen", std::string(name_of(it.seen))},
                    {"text", it.text}});
  }
  json::object out;
  out["running"] = check.running;
  out["done"] = check.done;
  out["fault"] = text_or_null(check.fault);
  out["seen"] = std::move(seen);
  return out;
}

void add_plan(const AcmeWorker::Report& report, json::object& out) {
  out["step"] = "stopped";
  out["cause"] = nullptr;
  out["at"] = nullptr;
  out["busy"] = nullptr;
  out["expiring"] = false;
  if (!report.keeper) return;
  const acme::Plan& plan = report.keeper->plan;
  out["step"] = std::string(name_of(plan.step));
  out["cause"] = std::string(acme::name_of(plan.cause));
  if (plan.step != acme::Step::kWaitForClock) out["at"] = date(plan.at);
  out["busy"] = text_or_null(report.keeper->busy);
  out["expiring"] = report.keeper->expiring;
}

json::object account_of(const std::string& store, const config::NtsAcmeAuthorityConfig& authority,
                        const acme::SavedAuthority* known) {
  const std::string file =
      certificates::CertificateDirectory(store).account_path(authority.directory);
  const auto key = certificates::AccountKey::load(file);
  json::object out;
  out["directory"] = authority.directory;
  out["account"] = known == nullptr ? json::value(nullptr) : text_or_null(known->account);
  out["key_file"] = file;
  out["thumbprint"] = key.ok() ? json::value((*key)->thumbprint()) : json::value(nullptr);
  out["external_key_id"] = text_or_null(authority.external_key_id);
  return out;
}

json::object changes_of(const AcmeWorker::AccountReport& report) {
  const bool new_key = report.change == AcmeWorker::AccountChange::kNewKey;
  json::object out;
  out["running"] = report.running;
  out["done"] = report.done;
  out["change"] = report.directory.empty() ? json::value(nullptr)
                                           : json::value(new_key ? "new-key" : "deactivate");
  out["directory"] = text_or_null(report.directory);
  out["fault"] = text_or_null(report.fault);
  return out;
}

// Whose account is meant.
Result<std::string> authority_for(const AcmeService& acme, const json::object& request) {
  const auto refuse = [](const std::string& why) {
    return fail(Error{ErrorCode::kInvalid, "directory", why});
  };
  const auto authorities = acme.config().all_authorities();
  const json::value* wanted = request.if_contains("directory");
  if (wanted != nullptr && !wanted->is_string()) return refuse("a text is wanted");
  if (wanted == nullptr && authorities.size() > 1) {
    return refuse("there are several authorities: name one");
  }
  const std::string directory =
      wanted == nullptr ? authorities.front().directory : std::string(wanted->get_string());
  for (const config::NtsAcmeAuthorityConfig& it : authorities) {
    if (it.directory == directory) return directory;
  }
  return refuse("[nts.acme] has no authority " + directory);
}

}  // namespace

json::object acme_report(const AcmeService& acme) {
  const AcmeWorker::Report report = acme.worker().report();
  const acme::SavedState state = report.keeper ? report.keeper->state : acme::SavedState();
  json::array authorities;
  for (const config::NtsAcmeAuthorityConfig& it : acme.config().all_authorities()) {
    authorities.push_back(authority_of(it.directory, state.find(it.directory)));
  }
  json::object out;
  out["names"] = texts(acme.config().names);
  out["store"] = acme.store();
  add_plan(report, out);
  out["fault"] = text_or_null(report.fault);
  out["clock_plausible"] = report.clock_plausible;
  out["obtained"] = report.obtained;
  out["failed"] = report.failed;
  out["certificate"] = certificate_of(state, acme_files(acme.store()).chain);
  out["renewal"] = renewal_of(state);
  out["authorities"] = std::move(authorities);
  out["challenges"] = challenges_of(acme);
  out["check"] = check_of(report.check);
  return out;
}

Result<json::object> begin_acme_check(AcmeService& acme) {
  certificates::SelfCheckSettings settings;
  settings.names = acme.config().names;
  settings.challenges.clear();
  for (const config::AcmeChallenge it : acme.config().challenges) {
    settings.challenges.push_back(challenge_type(it));
  }
  if (!acme.worker().check(std::move(settings))) {
    const std::string fault = acme.worker().report().fault;
    return fail(
        Error{ErrorCode::kUnavailable, "acme-check", fault.empty() ? "one is under way" : fault});
  }
  return acme_report(acme);
}

json::object acme_account_report(const AcmeService& acme) {
  const AcmeWorker::Report report = acme.worker().report();
  const acme::SavedState state = report.keeper ? report.keeper->state : acme::SavedState();
  json::array accounts;
  for (const config::NtsAcmeAuthorityConfig& it : acme.config().all_authorities()) {
    accounts.push_back(account_of(acme.store(), it, state.find(it.directory)));
  }
  json::object out;
  out["accounts"] = std::move(accounts);
  out["contacts"] = texts(acme.config().contacts);
  out["changes"] = changes_of(report.account);
  return out;
}

Result<json::object> begin_account_change(AcmeService& acme, AcmeWorker::AccountChange change,
                                          const json::object& request) {
  const std::string directory = TRY(authority_for(acme, request));
  TRY(acme.worker().change_account(change, directory));
  return acme_account_report(acme);
}

void write_acme_metrics(const AcmeService& acme, UnixTime now, net::MetricSink& sink) {
  const AcmeWorker::Report report = acme.worker().report();
  const acme::SavedState state = report.keeper ? report.keeper->state : acme::SavedState();
  sink.counter("timepool_ntpd_acme_certificates_obtained_total",
               "Certificates that authorities issued to [nts.acme].", report.obtained);
  sink.counter("timepool_ntpd_acme_failures_total",
               "Attempts to get a certificate that came to nothing.", report.failed);
  sink.gauge("timepool_ntpd_acme_clock_plausible",
             "1 when the clock may be believed; nothing is asked for before.",
             report.clock_plausible ? 1 : 0);
  sink.gauge("timepool_ntpd_acme_expiring",
             "1 in the last tenth of the certificate's life, or its last day if it is a short one.",
             report.keeper && report.keeper->expiring ? 1 : 0);
  if (state.certificate) {
    sink.gauge("timepool_ntpd_acme_certificate_remaining_seconds",
               "Until the certificate ends, or one of its chain; negative: since it ended.",
               (state.certificate->not_after - now).to_seconds());
  }
  if (report.keeper && report.keeper->plan.step == acme::Step::kWait) {
    sink.gauge("timepool_ntpd_acme_next_step_seconds",
               "Until a certificate is asked for, or the authority's wish for its renewal.",
               std::max((report.keeper->plan.at - now).to_seconds(), 0.0));
  }
  for (const config::NtsAcmeAuthorityConfig& it : acme.config().all_authorities()) {
    const acme::SavedAuthority* known = state.find(it.directory);
    sink.gauge("timepool_ntpd_acme_failures_in_a_row",
               "Attempts at an authority that failed one after the other.",
               known == nullptr ? 0 : known->failures, {{"authority", it.directory}});
  }
  const ChallengeListener::Counters counters = acme.counters();
  for (std::size_t i = 0; i < counters.answers.size(); ++i) {
    const auto reason = static_cast<acme::ChallengeReason>(i);
    sink.counter("timepool_ntpd_acme_http_requests_total",
                 "Requests where challenges are served over HTTP, by what was answered.",
                 counters.answers[i], {{"reason", std::string(acme::name_of(reason))}});
  }
  sink.counter("timepool_ntpd_acme_tls_handshakes_total",
               "Connections where challenges are served over TLS, by whether a name was proved.",
               counters.handshakes, {{"outcome", "proved"}});
  sink.counter("timepool_ntpd_acme_tls_handshakes_total",
               "Connections where challenges are served over TLS, by whether a name was proved.",
               counters.refused, {{"outcome", "refused"}});
}

}  // namespace timepool::ntpd
