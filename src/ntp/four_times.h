// FourTimes: what the four timestamps of an exchange measure (RFC 5905 8), and which rules a
// measurement breaks. A client's requests and symmetric mode stand on it.
#pragma once

#include <cstdint>

#include "ntp/dialogue.h"
#include "wire/ntp/header.h"

namespace timepool::ntp {

struct ExchangeConfig {
  std::uint8_t version = 4;  // 1 to 4
  // log2 seconds: how well the local clock can be read.
  std::int8_t precision = -20;
  // The most that the local clock's frequency is off, in parts in 10^9. A free-running crystal
  // keeps within 50 parts in a million; RFC 5905's 15 (PHI) is for a disciplined clock.
  std::int64_t clock_error_ppb = 50'000;
  // How much it may change between two measurements beyond what they show, as EstimatorConfig's.
  std::int64_t max_clock_error_ppb = 1'000;
  Duration max_delay = Duration::seconds(3);
  Duration max_distance = Duration::seconds(3);
  bool interleaved = false;
  // No server's time is before it (B10): when this program was built, say. Zero: no such limit.
  UnixTime earliest;
};

// What is known of the pace of raw time.
struct ClockPace {
  // Seconds by which true time advances more than one in a second of raw time.
  double frequency = 0;
  // The most that it is wrong, in parts in 10^9.
  std::int64_t error_ppb = 50'000;
};

// T1 and T4 are ours, in raw time; T2, and T3 which the header has, the other side's.
struct FourTimes {
  LocalTime at;  // when the packet with T3 was handled
  TransmitStamp t1;
  NtpTimestamp t2;
  UnixTime t4;
  StampSource t4_source = StampSource::kProgram;
  Duration t4_error;
};

// Fills `out` with the measurement, or its reason with what contradicts itself; T3 is
// header.transmit. The offset is the one at T4: offset = ((T2 - T1) + (T3 - T4) + f (T4 - T1)) / 2
// and delay = (T4 - T1) (1 + f) - (T3 - T2), where f is the frequency. Differences across two
// clocks are modulo an era and right while they are within 68 years.
void measure(const FourTimes& times, const wire::ntp::Header& header, const ExchangeConfig& config,
             const ClockPace& pace, Reply& out);
// Once the times are measured: the first rule that the packet breaks, or kAccepted.
ReplyReason judge_sample(const wire::ntp::Header& header, const Sample& sample,
                         const ExchangeConfig& config);
// What the other side says of itself.
void take_claims(const wire::ntp::Header& header, Sample& sample);
bool claims_no_time(const wire::ntp::Header& header);

// Whether a packet that was written at `made` can have left at that time: the kernel may stamp it a
// second later, and a device's clock is mapped to ours with an error.
bool is_possible_send(const TransmitStamp& stamp, UnixTime made);

// 2^exponent seconds, for the log2 fields of the header; saturates, at least a nanosecond.
Duration exp2_seconds(int exponent);
// The error that a clock of this frequency error gathers in `span`; not negative.
Duration drift_over(Duration span, std::int64_t clock_error_ppb);

}  // namespace timepool::ntp
