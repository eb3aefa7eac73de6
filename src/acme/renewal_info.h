// Renewal information (RFC 9773): when an authority would have a certificate renewed. The
// certificate's id, the answer, the moment that is chosen, when to ask again, and the question as a
// Conversation.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "acme/conversation.h"
#include "base/byte_reader.h"
#include "base/result.h"
#include "base/time.h"

namespace timepool::acme {

struct RenewalWindow {
  UnixTime start;
  UnixTime end;
  std::string explanation;  // a page for a person, or ""
  bool operator==(const RenewalWindow&) const = default;
};

// RFC 9773 4.1: the key identifier of the certificate's authority and the octets of its serial
// number as DER has them (a leading zero octet included), each in base64url, a dot between.
std::string certificate_id(Bytes authority_key, Bytes serial);
// Errors: kRubbish, also for a window that does not end after its start (4.2).
Result<RenewalWindow, FailureKind> parse_renewal_window(std::string_view body);
// RFC 9773 4.2: a moment in the window, `unit` in [0, 1) is random. It may be past: renew now.
UnixTime chosen_time(const RenewalWindow& window, double unit);
// Dates of RFC 3339 as ACME has them, with any offset and fraction.
std::optional<UnixTime> parse_rfc3339(std::string_view text);

// RFC 9773 4.3: Retry-After says when to ask again, not sooner and not later, within these.
inline constexpr Duration kShortestAsk = Duration::seconds(60);
inline constexpr Duration kLongestAsk = Duration::seconds(86'400);
// When the authority says nothing, or what it says is of no use (4.3.3).
inline constexpr Duration kUsualAsk = Duration::seconds(6 * 3600);
Duration ask_again_after(std::optional<Duration> retry_after);

class RenewalInquiry final : public Conversation {
 public:
  // `id` is certificate_id()'s.
  RenewalInquiry(std::string directory, std::string id)
      : Conversation(nullptr, std::move(directory), ""), id_(std::move(id)) {}

  // After success: nothing when the authority has no renewal information.
  const std::optional<RenewalWindow>& window() const { return window_; }
  // When to ask again, after success and after failure alike.
  Duration again() const { return again_; }

 protected:
  void begin(MonoTime now) override;
  void handle_answer(MonoTime now, const Reply& reply) override;
  void resume(MonoTime now) override;

 private:
  std::string id_;
  std::optional<RenewalWindow> window_;
  Duration again_ = kUsualAsk;
};

}  // namespace timepool::acme
