// NtsTraffic: NTPv4 client requests under NTS (RFC 8915 5) as a load for a server. A traffic as
// load/traffic.h has it.
//
// Sealing a request costs the generator as much as opening it costs the server, so the requests are
// made beforehand, kPrepared at most, each with its own unique identifier and transmit timestamp,
// and sent again and again. Each has one of the cookies that real key establishments gave; servers
// keep nothing of a cookie (RFC 8915 5.4), so that one that comes again costs them the same.
// A late reply counts when the same request is under way again.
//
// Of all replies that are taken for answers the form is looked at: unique identifier,
// authenticator, not longer than the request. One in kProofEvery is opened: its proof must be right
// and it must hold a cookie.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "base/aead.h"
#include "base/result.h"
#include "load/key_asking.h"
#include "load/traffic.h"
#include "nts/request_fields.h"

namespace timepool::load {

class NtsTraffic {
 public:
  static constexpr std::size_t kPrepared = 1024;
  static constexpr std::uint64_t kProofEvery = 64;
  // So that the keys are not always the same: 32 cookies of servers that give 8.
  static constexpr int kEstablishments = 4;

  // By kEstablishments key establishments one after another. Errors: check_target's of the key
  // server, establish_keys's.
  static Result<std::vector<nts::Establishment>> establish(const KeyPeer& peer, bool allow_private);
  // `slots` (1 to kMaxSlots, CHECKed) is of one socket. Errors: kInvalid for no keys at all, and
  // for a cookie with which a request is longer than kMaxRequest.
  static Result<NtsTraffic> create(const std::vector<nts::Establishment>& keys,
                                   const AeadMaker& aeads, std::size_t slots);

  std::size_t slots() const { return slots_; }
  std::size_t write(std::uint64_t token, MutableBytes buffer) const;
  std::optional<std::uint64_t> read_token(Bytes reply) const;
  bool same_token(std::uint64_t a, std::uint64_t b) const { return index_of(a) == index_of(b); }
  // kProven: an answer whose proof was verified. kRefused: a kiss of death, NTSN being one.
  Judgement judge(std::uint64_t token, Bytes reply) const;

 private:
  struct Prepared {
    std::vector<std::byte> wire;
    std::uint64_t transmit = 0;
    nts::UniqueId id{};
    Aead* server_to_client = nullptr;  // of `proofs_`
  };

  explicit NtsTraffic(std::size_t slots);
  Result<void> prepare(std::size_t index, const nts::Cookie& cookie, Aead& client_to_server);
  // The transmit timestamp's low bits are those of the token that say which request it is.
  std::uint64_t token_of(std::size_t index) const;
  std::size_t index_of(std::uint64_t token) const;

  std::size_t slots_;
  std::size_t generations_;  // requests for each slot, a power of two
  std::vector<std::unique_ptr<Aead>> proofs_;
  std::vector<Prepared> requests_;
};

}  // namespace timepool::load
