#include "acme/issuance.h"

#include <algorithm>
#include <utility>

#include "acme/base64url.h"
#include "acme/json_fields.h"
#include "acme/jws.h"
#include "base/check.h"

namespace timepool::acme {
namespace {

std::string list_of_texts(const std::vector<std::string>& texts) {
  std::string out;
  for (const std::string& text : texts) out += (out.empty() ? "" : ",") + quoted(text);
  return "[" + out + "]";
}

std::string list_of_identifiers(const std::vector<Identifier>& names) {
  std::string out;
  for (const Identifier& name : names) {
    out += (out.empty() ? R"({"type":)" : R"(,{"type":)") + quoted(name.type) + R"(,"value":)" +
           quoted(name.value) + "}";
  }
  return "[" + out + "]";
}

}  // namespace

Issuance::Issuance(const AccountKey& key, IssuanceSettings settings)
    : Conversation(&key, settings.directory, settings.account), settings_(std::move(settings)) {
  CHECK(!settings_.names.empty() && settings_.names.size() <= kMaxNames);
  CHECK(!settings_.csr.empty() && !settings_.challenges.empty());
  std::sort(settings_.names.begin(), settings_.names.end());
}

void Issuance::enter(Phase phase, MonoTime now) {
  phase_ = phase;
  phase_began_ = now;
  poll_wait_ = kFirstPoll;
  at_ = 0;
}

void Issuance::begin(MonoTime now) {
  profile_ = settings_.profile;
  if (!profile_.empty() && !directory()->profiles.contains(profile_)) {
    if (settings_.profile_required) {
      return fail_with(FailureKind::kProfile, "the authority has no profile " + profile_);
    }
    profile_.clear();
  }
  // RFC 9773 5: only where the authority has renewal information.
  telling_replaced_ = !settings_.replaces.empty() && !directory()->renewal_info.empty();
  if (account_url().empty()) {
    enter(Phase::kAccount, now);
    return ask_account();
  }
  enter(Phase::kOrder, now);
  ask_order();
}

// RFC 8555 7.3: the same request makes an account and finds the one that the key has already.
void Issuance::ask_account() {
  const Directory& at = *directory();
  if (!at.terms_of_service.empty() && !settings_.terms_agreed) {
    return fail_with(FailureKind::kTerms,
                     "the authority wants its terms agreed to: " + at.terms_of_service);
  }
  if (at.external_account_required && !settings_.external) {
    return fail_with(FailureKind::kExternalAccount,
                     "the authority wants an account that it knows already: its key id and key");
  }
  std::string payload = "{";
  if (settings_.terms_agreed) payload += R"("termsOfServiceAgreed":true,)";
  payload += R"("contact":)" + list_of_texts(settings_.contacts);
  if (settings_.external) {
    const auto binding = bind_external_account(*settings_.external->mac, settings_.external->key_id,
                                               key(), at.new_account);
    if (!binding) return fail_with(FailureKind::kLocal, "the external account's key can't sign");
    payload += R"(,"externalAccountBinding":)" + *binding;
  }
  post("newAccount", at.new_account, payload + "}");
}

void Issuance::handle_account(MonoTime now, const Reply& reply) {
  if (!take_account(reply)) return;
  enter(Phase::kOrder, now);
  ask_order();
}

void Issuance::ask_order() {
  std::string payload = R"({"identifiers":)" + list_of_identifiers(settings_.names);
  if (!profile_.empty()) payload += R"(,"profile":)" + quoted(profile_);
  if (telling_replaced_) payload += R"(,"replaces":)" + quoted(settings_.replaces);
  post("newOrder", directory()->new_order, payload + "}");
}

// Whether the order is asked for again, without what it was refused for.
bool Issuance::order_without_extras(const Reply& reply, const Problem& problem) {
  const FailureKind kind = kind_of(problem, reply.status);
  if (problem.type == "accountDoesNotExist" && !made_account_anew_) {
    made_account_anew_ = true;
    set_account_url("");
    phase_ = Phase::kAccount;
    ask_account();
    return true;
  }
  if (kind == FailureKind::kProfile && !profile_.empty() && !settings_.profile_required) {
    profile_.clear();
    ask_order();
    return true;
  }
  // RFC 9773 5: alreadyReplaced, or the authority does not like what it is told to replace.
  if (telling_replaced_ && (kind == FailureKind::kRefused || reply.status == 409)) {
    telling_replaced_ = false;
    ask_order();
    return true;
  }
  return false;
}

std::optional<Order> Issuance::read_order(const Reply& reply) {
  auto order = parse_order(reply.body);
  if (!order.ok()) {
    refuse_rubbish("order");
    return std::nullopt;
  }
  if (order->identifiers != settings_.names) {
    fail_with(FailureKind::kRubbish, "the order is for other names");
    return std::nullopt;
  }
  if (order->status == Status::kInvalid || order->status > Status::kInvalid) {
    const Problem& error = order->error;
    const FailureKind kind = error.empty() ? FailureKind::kRefused : kind_of(error, 403);
    fail_with(kind, "the order is " + std::string(name_of(order->status)) +
                        (error.empty() ? "" : ": " + describe(error)));
    return std::nullopt;
  }
  return std::move(order).value();
}

void Issuance::handle_order(MonoTime now, const Reply& reply) {
  if (!is_success(reply)) {
    if (!order_without_extras(reply, parse_problem(reply.body))) refuse(reply);
    return;
  }
  auto order = read_order(reply);
  if (!order) return;
  // A new order has nothing yet; one that was issued before is for another key than ours.
  const bool open = order->status == Status::kPending || order->status == Status::kReady;
  if (!open || !is_https_url(reply.location)) return refuse_rubbish("new order");
  order_ = std::move(*order);
  order_url_ = reply.location;
  if (order_.status == Status::kReady) return finalize();
  enter(Phase::kAuthorizations, now);
  ask_next_authorization(now);
}

void Issuance::ask_next_authorization(MonoTime now) {
  if (at_ < order_.authorizations.size()) {
    return post("authorization", order_.authorizations[at_], "");
  }
  if (pending_.empty()) {
    enter(Phase::kReady, now);
    return ask_order_again();
  }
  phase_ = Phase::kPresenting;
  present();
}

void Issuance::handle_authorization(MonoTime now, const Reply& reply) {
  if (!is_success(reply)) return refuse(reply);
  const auto read = parse_authorization(reply.body);
  if (!read.ok()) return refuse_rubbish("authorization");
  if (!std::binary_search(settings_.names.begin(), settings_.names.end(), read->identifier)) {
    return fail_with(FailureKind::kRubbish, "the authorization is for another name");
  }
  if (read->status == Status::kPending) {
    if (!choose_challenge(*read, order_.authorizations[at_])) return;
  } else if (read->status != Status::kValid) {
    return fail_authorization(*read, {});
  }
  ++at_;
  ask_next_authorization(now);
}

// RFC 8738 7: the name that TLS-ALPN-01 asks an address by is not one of ours.
bool Issuance::choose_challenge(const Authorization& authorization, const std::string& url) {
  std::string offered;
  for (const ChallengeType type : settings_.challenges) {
    if (type == ChallengeType::kTlsAlpn01 && authorization.identifier.type != "dns") continue;
    for (const OfferedChallenge& it : authorization.challenges) {
      if (it.type != name_of(type)) continue;
      pending_.push_back({url, it.url, type, authorization.identifier});
      challenges_.push_back(
          {type, authorization.identifier, it.token, it.token + "." + key().thumbprint()});
      return true;
    }
  }
  for (const OfferedChallenge& it : authorization.challenges) {
    offered += (offered.empty() ? "" : ", ") + it.type;
  }
  fail_with(FailureKind::kRefused, authorization.identifier.value +
                                       ": the authority offers no way that is set up here, only " +
                                       (offered.empty() ? "nothing" : offered));
  return false;
}

void Issuance::handle_presented(MonoTime now) {
  CHECK(phase_ == Phase::kPresenting);
  presented();
  enter(Phase::kResponding, now);
  ask_next_response(now);
}

void Issuance::handle_not_presented(std::string_view why) {
  CHECK(phase_ == Phase::kPresenting);
  presented();
  fail_with(FailureKind::kLocal, "challenges can't be served: " + std::string(why));
}

void Issuance::ask_next_response(MonoTime now) {
  // RFC 8555 7.5.1: an empty object says that it may look.
  if (at_ < pending_.size()) return post("challenge", pending_[at_].challenge_url, "{}");
  enter(Phase::kValidating, now);
  wait(now + kFirstPoll);
}

void Issuance::handle_response(MonoTime now, const Reply& reply) {
  // After a lost reply the authority may have looked already.
  if (!is_success(reply) && !was_repeated()) return refuse(reply);
  ++at_;
  ask_next_response(now);
}

void Issuance::poll_authorization() {
  post("validation", pending_[at_].url, "");
}

void Issuance::poll(MonoTime now, const Reply& reply) {
  const bool issuing = phase_ == Phase::kProcessing;
  const Duration limit = issuing ? settings_.processing_limit : settings_.validation_limit;
  if (now - phase_began_ >= limit) {
    const std::string what = issuing ? "the certificate was not issued" : "it was not validated";
    return fail_with(FailureKind::kStuck, what + " within " + format(limit));
  }
  const auto wish = retry_after_of(reply);
  wait(now + (wish ? std::clamp(*wish, kShortestPoll, kLongestPoll) : poll_wait_));
  poll_wait_ = std::min(poll_wait_ * 2, kLongestPoll);
}

void Issuance::resume(MonoTime) {
  if (phase_ == Phase::kValidating) return poll_authorization();
  ask_order_again();
}

void Issuance::handle_validation(MonoTime now, const Reply& reply) {
  if (!is_success(reply)) return refuse(reply);
  const auto read = parse_authorization(reply.body);
  if (!read.ok()) return refuse_rubbish("authorization");
  if (read->status == Status::kPending) return poll(now, reply);
  if (read->status != Status::kValid) return fail_authorization(*read, pending_[at_]);
  if (++at_ < pending_.size()) return poll_authorization();
  enter(Phase::kReady, now);
  ask_order_again();
}

void Issuance::fail_authorization(const Authorization& authorization, const Pending& pending) {
  std::string text = authorization.identifier.value;
  FailureKind kind = FailureKind::kChallenge;
  Problem error;
  for (const OfferedChallenge& it : authorization.challenges) {
    if (it.error.empty()) continue;
    error = it.error;
    if (it.type == name_of(pending.type)) break;
  }
  if (!pending.url.empty()) {
    failed_challenge_ = pending.type;
    text += " by " + std::string(name_of(pending.type));
  }
  text += ": " + (error.empty() ? std::string(name_of(authorization.status)) : describe(error));
  if (!error.empty() && kind_of(error, 403) != FailureKind::kRefused) kind = kind_of(error, 403);
  fail_with(kind, text);
}

void Issuance::ask_order_again() {
  post("order", order_url_, "");
}

void Issuance::handle_ready(MonoTime now, const Reply& reply) {
  if (!is_success(reply)) return refuse(reply);
  auto order = read_order(reply);
  if (!order) return;
  order_ = std::move(*order);
  if (order_.status == Status::kPending) return poll(now, reply);
  if (order_.status == Status::kReady) return finalize();
  enter(Phase::kProcessing, now);
  handle_processing(now, reply);
}

void Issuance::finalize() {
  phase_ = Phase::kFinalize;
  post("finalize", order_.finalize, R"({"csr":)" + quoted(to_base64url(settings_.csr)) + "}");
}

void Issuance::handle_processing(MonoTime now, const Reply& reply) {
  if (!is_success(reply)) {
    // RFC 8555 7.4: a finalisation whose reply was lost has begun.
    const bool begun = phase_ == Phase::kFinalize && was_repeated() &&
                       parse_problem(reply.body).type == "orderNotReady";
    if (!begun) return refuse(reply);
    enter(Phase::kProcessing, now);
    return ask_order_again();
  }
  auto order = read_order(reply);
  if (!order) return;
  order_ = std::move(*order);
  if (phase_ == Phase::kFinalize) enter(Phase::kProcessing, now);
  if (order_.status != Status::kValid) return poll(now, reply);
  if (order_.certificate.empty()) return refuse_rubbish("order with a certificate");
  phase_ = Phase::kChain;
  post("certificate", order_.certificate, "", std::string(kChainType));
}

void Issuance::handle_chain(MonoTime now, const Reply& reply) {
  const bool first = phase_ == Phase::kChain;
  const auto read = split_chain(reply.body);
  if (first && !is_success(reply)) return refuse(reply);
  if (first && !read.ok()) return refuse_rubbish("chain of certificates in PEM");
  if (is_success(reply) && read.ok()) {
    std::string chain;
    for (const std::string& certificate : *read) chain += certificate;
    chains_.push_back(std::move(chain));
  }
  if (first) {
    if (settings_.alternate_chains) alternates_ = links_of(reply, "alternate");
    std::erase_if(alternates_, [](const std::string& url) { return !is_https_url(url); });
    if (alternates_.size() > kMaxAlternates) alternates_.resize(kMaxAlternates);
    enter(Phase::kAlternates, now);
  } else {
    ++at_;
  }
  if (at_ >= alternates_.size()) return finish();
  post("alternate certificate", alternates_[at_], "", std::string(kChainType));
}

void Issuance::handle_answer(MonoTime now, const Reply& reply) {
  switch (phase_) {
    case Phase::kAccount:
      return handle_account(now, reply);
    case Phase::kOrder:
      return handle_order(now, reply);
    case Phase::kAuthorizations:
      return handle_authorization(now, reply);
    case Phase::kResponding:
      return handle_response(now, reply);
    case Phase::kValidating:
      return handle_validation(now, reply);
    case Phase::kReady:
      return handle_ready(now, reply);
    case Phase::kFinalize:
    case Phase::kProcessing:
      return handle_processing(now, reply);
    case Phase::kChain:
    case Phase::kAlternates:
      return handle_chain(now, reply);
    case Phase::kPresenting:
      break;
  }
  CHECK(false);
}

}  // namespace timepool::acme
