#include "acme/account.h"

#include "acme/json_fields.h"
#include "acme/jws.h"
#include "base/check.h"

namespace timepool::acme {
void AccountLookup::begin(MonoTime) {
  post("newAccount", directory()->new_account, R"({"onlyReturnExisting":true})");
}

void AccountLookup::handle_answer(MonoTime, const Reply& reply) {
  if (take_account(reply)) finish();
}

void AccountLookup::resume(MonoTime) {
  CHECK(false);  // it never waits
}

void AccountKeyChange::begin(MonoTime) {
  const std::string& url = directory()->key_change;
  if (url.empty()) return fail_with(FailureKind::kRefused, "the authority changes no keys");
  const auto inner = sign_key_change(next_, url, account_url(), key());
  if (!inner) return fail_with(FailureKind::kLocal, "the new key could not sign");
  post("keyChange", url, *inner);
}

void AccountKeyChange::handle_answer(MonoTime, const Reply& reply) {
  if (!is_success(reply)) return refuse(reply);
  finish();
}

void AccountKeyChange::resume(MonoTime) {
  CHECK(false);  // it never waits
}

void AccountDeactivation::begin(MonoTime) {
  post("account", account_url(), R"({"status":"deactivated"})");
}

void AccountDeactivation::handle_answer(MonoTime, const Reply& reply) {
  if (!is_success(reply)) return refuse(reply);
  const auto object = json_object(reply.body);
  if (!object || text_of(*object, "status") != "deactivated") {
    return refuse_rubbish("deactivated account");
  }
  finish();
}

void AccountDeactivation::resume(MonoTime) {
  CHECK(false);  // it never waits
}

}  // namespace timepool::acme
