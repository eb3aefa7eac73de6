#include "certificates/keeper.h"

#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <span>
#include <utility>

#include "acme/account.h"
#include "acme/renewal_info.h"
#include "base/check.h"
#include "base/civil.h"
#include "crypto/csr.h"
#include "sys/file.h"
#include "sys/random.h"

namespace timepool::certificates {
namespace {

constexpr Duration kShortestWait = Duration::seconds(1);

double random_unit() {
  return static_cast<double>(sys::random_u64() >> 11) * 0x1.0p-53;
}

void wipe(std::string& text) {
  crypto::wipe(std::as_writable_bytes(std::span(text.data(), text.size())));
}

std::string date(UnixTime time) {
  return format_utc(time, 0);
}

Error invalid(std::string what, std::string why) {
  return Error{ErrorCode::kInvalid, std::move(what), std::move(why)};
}

std::string joined(const std::vector<std::string>& texts) {
  std::string out;
  for (const std::string& text : texts) out += (out.empty() ? "" : ", ") + text;
  return out;
}

}  // namespace

Keeper::Keeper(sys::Logger& logger, KeeperSettings settings, Presenter& presenter,
               std::function<UnixTime()> now)
    : logger_(logger),
      settings_(std::move(settings)),
      presenter_(presenter),
      now_(std::move(now)),
      directory_(settings_.path),
      runner_(logger) {}

Result<void> Keeper::open() {
  if (settings_.authorities.empty() || settings_.authorities.size() > acme::kMaxAuthorities ||
      settings_.names.empty() || settings_.names.size() > acme::kMaxNames ||
      settings_.challenges.empty()) {
    return fail(invalid("acme", "1 to 8 authorities, 1 to 100 names and a challenge are needed"));
  }
  for (const std::string& name : settings_.names) {
    const auto identifier = acme::identifier_of(name);
    if (!identifier.ok())
      return fail(invalid("name " + name, "neither a host name nor an address"));
    names_.push_back(*identifier);
    plan_settings_.names.push_back(identifier->value);
  }
  std::sort(plan_settings_.names.begin(), plan_settings_.names.end());
  for (const AuthoritySettings& it : settings_.authorities) {
    if (!acme::is_https_url(it.directory)) {
      return fail(invalid("directory " + it.directory, "no https URL"));
    }
    Authority authority{it, nullptr};
    if (!it.external_key_id.empty()) {
      authority.external = TRY(ExternalKey::parse(it.external_mac, it.external_secret));
    }
    authorities_.push_back(std::move(authority));
    plan_settings_.directories.push_back(it.directory);
  }
  TRY(directory_.open());
  auto state = directory_.read_state();
  if (state.ok()) {
    report_.state = std::move(state).value();
  } else if (state.error().code == ErrorCode::kCorrupt ||
             state.error().code == ErrorCode::kExhausted) {
    logger_.error("{}; it is set aside as state.json.bad", state.error().text());
    std::rename(directory_.state_path().c_str(), (directory_.state_path() + ".bad").c_str());
  } else {
    return fail(state.error());
  }
  adopt_certificate();
  return {};
}

// What is on disk is the truth: a crash may have come between the certificate and the state.
void Keeper::adopt_certificate() {
  acme::SavedState& state = report_.state;
  auto read = directory_.read_certificate();
  if (!read.ok()) logger_.error("{}; a new certificate will be obtained", read.error().text());
  if (!read.ok() || !*read) {
    state.certificate.reset();
    state.renewal.reset();
    return;
  }
  const auto text =
      sys::read_file(directory_.certificate_path(), CertificateDirectory::kMaxCertificateFile);
  if (!text.ok()) return;
  const std::string issuer =
      state.certificate ? state.certificate->directory : plan_settings_.directories.front();
  acme::SavedCertificate there = saved_certificate(**read, *text, issuer);
  if (state.certificate && state.certificate->id == there.id &&
      state.certificate->not_after == there.not_after) {
    return;
  }
  there.renew_at = acme::renewal_by_lifetime(there.not_before, there.not_after, random_unit());
  state.certificate = std::move(there);
  state.renewal.reset();
  state.ask_again.reset();
}

Duration Keeper::step(bool clock_plausible) {
  const UnixTime now = now_();
  acme::Plan plan;
  {
    const std::lock_guard lock(mutex_);
    if (clock_plausible) tame(report_.state, now);
    plan = acme::plan(report_.state, plan_settings_, now, clock_plausible, asked_);
    report_.plan = plan;
  }
  switch (plan.step) {
    case acme::Step::kWaitForClock:
      return kClockWait;
    case acme::Step::kWait:
      warn_about_end(now);
      return std::clamp(plan.at - now, kShortestWait, kLongestWait);
    case acme::Step::kObtain:
      obtain(plan);
      break;
    case acme::Step::kAskForRenewal:
      ask_for_renewal(plan);
      break;
  }
  set_busy("");
  return Duration();
}

void Keeper::request() {
  const std::lock_guard lock(mutex_);
  asked_ = true;
}

KeeperReport Keeper::report() const {
  const std::lock_guard lock(mutex_);
  return report_;
}

bool Keeper::take_changed() {
  const std::lock_guard lock(mutex_);
  return std::exchange(changed_, false);
}

void Keeper::set_busy(std::string what) {
  const std::lock_guard lock(mutex_);
  report_.busy = std::move(what);
}

const Keeper::Authority& Keeper::authority(std::string_view directory) const {
  for (const Authority& it : authorities_) {
    if (it.settings.directory == directory) return it;
  }
  // The plan names only those that are configured, but for the one that issued what we have.
  return authorities_.front();
}

HttpsOptions Keeper::https(const Authority& authority) const {
  HttpsOptions out;
  out.user_agent = settings_.user_agent;
  out.ca_file = authority.settings.ca_file;
  return out;
}

// A full disk is found out before the authority is asked for what could not be kept.
Result<void> Keeper::prepare(const std::string& directory) {
  {
    const std::lock_guard lock(mutex_);
    static_cast<void>(report_.state.authority(directory));
  }
  return directory_.write_state(report_.state);
}

acme::IssuanceSettings Keeper::issuance_settings(const Authority& authority,
                                                 std::string csr) const {
  const std::string& directory = authority.settings.directory;
  const acme::SavedAuthority* known = report_.state.find(directory);
  acme::IssuanceSettings out;
  out.directory = directory;
  if (known != nullptr) out.account = known->account;
  out.names = names_;
  out.contacts = settings_.contacts;
  out.terms_agreed = settings_.terms_agreed;
  if (authority.external) {
    out.external =
        acme::ExternalAccount{authority.settings.external_key_id, authority.external.get()};
  }
  out.challenges = settings_.challenges;
  if (known != nullptr && known->last_failure &&
      known->last_failure->kind == acme::FailureKind::kChallenge) {
    // What could not be seen in one way may be seen in another.
    const std::size_t turn = known->failures % out.challenges.size();
    std::rotate(out.challenges.begin(), out.challenges.begin() + static_cast<std::ptrdiff_t>(turn),
                out.challenges.end());
  }
  out.profile = authority.settings.profile;
  out.profile_required = authority.settings.profile_required;
  out.replaces = acme::replaced_id(report_.state, plan_settings_, directory);
  out.csr = std::move(csr);
  out.alternate_chains = !authority.settings.preferred_chain.empty();
  out.validation_limit = settings_.validation_limit;
  out.processing_limit = settings_.processing_limit;
  return out;
}

Result<std::unique_ptr<AccountKey>> Keeper::account_key(const Authority& authority) {
  TRY(settle_account_key(authority));
  return AccountKey::load_or_make(directory_.account_path(authority.settings.directory));
}

void Keeper::obtain(const acme::Plan& plan) {
  const Authority& from = authority(plan.directory);
  set_busy("obtaining a certificate from " + plan.directory);
  logger_.info("acme: a certificate for {} is asked for at {} ({})", joined(plan_settings_.names),
               plan.directory, name_of(plan.cause));
  const auto local = [&](const Error& error) {
    note_failure(plan.directory, {acme::FailureKind::kLocal, error.text(), std::nullopt});
  };
  const Result<void> prepared = prepare(plan.directory);
  if (!prepared.ok()) return local(prepared.error());
  const auto key = account_key(from);
  if (!key.ok()) return local(key.error());
  std::vector<std::string> dns_names;
  std::vector<IpAddress> addresses;
  for (const acme::Identifier& name : names_) {
    if (name.type == "dns") dns_names.push_back(name.value);
    if (name.type == "ip") addresses.push_back(parse_ip(name.value).value());
  }
  auto request = crypto::make_certificate_request(dns_names, addresses);
  if (!request.ok()) return local(request.error());
  acme::Issuance machine(**key, issuance_settings(from, std::move(request->der)));
  runner_.run(machine, https(from), presenter_);
  if (machine.over()) take_in(machine, from, request->key);
  wipe(request->key);
}

std::string Keeper::chosen_chain(const acme::Issuance& machine, const Authority& authority) const {
  const std::string& wanted = authority.settings.preferred_chain;
  for (const std::string& chain : machine.chains()) {
    if (wanted.empty()) break;
    const auto issuer = crypto::last_issuer(chain);
    if (issuer.ok() && *issuer == wanted) return chain;
  }
  return machine.chains().front();
}

void Keeper::take_in(const acme::Issuance& machine, const Authority& authority,
                     std::string_view key) {
  const std::string& directory = authority.settings.directory;
  {
    const std::lock_guard lock(mutex_);
    report_.state.authority(directory).account = machine.account();
  }
  if (!machine.succeeded()) return note_failure(directory, machine.failure());
  const std::string chain = chosen_chain(machine, authority);
  const auto judged = judge_issued(chain, key, names_, now_());
  if (!judged.ok()) {
    return note_failure(directory,
                        {acme::FailureKind::kCertificate, judged.error().text(), std::nullopt});
  }
  const Result<void> written = directory_.write_certificate(chain, key);
  if (!written.ok()) {
    return note_failure(directory,
                        {acme::FailureKind::kLocal, written.error().text(), std::nullopt});
  }
  acme::SavedCertificate certificate = saved_certificate(*judged, chain, directory);
  certificate.names = plan_settings_.names;
  certificate.profile = machine.profile();
  {
    const std::lock_guard lock(mutex_);
    note_issued(report_.state, std::move(certificate), random_unit());
    ++report_.obtained;
    report_.expiring = false;
    changed_ = true;
    asked_ = false;
  }
  logger_.info("acme: certificate for {}, valid until {}, to be renewed at {}",
               joined(plan_settings_.names), date(report_.state.certificate->not_after),
               date(report_.state.certificate->renew_at));
  save();
}

void Keeper::note_failure(std::string_view directory, const acme::Failure& failure) {
  {
    const std::lock_guard lock(mutex_);
    acme::note_failure(report_.state, directory, failure, now_(), random_unit());
    ++report_.failed;
    asked_ = false;
  }
  const acme::SavedAuthority& at = report_.state.authority(directory);
  logger_.warning("acme: {}: {} ({}); it is tried again at {}", directory, failure.text,
                  name_of(failure.kind), date(*at.next_try));
  save();
}

void Keeper::save() {
  const Result<void> written = directory_.write_state(report_.state);
  if (!written.ok()) logger_.error("acme: {}", written.error().text());
}

void Keeper::ask_for_renewal(const acme::Plan& plan) {
  const Authority& from = authority(plan.directory);
  set_busy("asking " + plan.directory + " when to renew");
  acme::RenewalInquiry machine(plan.directory, report_.state.certificate->id);
  runner_.run(machine, https(from));
  if (!machine.over()) return;
  const std::optional<acme::RenewalWindow>& window = machine.window();
  const auto before = report_.state.renewal;
  {
    const std::lock_guard lock(mutex_);
    note_renewal(report_.state, window, machine.again(), now_(), random_unit());
  }
  if (!machine.succeeded()) {
    logger_.info("acme: {}: {}", plan.directory, machine.failure().text);
  } else if (window && (!before || before->window != *window)) {
    logger_.info("acme: {} wants a renewal between {} and {}{}", plan.directory,
                 date(window->start), date(window->end),
                 window->explanation.empty() ? "" : ": " + window->explanation);
  }
  save();
}

void Keeper::warn_about_end(UnixTime now) {
  const auto& certificate = report_.state.certificate;
  const bool expiring =
      certificate && acme::is_expiring(certificate->not_before, certificate->not_after, now);
  {
    const std::lock_guard lock(mutex_);
    report_.expiring = expiring;
  }
  if (!expiring || warned_on_ == day_of(now)) return;
  warned_on_ = day_of(now);
  logger_.error("acme: the certificate for {} ends on {}, and there is no other",
                joined(certificate->names), date(certificate->not_after));
}

// RFC 8555 7.3.5: after a crash or a lost reply nobody but the authority knows which key holds.
Result<void> Keeper::settle_account_key(const Authority& authority) {
  const std::string& directory = authority.settings.directory;
  const std::string path = directory_.next_account_path(directory);
  const auto next = AccountKey::load(path);
  if (!next.ok()) {
    if (next.error().code == ErrorCode::kNotFound) return {};
    return fail(next.error());
  }
  acme::AccountLookup lookup(**next, directory);
  runner_.run(lookup, https(authority));
  if (lookup.succeeded()) {
    if (std::rename(path.c_str(), directory_.account_path(directory).c_str()) != 0) {
      return fail(system_error(errno, "rename " + path));
    }
    return {};
  }
  if (lookup.over() && lookup.failure().kind == acme::FailureKind::kAccount) {
    ::unlink(path.c_str());
    return {};
  }
  return fail(Error{ErrorCode::kUnavailable, "key of the account at " + directory,
                    lookup.over() ? lookup.failure().text : "cancelled"});
}

Result<std::string> Keeper::account_at(const std::string& directory) const {
  const auto refuse = [&](const char* why) {
    return fail(Error{ErrorCode::kNotFound, "account at " + directory, why});
  };
  const auto& known = plan_settings_.directories;
  if (std::find(known.begin(), known.end(), directory) == known.end()) {
    return refuse("no such authority is set up");
  }
  const acme::SavedAuthority* at = report_.state.find(directory);
  if (at == nullptr || at->account.empty()) return refuse("there is none");
  return at->account;
}

Result<void> Keeper::change_account_key(const std::string& directory) {
  const std::string account = TRY(account_at(directory));
  const Authority& at = authority(directory);
  set_busy("changing the key of the account at " + directory);
  const auto changed = change_key_of(account, at);
  set_busy("");
  if (changed.ok()) {
    logger_.info("acme: the account at {} has another key", directory);
  } else {
    logger_.warning("acme: {}", changed.error().text());
  }
  return changed;
}

Result<void> Keeper::change_key_of(const std::string& account, const Authority& at) {
  const std::string& directory = at.settings.directory;
  const auto old = TRY(account_key(at));
  const auto next = TRY(AccountKey::generate());
  TRY(next->save(directory_.next_account_path(directory)));
  acme::AccountKeyChange machine(*old, *next, directory, account);
  runner_.run(machine, https(at));
  TRY(settle_account_key(at));
  if (machine.succeeded()) return {};
  return fail(Error{ErrorCode::kUnavailable, "change the key of the account",
                    machine.over() ? machine.failure().text : "cancelled"});
}

Result<void> Keeper::deactivate_account(const std::string& directory) {
  const std::string account = TRY(account_at(directory));
  const Authority& at = authority(directory);
  set_busy("ending the account at " + directory);
  const auto ended = end_account(account, at);
  set_busy("");
  if (ended.ok()) {
    logger_.info("acme: the account at {} is ended", directory);
  } else {
    logger_.warning("acme: {}", ended.error().text());
  }
  return ended;
}

Result<void> Keeper::end_account(const std::string& account, const Authority& at) {
  const std::string& directory = at.settings.directory;
  const auto key = TRY(account_key(at));
  acme::AccountDeactivation machine(*key, directory, account);
  runner_.run(machine, https(at));
  if (!machine.succeeded()) {
    return fail(Error{ErrorCode::kUnavailable, "end the account",
                      machine.over() ? machine.failure().text : "cancelled"});
  }
  // Its key is of no use any more: another account needs another.
  ::unlink(directory_.account_path(directory).c_str());
  {
    const std::lock_guard lock(mutex_);
    report_.state.authority(directory).account.clear();
  }
  save();
  return {};
}

}  // namespace timepool::certificates
