#include "monitord/nts_outcome.h"

#include <algorithm>
#include <set>

namespace timepool::monitord {
namespace {

using net::TlsFault;
using nts::KeClientError;
using nts_client::KeyOutcome;
using nts_client::KeyResult;
using pool::NtsOutcome;
using Outcome = std::optional<NtsOutcome>;  // nothing: the fault is ours

Outcome outcome_of(TlsFault fault) {
  switch (fault) {
    case TlsFault::kAlpn:
      return NtsOutcome::kNoAlpn;
    case TlsFault::kExpired:
      return NtsOutcome::kCertificateExpired;
    case TlsFault::kNotYetValid:
      return NtsOutcome::kNotYetValid;
    case TlsFault::kWrongName:
      return NtsOutcome::kNameMismatch;
    case TlsFault::kSelfSigned:
    case TlsFault::kUntrusted:
      return NtsOutcome::kUntrusted;
    case TlsFault::kInternal:
      return std::nullopt;
    default:
      return NtsOutcome::kTlsFailed;
  }
}

NtsOutcome outcome_of(KeClientError error) {
  switch (error) {
    case KeClientError::kErrorCritical:
    case KeClientError::kErrorBadRequest:
    case KeClientError::kErrorInternal:
    case KeClientError::kErrorOther:
      return NtsOutcome::kKeError;
    case KeClientError::kNoCookies:
      return NtsOutcome::kTooFewCookies;
    default:
      return NtsOutcome::kKeMalformed;
  }
}

// Of a connection that brought no response: the step that it did not get over.
NtsOutcome outcome_of(net::TlsStep step) {
  switch (step) {
    case net::TlsStep::kConnect:
      return NtsOutcome::kConnectFailed;
    case net::TlsStep::kHandshake:
      return NtsOutcome::kTlsFailed;
    case net::TlsStep::kAnswer:
      break;
  }
  return NtsOutcome::kKeMalformed;
}

Outcome outcome_of(const KeyResult& result) {
  switch (result.outcome) {
    case KeyOutcome::kEstablished:
      return NtsOutcome::kOk;
    case KeyOutcome::kTls:
      // The handshake is over: what breaks then, breaks the answer.
      if (result.step == net::TlsStep::kAnswer && result.tls_fault != TlsFault::kInternal) {
        return NtsOutcome::kKeMalformed;
      }
      return outcome_of(result.tls_fault);
    case KeyOutcome::kRecords:
      if (!result.record_error || *result.record_error == KeClientError::kNoKeys) return {};
      return outcome_of(*result.record_error);
    case KeyOutcome::kSystem:
      return std::nullopt;
    default:
      return outcome_of(result.step);
  }
}

bool end_with(NtsOutcome outcome, std::string_view detail, NtsResult& out) {
  out.outcome = outcome;
  out.detail = detail_of(detail);
  return true;
}

}  // namespace

std::string detail_of(std::string_view text) {
  std::string out(text.substr(0, NtsResult::kMaxDetail));
  std::replace_if(out.begin(), out.end(), [](char c) { return c < 0x20 || c > 0x7e; }, '?');
  return out;
}

bool judge_keys(const KeyResult& result, NtsResult& out) {
  const Outcome outcome = outcome_of(result);
  if (!outcome) return false;
  if (result.certificate) out.not_after = result.certificate->chain_not_after;
  if (*outcome == NtsOutcome::kKeError) out.code = result.error_code;
  if (!result.established()) return end_with(*outcome, result.text, out);
  const nts::Establishment& keys = *result.establishment;
  // Of two that are the same a client may use one (RFC 8915 5.7).
  const std::size_t cookies = std::set(keys.cookies.begin(), keys.cookies.end()).size();
  out.cookies = cookies;
  out.aead = static_cast<std::uint16_t>(keys.keys.aead);
  out.ke_took = result.total;
  if (cookies >= kWantedCookies) return end_with(NtsOutcome::kOk, "", out);
  return end_with(NtsOutcome::kTooFewCookies,
                  "key establishment brought " + std::to_string(cookies) + " of " +
                      std::to_string(kWantedCookies) + " cookies",
                  out);
}

bool judge_answer(const ntp::Reply& answer, std::size_t wanted, std::size_t got, NtsResult& out) {
  if (answer.reason == ntp::ReplyReason::kLocalClockStepped) return false;
  // RFC 5905 7.3: stratum 0 is no time at all, with or without a code.
  if (ntp::is_kiss(answer.reason) || answer.sample.stratum == 0) {
    return end_with(NtsOutcome::kKiss, wire::ntp::text_of(answer.sample.reference_id), out);
  }
  if (answer.has_times) out.offset = answer.sample.offset.to_seconds();
  if (got < wanted) {
    return end_with(
        NtsOutcome::kTooFewCookies,
        "NTP brought " + std::to_string(got) + " of " + std::to_string(wanted) + " cookies", out);
  }
  const bool good = answer.reason == ntp::ReplyReason::kAccepted && answer.has_times;
  return good ? end_with(NtsOutcome::kOk, "", out)
              : end_with(NtsOutcome::kWrongTime, ntp::name_of(answer.reason), out);
}

void judge_silence(const ntp::NtsState& state, NtsResult& out) {
  const auto count_of = [&](nts::ReplyVerdict verdict) {
    return state.verdicts[static_cast<std::size_t>(verdict)];
  };
  if (count_of(nts::ReplyVerdict::kNak) > 0) {
    end_with(NtsOutcome::kNtsNak, "the server does not take the cookies that it gave", out);
    return;
  }
  for (std::size_t i = 0; i < nts::kReplyVerdictCount; ++i) {
    const auto verdict = static_cast<nts::ReplyVerdict>(i);
    if (verdict == nts::ReplyVerdict::kAuthentic || count_of(verdict) == 0) continue;
    end_with(NtsOutcome::kNotAuthenticated, nts::name_of(verdict), out);
    return;
  }
  end_with(NtsOutcome::kNoReply, "no reply to a request with a cookie", out);
}

}  // namespace timepool::monitord
