// The requests that the generator sends and the rules by which it takes a reply for an answer.
//
// A traffic has three parts, all without allocation once made:
//   write(token, buffer)        the request of one slot, into `buffer` (kMaxRequest bytes)
//   read_token(reply)           which request a reply belongs to, or nothing
//   same_token(a, b)            whether they name one request, as far as the protocol carries them
//   judge(token, reply)         whether the reply is a right answer to it
// One that builds a request upon the answer before has 8 octets of memory for each slot, zero at
// first: write(token, memory, buffer) and judge(token, reply, memory).
// A token is a serial number (48 bits), the slot's generation (6) and the slot (kSlotBits), so that
// a late reply does not count. DNS carries 16 bits of identity, the low ones.
#pragma once

#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/byte_reader.h"
#include "base/mac.h"
#include "base/result.h"

namespace timepool::load {

// 1024 requests in flight per socket at most; DNS keeps 6 bits of freshness beside them.
inline constexpr unsigned kSlotBits = 10;
inline constexpr std::size_t kMaxSlots = 1U << kSlotBits;
inline constexpr std::size_t kMaxRequest = 512;

enum class Judgement : std::uint8_t {
  kAnswer,
  kInterleaved,  // an answer too, in interleaved mode
  kProven,       // an answer too, whose proof was verified (NTS: of a sample only)
  kRefused,
  kInvalid,
};

// NTPv4 client requests, RFC 5905: the transmit timestamp is the token, which the server returns as
// the origin timestamp.
class NtpTraffic {
 public:
  struct Options {
    // RFC 9769: each request names the slot's last reply by its receive timestamp, and asks for the
    // answer in interleaved mode by another receive timestamp of its own.
    bool interleaved = false;
    // Requests are authenticated by it, and so must be the answers (RFC 5905 7.3, RFC 8573).
    std::shared_ptr<const Mac> mac;
    std::uint32_t key_id = 0;
  };
  NtpTraffic() = default;
  explicit NtpTraffic(const Options& options) : options_(options) {}
  // Options with the key of "ID:TYPE:HEX", TYPE as in key files. Errors: kInvalid.
  static Result<Options> with_key(std::string_view text, Options options);

  std::size_t write(std::uint64_t token, std::uint64_t memory, MutableBytes buffer) const;
  std::optional<std::uint64_t> read_token(Bytes reply) const;
  bool same_token(std::uint64_t a, std::uint64_t b) const { return a == b; }
  // kRefused: a kiss of death (stratum 0).
  Judgement judge(std::uint64_t token, Bytes reply, std::uint64_t& memory) const;

 private:
  // Of the digest, as far as it is sent.
  std::size_t digest_size() const;
  bool authentic(Bytes reply) const;

  Options options_;
};

// The same requests, expected back byte for byte: what the path alone costs.
class EchoTraffic {
 public:
  std::size_t write(std::uint64_t token, MutableBytes buffer) const;
  std::optional<std::uint64_t> read_token(Bytes reply) const;
  bool same_token(std::uint64_t a, std::uint64_t b) const { return a == b; }
  Judgement judge(std::uint64_t token, Bytes reply) const;
};

// Whose requests are built upon the answers before.
template <class T>
concept RemembersAnswers = requires(const T& traffic, std::uint64_t& memory, MutableBytes buffer) {
  { traffic.write(std::uint64_t{}, memory, buffer) } -> std::same_as<std::size_t>;
};

// One DNS question.
struct DnsQuestion {
  std::string name;  // without the trailing dot
  std::uint16_t type = 1;
};

// "pool.test A": a name and A, AAAA, TXT, SRV, NS or SOA (A when left out). Errors: kInvalid.
Result<DnsQuestion> parse_question(std::string_view line);

class DnsTraffic {
 public:
  // At most this many questions, taken in turn: 65536 of at most 300 bytes are 20 MB.
  static constexpr std::size_t kMaxQuestions = 65536;

  struct Options {
    int edns_percent = 0;     // of the questions that carry an OPT record (1232 bytes)
    bool dnssec = false;      // those ask for signatures (RFC 3225)
    bool subnets = false;     // those name a client subnet, another for each (RFC 7871)
    std::size_t variety = 1;  // each question this often, so that there are more subnets
  };
  // Errors: kInvalid for a name that has no wire form, no question or too many.
  static Result<DnsTraffic> create(const std::vector<DnsQuestion>& questions,
                                   const Options& options);

  std::size_t write(std::uint64_t token, MutableBytes buffer) const;
  std::optional<std::uint64_t> read_token(Bytes reply) const;
  bool same_token(std::uint64_t a, std::uint64_t b) const { return ((a ^ b) & 0xffff) == 0; }
  // The question must be the one asked; NOERROR and NXDOMAIN are answers, other codes kRefused.
  Judgement judge(std::uint64_t token, Bytes reply) const;

 private:
  struct Query {
    std::vector<std::byte> wire;  // whole message with id 0
    std::size_t question_end = 0;
  };
  const Query& query_of(std::uint64_t token) const;
  std::vector<Query> queries_;
};

}  // namespace timepool::load
