// NtsAuthenticator: a client's requests and replies under Network Time Security (RFC 8915 5.7). It
// has the keys and cookies of one server; what gives it others is a key establishment, which is not
// its business.
//
// Keys that are replaced stay until the new ones have brought an authentic answer: while both are
// there, requests that are not answered take turns between them. So a key establishment that
// somebody provoked, or whose cookies the server does not take, costs nothing.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>

#include "ntp/authenticator.h"
#include "nts/cookie_jar.h"
#include "nts/request_fields.h"

namespace timepool::ntp {

// What people are told of it.
struct NtsState {
  AeadId aead = AeadId::kAesSivCmac256;
  std::size_t cookies = 0;      // of the keys in use, and of those that wait to be dropped
  std::size_t cookie_size = 0;  // octets of the last that was sent, else of the first; 0: none
  bool proven = false;          // the keys have brought an authentic answer
  std::uint32_t naks = 0;  // requests in a row that were answered by NTSN and by nothing better
  std::uint64_t naks_in_all = 0;
  std::uint64_t cookies_taken = 0;  // from replies
  std::size_t cookies_asked = 0;    // by the last request
  std::uint64_t renewals = 0;       // keys that replaced others
  // What replies were found to be; each check() counts one.
  std::array<std::uint64_t, nts::kReplyVerdictCount> verdicts{};
};

class NtsAuthenticator final : public Authenticator {
 public:
  // `aeads` must outlive it.
  NtsAuthenticator(const AeadMaker& aeads, const nts::Establishment& establishment);

  // Uses up a cookie; false without one to spare.
  bool protect(ByteWriter& request, RandomStream& random) override;
  void handle_unsent() override;
  AuthVerdict check(const wire::ntp::Packet& reply, Bytes datagram) override;
  bool authenticates() const override { return true; }

  // Keys of a new key establishment. Those that were proven are kept until these are; others go.
  void renew(const nts::Establishment& establishment);
  // So many cookies are kept for better times.
  void set_reserve(std::size_t cookies) { reserve_ = cookies; }
  // Of all keys.
  std::size_t cookies() const;
  // Requests in a row that were answered by NTSN and by nothing better. One that is not answered at
  // all changes nothing.
  std::uint32_t naks() const { return naks_; }
  bool proven() const { return current_.proven; }
  NtsState state() const;
  // The session that a later run may go on with, with the newest `cookies` of its jar; nothing when
  // there is none. A cookie that is written down is not sent before the disk has changed: the
  // caller says with set_written() what is there now, and asks owes_write() before it sends.
  std::optional<nts::Establishment> saved(std::size_t cookies) const;
  void set_written(std::size_t cookies);
  // The request that waits to be sent holds a cookie that is on the disk, as far as is known.
  bool owes_write() const;
  // The disk can't be changed: what is there is lost, with the request that owes_write().
  void lose_written();

 private:
  struct Session {
    nts::CookieJar jar;
    // Where keys come from is not certain (nts/establishment.h): these, if those are refused.
    std::optional<nts::SessionKeys> other_keys;
    bool proven = false;
  };
  // What waits for an answer.
  struct Outstanding {
    nts::UniqueId id{};
    nts::Cookie cookie;
    bool by_old = false;
    bool nak = false;  // it was answered so already
  };

  static Session session_of(const nts::Establishment& establishment);
  // Of which a later run is to know.
  const Session& lasting() const { return current_.jar.empty() && old_ ? *old_ : current_; }
  // Whose turn it is; null when there is no cookie to spare.
  Session* next_session();
  Aead& aead_for(AeadId id);
  void handle_nak();
  void handle_proof(Session& session, const nts::ReplyFields& fields);

  const AeadMaker& aeads_;
  std::unique_ptr<Aead> aead_;
  Session current_;
  std::optional<Session> old_;  // proven
  std::optional<Outstanding> outstanding_;
  bool last_by_old_ = false;
  std::size_t reserve_ = 0;
  std::size_t last_size_ = 0;
  std::uint32_t naks_ = 0;
  NtsState counts_;
};

}  // namespace timepool::ntp
