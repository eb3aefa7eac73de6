#include "acme/conversation.h"

#include <utility>

#include "acme/base64url.h"
#include "acme/json_fields.h"
#include "acme/jws.h"
#include "base/check.h"

namespace timepool::acme {
namespace {

// Octets of a nonce: those of authorities in use are below 100.
constexpr std::size_t kMaxNonce = 1024;

}  // namespace

Conversation::Conversation(const AccountKey* key, std::string directory_url,
                           std::string account_url)
    : key_(key), directory_url_(std::move(directory_url)), account_url_(std::move(account_url)) {}

const AccountKey& Conversation::key() const {
  CHECK(key_ != nullptr);
  return *key_;
}

bool Conversation::take_account(const Reply& reply) {
  if (!is_success(reply)) {
    refuse(reply);
    return false;
  }
  const auto object = json_object(reply.body);
  if (!is_https_url(reply.location) || !object) {
    refuse_rubbish("account");
    return false;
  }
  if (const std::string_view status = text_of(*object, "status"); status != "valid") {
    fail_with(FailureKind::kAccount,
              "the account is " + plain(status, Problem::kMaxText) + ", not valid");
    return false;
  }
  set_account_url(reply.location);
  return true;
}

const Failure& Conversation::failure() const {
  CHECK(failure_.has_value());
  return *failure_;
}

Want Conversation::want(MonoTime now) {
  if (paused_ && !over_ && now >= wait_until_) {
    paused_ = false;
    resume(now);
  }
  if (over_) return Want::kNothing;
  if (under_ != Under::kNothing) return Want::kReply;
  if (presenting_) return Want::kPresent;
  if (now < wait_until_) return Want::kWait;
  CHECK(!directory_ || asked_);
  return Want::kRequest;
}

std::optional<Request> Conversation::take_request() {
  CHECK(!over_ && under_ == Under::kNothing && !presenting_ && !paused_);
  if (!directory_) {
    under_ = Under::kDirectory;
    return Request{Request::Method::kGet, directory_url_, "", "application/json"};
  }
  CHECK(asked_.has_value());
  if (!asked_->signed_by_us) {
    under_ = Under::kAsked;
    return Request{Request::Method::kGet, asked_->url, "", asked_->accept};
  }
  if (nonce_.empty()) {
    under_ = Under::kNonce;
    return Request{Request::Method::kHead, directory_->new_nonce, "", ""};
  }
  auto body = signed_body();
  if (!body) {
    fail_with(FailureKind::kLocal, "the key of the account could not sign");
    return std::nullopt;
  }
  under_ = Under::kAsked;
  return Request{Request::Method::kPost, asked_->url, std::move(*body), asked_->accept};
}

// A nonce is used once (RFC 8555 6.5).
std::optional<std::string> Conversation::signed_body() {
  const std::string nonce = std::exchange(nonce_, "");
  if (account_url_.empty()) return sign_with_key(key(), nonce, asked_->url, asked_->payload);
  return sign_as_account(key(), account_url_, nonce, asked_->url, asked_->payload);
}

void Conversation::ask(Asked asked) {
  step_ = asked.step;
  asked_ = std::move(asked);
  nonce_tries_ = 0;
  repeats_ = 0;
  wait_until_ = MonoTime();
}

void Conversation::get(std::string_view step, std::string url) {
  ask({std::string(step), std::move(url), "", "application/json", false});
}

void Conversation::post(std::string_view step, std::string url, std::string payload,
                        std::string accept) {
  ask({std::string(step), std::move(url), std::move(payload), std::move(accept), true});
}

void Conversation::wait(MonoTime until) {
  paused_ = true;
  wait_until_ = until;
}

void Conversation::fail_with(Failure failure) {
  failure_ = std::move(failure);
  over_ = true;
}

void Conversation::fail_with(FailureKind kind, std::string_view why) {
  fail_with(Failure{kind, step_ + ": " + std::string(why), std::nullopt});
}

void Conversation::refuse(const Reply& reply) {
  const Problem problem = parse_problem(reply.body);
  std::string text = step_ + ": ";
  text += problem.empty() ? "status " + std::to_string(reply.status) : describe(problem);
  fail_with(Failure{kind_of(problem, reply.status), std::move(text), retry_after_of(reply)});
}

void Conversation::refuse_rubbish(std::string_view wanted) {
  fail_with(FailureKind::kRubbish, "the answer is no " + std::string(wanted));
}

void Conversation::repeat_or_fail(MonoTime now, Failure failure) {
  const Duration wanted = failure.retry_after.value_or(Duration());
  if (repeats_ >= kMaxRepeats || wanted > kLongestRepeatWait) return fail_with(std::move(failure));
  const Duration usual = kRepeatWait * (std::int64_t{1} << repeats_);
  wait_until_ = now + std::max(usual, wanted);
  ++repeats_;
}

void Conversation::handle_no_reply(MonoTime now, std::string_view why) {
  CHECK(under_ != Under::kNothing);
  under_ = Under::kNothing;
  repeat_or_fail(now, Failure{FailureKind::kUnreachable, step_ + ": " + std::string(why), {}});
}

void Conversation::handle_reply(MonoTime now, const Reply& reply) {
  CHECK(under_ != Under::kNothing);
  const Under under = std::exchange(under_, Under::kNothing);
  if (reply.nonce.size() <= kMaxNonce && is_base64url(reply.nonce)) nonce_ = reply.nonce;
  if (reply.body.size() > kMaxReplyBody) return refuse_rubbish("answer of a reasonable size");
  if (reply.status >= 500) {
    refuse(reply);
    over_ = false;
    return repeat_or_fail(now, *std::exchange(failure_, std::nullopt));
  }
  if (under == Under::kDirectory) return handle_directory(now, reply);
  if (under == Under::kNonce) return handle_nonce(reply);
  if (refused_nonce(reply)) return;
  repeated_ = repeats_ > 0;
  asked_.reset();
  handle_answer(now, reply);
}

void Conversation::handle_directory(MonoTime now, const Reply& reply) {
  if (!is_success(reply)) return refuse(reply);
  auto read = parse_directory(reply.body);
  if (!read.ok()) return refuse_rubbish("directory");
  directory_ = std::move(read).value();
  repeats_ = 0;
  begin(now);
}

void Conversation::handle_nonce(const Reply& reply) {
  if (!is_success(reply)) return refuse(reply);
  if (nonce_.empty()) fail_with(FailureKind::kRubbish, "newNonce gave no nonce");
}

// RFC 8555 6.5: the same again with another nonce, the one that came with the refusal if there is
// one.
bool Conversation::refused_nonce(const Reply& reply) {
  if (!asked_->signed_by_us || reply.status != 400) return false;
  if (parse_problem(reply.body).type != "badNonce") return false;
  if (++nonce_tries_ >= kMaxNonceTries) refuse(reply);
  return true;
}

}  // namespace timepool::acme
