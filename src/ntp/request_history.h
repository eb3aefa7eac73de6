// RequestHistory: the last requests of an exchange, so that a datagram with the origin of one of
// them is told apart from one that somebody guessed.
#pragma once

#include <cstdint>

#include "base/ring_buffer.h"
#include "base/time.h"

namespace timepool::ntp {

// Eight minutes of polls a minute apart, or a burst. Who replays what is older is a forger like
// any other.
inline constexpr std::size_t kRememberedRequests = 8;

enum class RequestFate : std::uint8_t { kUnknown, kUnanswered, kAnswered, kWarmUp };

class RequestHistory {
 public:
  // `receive`: the second timestamp by which an interleaved request is answered; zero for others.
  void add(NtpTimestamp transmit, NtpTimestamp receive, RequestFate fate) {
    requests_.push_back({transmit, receive, fate});
  }
  // What became of the request that `origin` answers.
  RequestFate fate_of(NtpTimestamp origin) const {
    for (std::size_t i = 0; i < requests_.size(); ++i) {
      const Request& request = requests_[i];
      const bool interleaved = !request.receive.is_zero() && origin == request.receive;
      if (origin == request.transmit || interleaved) return request.fate;
    }
    return RequestFate::kUnknown;
  }

 private:
  struct Request {
    NtpTimestamp transmit;
    NtpTimestamp receive;
    RequestFate fate = RequestFate::kUnknown;
  };
  RingBuffer<Request, kRememberedRequests> requests_;
};

}  // namespace timepool::ntp
