#include "ntp/nts_authenticator.h"

#include <utility>

namespace timepool::ntp {
namespace {

void fill(RandomStream& random, MutableBytes out) {
  ByteWriter writer(out);
  while (writer.remaining() >= 8) writer.u64(random.next());
  while (writer.remaining() > 0) writer.u8(static_cast<std::uint8_t>(random.next() & 0xff));
}

}  // namespace

NtsAuthenticator::NtsAuthenticator(const AeadMaker& aeads, const nts::Establishment& establishment)
    : aeads_(aeads), current_(session_of(establishment)) {}

NtsAuthenticator::Session NtsAuthenticator::session_of(const nts::Establishment& establishment) {
  return {nts::CookieJar(establishment), establishment.other_keys};
}

Aead& NtsAuthenticator::aead_for(AeadId id) {
  if (aead_ == nullptr || aead_->id() != id) aead_ = aeads_.make(id);
  return *aead_;
}

std::size_t NtsAuthenticator::cookies() const {
  return current_.jar.size() + (old_ ? old_->jar.size() : 0);
}

NtsAuthenticator::Session* NtsAuthenticator::next_session() {
  if (cookies() <= reserve_) return nullptr;
  const bool in_vain = outstanding_.has_value();
  const bool old =
      old_ && !old_->jar.empty() && (current_.jar.empty() || (in_vain && !outstanding_->by_old));
  return old ? &*old_ : &current_;
}

bool NtsAuthenticator::protect(ByteWriter& request, RandomStream& random) {
  if (!request.ok() || request.size() < wire::ntp::kHeaderSize) return false;
  Session* session = next_session();
  std::optional<nts::Cookie> cookie = session == nullptr ? std::nullopt : session->jar.take();
  if (!cookie) return false;
  Outstanding outstanding;
  outstanding.by_old = session != &current_;
  fill(random, outstanding.id);
  const nts::SessionKeys& keys = session->jar.keys();
  std::array<std::byte, 16> nonce{};
  fill(random, nonce);
  nts::RequestFields fields;
  fields.id = outstanding.id;
  fields.cookie = *cookie;
  fields.nonce = Bytes(nonce).first(nonce_size(keys.aead));
  const std::size_t fixed = wire::ntp::kFieldHeaderSize * 2 + nts::kUniqueIdSize + 3 +
                            cookie->size() + nts::authenticator_size(keys.aead);
  const std::size_t room = request.remaining() > fixed ? request.remaining() - fixed : 0;
  // Whoever refuses our cookies is not asked for more, nor is one whose cookies soon are dropped.
  const bool ask = !outstanding.by_old && naks_ == 0;
  fields.placeholders =
      ask ? nts::placeholders_wanted(session->jar.size(), cookie->size(), room) : 0;
  Aead& aead = aead_for(keys.aead);
  aead.set_key(keys.c2s());
  if (!nts::write_request_fields(fields, aead, request)) return false;
  last_size_ = cookie->size();
  counts_.cookies_asked = 1 + fields.placeholders;
  outstanding.cookie = std::move(*cookie);
  outstanding_ = std::move(outstanding);
  return true;
}

// The cookie is as good as it was.
void NtsAuthenticator::handle_unsent() {
  if (!outstanding_ || outstanding_->cookie.empty()) return;
  Session& session = outstanding_->by_old && old_ ? *old_ : current_;
  session.jar.give_back(std::exchange(outstanding_->cookie, {}));
  outstanding_.reset();
}

AuthVerdict NtsAuthenticator::check(const wire::ntp::Packet& reply, Bytes datagram) {
  if (!outstanding_) return AuthVerdict::kNotAuthentic;
  Session& session = outstanding_->by_old && old_ ? *old_ : current_;
  Aead& aead = aead_for(session.jar.keys().aead);
  aead.set_key(session.jar.keys().s2c());
  std::array<std::byte, nts::kMaxSealed> plain{};
  const nts::ReplyFields fields = nts::read_reply(reply, datagram, outstanding_->id, aead, plain);
  ++counts_.verdicts[static_cast<std::size_t>(fields.verdict)];
  if (fields.verdict == nts::ReplyVerdict::kAuthentic) {
    handle_proof(session, fields);
    return AuthVerdict::kAuthentic;
  }
  if (fields.verdict != nts::ReplyVerdict::kNak) return AuthVerdict::kNotAuthentic;
  handle_nak();
  return AuthVerdict::kNak;
}

// NC8: anybody on the way may have sent it, so it changes nothing but a count; the answer may still
// come. Only where it is not known which keys the cookies stand for, the others are tried.
void NtsAuthenticator::handle_nak() {
  if (std::exchange(outstanding_->nak, true)) return;
  ++counts_.naks_in_all;
  ++naks_;
  if (outstanding_->by_old || current_.proven || !current_.other_keys) return;
  current_.jar.set_keys(*std::exchange(current_.other_keys, std::nullopt));
  naks_ = 0;
}

void NtsAuthenticator::handle_proof(Session& session, const nts::ReplyFields& fields) {
  const bool by_old = outstanding_->by_old;
  outstanding_.reset();
  naks_ = 0;
  for (const Bytes cookie : fields.cookies) {
    if (session.jar.put(cookie)) ++counts_.cookies_taken;
  }
  if (by_old) return;
  session.proven = true;
  session.other_keys.reset();
  // RFC 8915 5.7: the old ones are dropped, now that the new ones work.
  old_.reset();
}

void NtsAuthenticator::renew(const nts::Establishment& establishment) {
  ++counts_.renewals;
  naks_ = 0;
  outstanding_.reset();
  if (current_.proven) old_ = std::move(current_);
  current_ = session_of(establishment);
}

NtsState NtsAuthenticator::state() const {
  NtsState out = counts_;
  out.aead = current_.jar.keys().aead;
  out.cookies = cookies();
  out.cookie_size = last_size_ > 0 ? last_size_ : current_.jar.next_size();
  out.proven = current_.proven;
  out.naks = naks_;
  return out;
}

std::optional<nts::Establishment> NtsAuthenticator::saved(std::size_t cookies) const {
  const Session& session = lasting();
  if (session.jar.empty() || cookies == 0) return std::nullopt;
  nts::Establishment out;
  out.keys = session.jar.keys();
  out.other_keys = session.other_keys;
  out.cookies = session.jar.newest(cookies);
  return out;
}

void NtsAuthenticator::set_written(std::size_t cookies) {
  const bool of_current = &lasting() == &current_;
  current_.jar.set_written(of_current ? cookies : 0);
  if (old_) old_->jar.set_written(of_current ? 0 : cookies);
}

bool NtsAuthenticator::owes_write() const {
  return current_.jar.owes_write() || (old_ && old_->jar.owes_write());
}

void NtsAuthenticator::lose_written() {
  if (owes_write() && outstanding_) outstanding_->cookie.clear();
  current_.jar.lose_written();
  if (old_) old_->jar.lose_written();
}

}  // namespace timepool::ntp
