#include "monitord/nts_outcome.h"

#include <gtest/gtest.h>

namespace timepool::monitord {
namespace {

using net::TlsFault;
using nts::KeClientError;
using nts_client::KeyOutcome;
using nts_client::KeyResult;
using pool::NtsOutcome;

NtsOutcome judged(const KeyResult& result) {
  NtsResult out;
  EXPECT_TRUE(judge_keys(result, out));
  EXPECT_EQ(out.detail, result.text);
  return out.outcome;
}

NtsOutcome of_tls(TlsFault fault, net::TlsStep step = net::TlsStep::kHandshake) {
  KeyResult result;
  result.outcome = KeyOutcome::kTls;
  result.tls_fault = fault;
  result.step = step;
  result.text = net::describe(fault);
  return judged(result);
}

NtsOutcome of_connection(KeyOutcome outcome, net::TlsStep step) {
  KeyResult result;
  result.outcome = outcome;
  result.step = step;
  result.text = "why";
  return judged(result);
}

NtsOutcome of_records(KeClientError error) {
  KeyResult result;
  result.outcome = KeyOutcome::kRecords;
  result.step = net::TlsStep::kAnswer;
  result.record_error = error;
  result.text = nts::describe(error);
  return judged(result);
}

KeyResult established(std::size_t cookies) {
  KeyResult out;
  out.outcome = KeyOutcome::kEstablished;
  out.step = net::TlsStep::kAnswer;
  out.total = Duration::milliseconds(7);
  out.certificate.emplace();
  out.certificate->not_after = UnixTime::from_seconds(3000);
  out.certificate->chain_not_after = UnixTime::from_seconds(2000);
  out.establishment.emplace();
  out.establishment->keys.aead = AeadId::kAes128GcmSiv;
  for (std::size_t i = 0; i < cookies; ++i) {
    out.establishment->cookies.push_back(nts::Cookie(100, static_cast<std::byte>(i)));
  }
  return out;
}

TEST(NtsOutcome, faults_of_tls) {
  EXPECT_EQ(of_tls(TlsFault::kAlpn), NtsOutcome::kNoAlpn);
  EXPECT_EQ(of_tls(TlsFault::kExpired), NtsOutcome::kCertificateExpired);
  EXPECT_EQ(of_tls(TlsFault::kNotYetValid), NtsOutcome::kNotYetValid);
  EXPECT_EQ(of_tls(TlsFault::kWrongName), NtsOutcome::kNameMismatch);
  EXPECT_EQ(of_tls(TlsFault::kUntrusted), NtsOutcome::kUntrusted);
  EXPECT_EQ(of_tls(TlsFault::kSelfSigned), NtsOutcome::kUntrusted);
  for (const TlsFault fault : {TlsFault::kVersion, TlsFault::kNotTls, TlsFault::kProtocol,
                               TlsFault::kAlert, TlsFault::kTruncated, TlsFault::kCertificate}) {
    EXPECT_EQ(of_tls(fault), NtsOutcome::kTlsFailed) << net::name_of(fault);
  }
  EXPECT_EQ(of_tls(TlsFault::kTruncated, net::TlsStep::kAnswer), NtsOutcome::kKeMalformed);
}

TEST(NtsOutcome, connections_that_bring_no_answer) {
  using net::TlsStep;
  EXPECT_EQ(of_connection(KeyOutcome::kRefused, TlsStep::kConnect), NtsOutcome::kConnectFailed);
  EXPECT_EQ(of_connection(KeyOutcome::kUnreachable, TlsStep::kConnect), NtsOutcome::kConnectFailed);
  for (const KeyOutcome outcome : {KeyOutcome::kTimeout, KeyOutcome::kEnded}) {
    EXPECT_EQ(of_connection(outcome, TlsStep::kConnect), NtsOutcome::kConnectFailed);
    EXPECT_EQ(of_connection(outcome, TlsStep::kHandshake), NtsOutcome::kTlsFailed);
    EXPECT_EQ(of_connection(outcome, TlsStep::kAnswer), NtsOutcome::kKeMalformed);
  }
}

TEST(NtsOutcome, every_fault_of_the_records_but_ours_has_one) {
  std::array<int, pool::kNtsOutcomes> counts{};
  for (std::size_t i = 0; i < nts::kKeClientErrorCount; ++i) {
    const auto error = static_cast<KeClientError>(i);
    if (error != KeClientError::kNoKeys) ++counts[static_cast<std::size_t>(of_records(error))];
  }
  const auto count_of = [&](NtsOutcome it) { return counts[static_cast<std::size_t>(it)]; };
  EXPECT_EQ(count_of(NtsOutcome::kKeError), 4);
  EXPECT_EQ(count_of(NtsOutcome::kTooFewCookies), 1);
  EXPECT_EQ(count_of(NtsOutcome::kKeMalformed), 18);
  EXPECT_EQ(of_records(KeClientError::kErrorOther), NtsOutcome::kKeError);
  EXPECT_EQ(of_records(KeClientError::kNoCookies), NtsOutcome::kTooFewCookies);
}

TEST(NtsOutcome, the_code_of_an_error_record_is_told) {
  KeyResult result;
  result.outcome = KeyOutcome::kRecords;
  result.record_error = KeClientError::kErrorOther;
  result.error_code = 61440;
  NtsResult out;
  ASSERT_TRUE(judge_keys(result, out));
  EXPECT_EQ(out.code, 61440);
}

TEST(NtsOutcome, our_own_faults_say_nothing_of_the_server) {
  NtsResult out;
  KeyResult result;
  result.outcome = KeyOutcome::kSystem;
  EXPECT_FALSE(judge_keys(result, out));
  result.outcome = KeyOutcome::kTls;
  result.tls_fault = TlsFault::kInternal;
  result.step = net::TlsStep::kHandshake;
  EXPECT_FALSE(judge_keys(result, out));
  result.outcome = KeyOutcome::kRecords;
  result.record_error = KeClientError::kNoKeys;
  EXPECT_FALSE(judge_keys(result, out));
  ntp::Reply stepped;
  stepped.reason = ntp::ReplyReason::kLocalClockStepped;
  EXPECT_FALSE(judge_answer(stepped, 1, 1, out));
}

TEST(NtsOutcome, keys_with_all_cookies_are_good) {
  NtsResult out;
  ASSERT_TRUE(judge_keys(established(8), out));
  EXPECT_EQ(out.outcome, NtsOutcome::kOk);
  EXPECT_EQ(out.cookies, 8u);
  EXPECT_EQ(out.aead, 30);
  EXPECT_EQ(out.ke_took, Duration::milliseconds(7));
  EXPECT_EQ(out.not_after, UnixTime::from_seconds(2000)) << "the first of the chain to end";
}

TEST(NtsOutcome, fewer_cookies_are_too_few_and_so_are_equal_ones) {
  NtsResult out;
  ASSERT_TRUE(judge_keys(established(7), out));
  EXPECT_EQ(out.outcome, NtsOutcome::kTooFewCookies);
  EXPECT_EQ(out.detail, "key establishment brought 7 of 8 cookies");
  KeyResult equal = established(8);
  equal.establishment->cookies[7] = equal.establishment->cookies[0];
  ASSERT_TRUE(judge_keys(equal, out));
  EXPECT_EQ(out.outcome, NtsOutcome::kTooFewCookies);
  EXPECT_EQ(out.cookies, 7u);
}

TEST(NtsOutcome, a_proven_answer_is_judged_by_kiss_cookies_and_time) {
  ntp::Reply reply;
  reply.reason = ntp::ReplyReason::kAccepted;
  reply.has_times = true;
  reply.sample.stratum = 2;
  reply.sample.offset = Duration::milliseconds(250);
  NtsResult out;
  ASSERT_TRUE(judge_answer(reply, 2, 2, out));
  EXPECT_EQ(out.outcome, NtsOutcome::kOk);
  EXPECT_EQ(out.offset, 0.25);
  ASSERT_TRUE(judge_answer(reply, 2, 1, out));
  EXPECT_EQ(out.outcome, NtsOutcome::kTooFewCookies);
  EXPECT_EQ(out.detail, "NTP brought 1 of 2 cookies");
  reply.reason = ntp::ReplyReason::kUnsynchronised;
  ASSERT_TRUE(judge_answer(reply, 1, 1, out));
  EXPECT_EQ(out.outcome, NtsOutcome::kWrongTime);
  EXPECT_EQ(out.detail, "unsynchronised");
  reply.reason = ntp::ReplyReason::kKissRate;
  reply.sample.stratum = 0;
  reply.sample.reference_id = wire::ntp::ReferenceId::from_text("RATE");
  ASSERT_TRUE(judge_answer(reply, 1, 0, out));
  EXPECT_EQ(out.outcome, NtsOutcome::kKiss);
  EXPECT_EQ(out.detail, "RATE");
}

TEST(NtsOutcome, silence_is_told_by_what_came_instead_of_an_answer) {
  ntp::NtsState state;
  NtsResult out;
  judge_silence(state, out);
  EXPECT_EQ(out.outcome, NtsOutcome::kNoReply);
  ++state.verdicts[static_cast<std::size_t>(nts::ReplyVerdict::kWrongProof)];
  judge_silence(state, out);
  EXPECT_EQ(out.outcome, NtsOutcome::kNotAuthenticated);
  EXPECT_EQ(out.detail, nts::name_of(nts::ReplyVerdict::kWrongProof));
  ++state.verdicts[static_cast<std::size_t>(nts::ReplyVerdict::kNak)];
  judge_silence(state, out);
  EXPECT_EQ(out.outcome, NtsOutcome::kNtsNak);
}

TEST(NtsOutcome, details_are_short_and_printable) {
  EXPECT_EQ(detail_of("O=\xc3\xa9\n"), "O=???");
  EXPECT_EQ(detail_of(std::string(300, 'a')).size(), NtsResult::kMaxDetail);
}

}  // namespace
}  // namespace timepool::monitord
