// Scores of time servers, by the NTP Pool's rules with every constant a setting: the samples of one
// check become one CheckSummary, that becomes a step, steps become the score of one server as one
// monitor sees it, and the recent scores of all monitors become the server's score.
// Rules and numbers: ntppool/monitor scorer/statusscore.go and scorer/every, score =
// "recentmedian".
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "base/time.h"

namespace timepool::pool {

// Why a sample gave no offset.
enum class SampleError : std::uint8_t {
  kNone,
  kTimeout,      // no answer in time
  kKissOfDeath,  // stratum 0: `kod` has the code, or is empty when it was not a known one
  kUnreachable,  // the network said so: ICMP, no route
  kBogus,        // an answer that is not one to our question, or malformed
};

// RFC 5905 7.4 kiss codes that the table tells apart.
enum class KissCode : std::uint8_t { kOther, kRate, kDeny, kRestrict };

// "RATE", "DENY", "RSTR"; anything else is kOther.
KissCode kiss_code_of(std::string_view text);

// One question to a server and what came of it. Seconds; offset > 0: the server is ahead of us.
struct Sample {
  SampleError error = SampleError::kTimeout;
  KissCode kiss = KissCode::kOther;
  double offset_s = 0;
  double rtt_s = 0;
  std::uint8_t stratum = 0;
  std::uint8_t leap = 0;

  bool answered() const { return error == SampleError::kNone; }
};

// What a check found, made of all its samples: the values are those of the best sample (answered,
// then least round trip), and what failed is counted beside it.
struct CheckSummary {
  Sample best;
  std::uint32_t samples = 0;
  std::uint32_t lost = 0;  // samples without a usable answer
};

// A kiss of death in any sample decides the check, as it ends a check in the NTP Pool's monitor.
// No samples at all is a timeout.
CheckSummary summarise(std::span<const Sample> samples);

// Step for an absolute offset above `above_s`: slope * offset + intercept.
struct OffsetPiece {
  double above_s;
  double slope;
  double intercept;
};

struct ScoreSettings {
  double decay = 0.95;    // raw = raw * decay + step
  double max_score = 20;  // 1 / (1 - decay) steps of max_step: where a perfect server ends
  double max_step = 1;

  double no_response_step = -5;
  double rate_step = -3.5;  // KoD RATE
  double deny_step = -10;   // KoD DENY and RSTR
  double deny_cap = -50;
  double other_kiss_step = -2;  // stratum 0 with any other code
  double other_kiss_cap = 5;
  double error_step = -4;   // any other fault
  double far_offset_s = 3;  // beyond it the clock is simply wrong
  double far_offset_step = -4;
  double far_offset_cap = -20;
  std::uint8_t bad_stratum = 8;  // this stratum and above
  double bad_stratum_step = -4;
  // Searched from the first; the last one's above_s is below 0 so that one always fits.
  std::array<OffsetPiece, 4> offset_pieces{{
      {0.750, 0, -2},
      {0.100, -2.308, 0.731},
      {0.025, -6.667, 1.167},
      {-1, 0, 1},
  }};

  // recentmedian: the first window that holds any score is used.
  Duration active_window = Duration::seconds(1200);     // active monitors
  Duration testing_window = Duration::seconds(2700);    // active and testing ones
  Duration candidate_window = Duration::seconds(7200);  // testing and candidate ones
};

// Which line of the table gave the step: the label of metrics and the word on the server's page.
enum class StepReason : std::uint8_t {
  kGood,
  kOffset,
  kOffsetFar,
  kStratum,
  kTimeout,
  kRate,
  kDenied,
  kKiss,
  kError,
};
std::string_view name_of(StepReason reason);

struct Step {
  double value = 0;
  std::optional<double> cap;  // the score may not be above it after this step
  StepReason reason = StepReason::kGood;
};

Step step_of(const CheckSummary& check, const ScoreSettings& settings);

// The score after `step`; `raw` is the one before, 0 for a new pair.
double next_score(double raw, const Step& step, const ScoreSettings& settings);

// What a monitor is to a server (NTP Pool, selector): only active ones count while there are any.
enum class MonitorRole : std::uint8_t { kCandidate, kTesting, kActive };

// The last score of one monitor for the server.
struct MonitorScore {
  MonitorRole role = MonitorRole::kActive;
  UnixTime time;
  double score = 0;
  std::optional<double> rtt_s;  // none when the last check had no answer; sorts last
};

// The server's score: with three scores or more in the window the lower median by (score, rtt),
// with fewer the oldest one; none when no window holds a score (the server then keeps the one it
// had).
std::optional<double> recent_median(std::span<const MonitorScore> scores, UnixTime now,
                                    const ScoreSettings& settings);

}  // namespace timepool::pool
