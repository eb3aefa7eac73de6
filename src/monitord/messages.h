// The JSON that a monitor and the manager exchange: work in, results out.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/ip.h"
#include "base/result.h"
#include "base/time.h"
#include "pool/nts_check.h"

namespace timepool::monitord {

// What is to be checked of a server's NTS besides.
struct NtsWork {
  std::string name;  // whom the certificate has to be for
  std::uint16_t port = 0;
  std::string trust;  // which roots count
};

// One server to probe. The ticket comes back with the result: only what was asked may be answered.
struct Work {
  static constexpr int kMaxSamples = 16;

  std::int64_t server = 0;
  Endpoint endpoint;
  int samples = 3;
  std::string ticket;
  std::optional<NtsWork> nts{};
};

// What one request to a server brought. `error` is empty, "timeout", "kod", "unreachable" or
// "bogus"; without an error all the rest is set, with "kod" also `kod`.
struct Sample {
  std::string error;
  std::string kod;
  double offset = 0;  // seconds, server minus us
  double rtt = 0;
  int stratum = 0;
  int leap = 0;
  double root_delay = 0;
  double root_dispersion = 0;
  std::string refid;
  int precision = 0;
};

// What a check of a server's NTS found. Of steps that it did not come to there is nothing.
struct NtsResult {
  static constexpr std::size_t kMaxDetail = 200;

  std::string name;  // and port: as the work had them
  std::uint16_t port = 0;
  pool::NtsOutcome outcome = pool::NtsOutcome::kOk;
  std::optional<std::uint16_t> code = {};   // of an Error record
  std::string detail = {};                  // for people, at most kMaxDetail octets of ASCII
  std::optional<UnixTime> not_after = {};   // when the first certificate of the chain ends
  std::optional<std::size_t> cookies = {};  // that key establishment brought
  std::optional<std::uint16_t> aead = {};   // IANA's number
  std::optional<Duration> ke_took = {};     // from the first packet to the last record
  std::optional<double> offset = {};        // seconds, server minus us, proven
};

struct ProbeResult {
  std::int64_t server = 0;
  std::string ticket;
  UnixTime time;  // of the last sample
  std::vector<Sample> samples;
  std::optional<NtsResult> nts{};
};

// GET /v1/work. At most kMaxWork items; one that makes no sense fails the whole answer.
inline constexpr std::size_t kMaxWork = 10'000;
Result<std::vector<Work>> parse_work(std::string_view json);

// The body of POST /v1/results.
std::string write_results(const std::vector<ProbeResult>& results);

// What the manager made of a batch.
struct Verdict {
  struct Rejected {
    std::uint64_t index = 0;
    std::string reason;
  };
  std::uint64_t accepted = 0;
  std::vector<Rejected> rejected;
};
Result<Verdict> parse_verdict(std::string_view json);

// The message of an error answer, or the body's beginning when it has another form.
std::string error_message(std::string_view body);

}  // namespace timepool::monitord
