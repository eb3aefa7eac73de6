// OnlineSigner: what cannot be signed ahead is signed while answering: the NSEC of names that do
// not exist, and what wildcards give under the names asked for. Each worker has its own: a cache of
// fixed size, so that a name asked for again costs no signature, and a number of signatures a
// second that is never passed, whatever strangers ask for. No allocation after construction, but
// for what the signing library does. Called from one thread.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <span>

#include "base/byte_reader.h"
#include "base/siphash.h"
#include "base/zeroed.h"
#include "dns/signed/signed_zones.h"
#include "dnssec/rrset.h"
#include "wire/dns/name.h"

namespace timepool::dns {

class OnlineSigner {
 public:
  // One each: a name keeps its place until another name of the same place comes.
  static constexpr std::size_t kEntries = 4096;
  // Octets of an answer that is kept, with its head: twice an NSEC of a usual name with its RRSIG.
  // 2 MB for each worker, touched as they are used.
  static constexpr std::size_t kEntrySize = 512;
  // Of what is signed here at all: more than any answer by UDP has.
  static constexpr std::size_t kMaxAnswer = 8192;
  static constexpr std::size_t kMaxRecords = 256;

  explicit OnlineSigner(std::uint64_t seed);

  // Who asks: strangers have a budget of their own, so that a flood from forged addresses leaves
  // that of clients with a proven address alone.
  enum class Client : std::uint8_t { kUnproven, kProven };
  struct Request {
    const SignedZones::Zone& state;
    wire::dns::NameView zone;
    wire::dns::NameView name;  // the owner, in lower case
    std::uint32_t now = 0;     // Unix seconds modulo 2^32
    Client client = Client::kUnproven;
    std::uint32_t per_second = 0;  // signatures for each kind of client
  };
  enum class Status : std::uint8_t { kReady, kLimited, kFailed };
  struct Answer {
    Status status = Status::kFailed;
    Bytes records;           // owner C0 0C; valid until the next call
    std::uint8_t count = 0;  // of them
    // The records of a set with weights that it gives (SignedSet::drawn_of); as long valid.
    std::span<const std::uint16_t> drawn{};
  };

  // NSEC and RRSIG that say that the name has the types of `bitmap` (as in NSEC's data) and no
  // others.
  Answer deny(const Request& request, Bytes bitmap);
  // The same for a name that does not exist (RFC 9824 3.1).
  Answer deny_name(const Request& request);
  // The same for a delegation without DS of which the zone itself has no record (RFC 9824 3.4).
  Answer deny_keys(const Request& request);
  // The answer of a wildcard under the name asked for (RFC 9824 3.3): `variant` of `set`, which has
  // its records, signed as the name's own.
  Answer expand(const Request& request, const SignedSet& set, std::uint32_t variant);

  struct Counts {
    std::uint64_t signatures = 0;
    std::uint64_t from_cache = 0;
    std::uint64_t limited = 0;
    std::uint64_t failed = 0;
  };
  const Counts& counts() const { return counts_; }
  std::size_t memory() const;

 private:
  struct Head {
    std::uint64_t key = 0;  // 0: none
    std::uint32_t signed_at = 0;
    std::uint16_t size = 0;
    std::uint8_t count = 0;
    std::uint8_t drawn = 0;  // numbers of records, behind the answer's octets
  };
  static constexpr std::size_t kRoom = kEntrySize - sizeof(Head);
  struct Entry {
    Head head;
    std::array<std::byte, kRoom> octets;
  };
  static_assert(sizeof(Entry) == kEntrySize);
  struct Budget {
    std::uint32_t second = 0;
    std::uint32_t used = 0;
  };
  // One record set to be signed: its records' data in canonical form and order.
  struct Rrset {
    wire::dns::RrType type{};
    std::uint32_t ttl = 0;
    std::span<const Bytes> data;
    std::span<const std::uint16_t> drawn{};
  };

  // `what`: of all that the answer depends on besides name and keys.
  std::uint64_t key_of(const Request& request, std::uint64_t what) const;
  // Signs NSEC with the types of `bitmap`, to be kept by `key`.
  Answer sign_nsec(const Request& request, std::uint64_t key, Bytes bitmap);
  bool find(std::uint64_t key, const Request& request, std::uint32_t longest, Answer& out);
  bool spend(const Request& request, std::size_t signatures);
  Answer sign(const Request& request, std::uint64_t key, const Rrset& rrset);
  // `what` stands for `types`, which are below 256.
  Answer deny_types(const Request& request, std::uint64_t what,
                    std::span<const wire::dns::RrType> types);
  void keep(std::uint64_t key, std::uint32_t now, const Answer& answer);

  SiphashKey secret_;
  std::array<Budget, 2> budgets_{};
  Counts counts_;
  Zeroed<Entry> entries_;
  std::unique_ptr<std::byte[]> answer_;  // kMaxAnswer
  std::unique_ptr<std::byte[]> data_;    // what is signed
  std::array<Bytes, kMaxRecords> records_;
  // Of the answer that was found last: each is in it with 16 octets at least.
  std::array<std::uint16_t, kEntrySize / 16> drawn_{};
};

}  // namespace timepool::dns
