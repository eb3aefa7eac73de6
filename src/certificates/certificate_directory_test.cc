// The ids A are those of the project's checklist of ACME.
#include "certificates/certificate_directory.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <span>

#include "certificates/account_key.h"
#include "certificates/challenge_board.h"
#include "certificates/keeper.h"
#include "crypto/csr.h"
#include "net/certificate_store.h"
#include "sys/file.h"
#include "sys/temporary_directory.h"

namespace timepool::certificates {
namespace {

const UnixTime kNow = UnixTime::from_seconds(1'800'000'000);
const std::string kDirectory = "https://ca.test/dir";

crypto::SelfSigned made(const std::string& name, UnixTime now = kNow) {
  return crypto::make_alpn_certificate(name, {}, now).value();
}

mode_t mode_of(const std::string& path) {
  struct stat info{};
  EXPECT_EQ(::stat(path.c_str(), &info), 0) << path;
  return info.st_mode & 0777U;
}

class CertificateDirectoryTest : public ::testing::Test {
 protected:
  CertificateDirectoryTest() { EXPECT_TRUE(directory.open().ok()); }
  sys::TemporaryDirectory temporary;
  std::string path = temporary.path() + "/acme";
  CertificateDirectory directory{path};
};

TEST_F(CertificateDirectoryTest, A2_all_in_it_is_for_its_owner_alone) {
  const auto pair = made("a.example");
  ASSERT_TRUE(directory.write_certificate(pair.certificate, pair.key).ok());
  ASSERT_TRUE(directory.write_state({}).ok());
  ASSERT_TRUE(AccountKey::load_or_make(directory.account_path(kDirectory)).ok());
  EXPECT_EQ(mode_of(path), 0700U);
  for (const auto& it : std::filesystem::directory_iterator(path)) {
    EXPECT_EQ(mode_of(it.path()), 0600U) << it.path();
  }
}

TEST_F(CertificateDirectoryTest, one_that_others_may_write_in_is_refused) {
  ::chmod(path.c_str(), 0777);
  EXPECT_EQ(directory.open().error().code, ErrorCode::kDenied);
}

TEST_F(CertificateDirectoryTest, A10_one_file_is_chain_and_key_of_a_server) {
  const auto pair = made("a.example");
  ASSERT_TRUE(directory.write_certificate(pair.certificate, pair.key).ok());
  const auto read = directory.read_certificate();
  ASSERT_TRUE(read.ok() && read->has_value());
  EXPECT_EQ((*read)->info().dns_names, std::vector<std::string>{"a.example"});
  sys::Logger logger("test", sys::LogLevel::kError);
  net::CertificateStore store(logger, "test");
  ASSERT_TRUE(store.load({directory.files()}, kNow).ok());
  const auto next = made("b.example");
  ASSERT_TRUE(directory.write_certificate(next.certificate, next.key).ok());
  EXPECT_TRUE(store.look(kNow));
  EXPECT_EQ(store.reports()[0].info.dns_names, std::vector<std::string>{"b.example"});
}

TEST_F(CertificateDirectoryTest, A10_what_does_not_belong_together_is_not_written) {
  const auto one = made("a.example");
  const auto other = made("a.example");
  ASSERT_TRUE(directory.write_certificate(one.certificate, one.key).ok());
  EXPECT_EQ(directory.write_certificate(other.certificate, one.key).error().code,
            ErrorCode::kInvalid);
  EXPECT_FALSE(directory.write_certificate("rubbish", one.key).ok());
  EXPECT_TRUE(directory.read_certificate()->has_value());
}

TEST_F(CertificateDirectoryTest, without_files_there_is_nothing_and_damage_is_told) {
  EXPECT_FALSE(directory.read_certificate()->has_value());
  EXPECT_EQ(directory.read_state().value(), acme::SavedState());
  std::ofstream(directory.state_path()) << "{";
  EXPECT_EQ(directory.read_state().error().code, ErrorCode::kCorrupt);
  ASSERT_TRUE(sys::write_file_atomic(directory.certificate_path(), "rubbish", 0600).ok());
  EXPECT_EQ(directory.read_certificate().error().code, ErrorCode::kInvalid);
}

TEST_F(CertificateDirectoryTest, A2_each_authority_has_a_key_of_its_own_that_stays) {
  const std::string one = directory.account_path(kDirectory);
  EXPECT_NE(one, directory.account_path("https://other.test/dir"));
  const auto first = AccountKey::load_or_make(one);
  const auto again = AccountKey::load_or_make(one);
  EXPECT_EQ((*first)->jwk(), (*again)->jwk());
  EXPECT_TRUE(
      crypto::verify_es256(crypto::JwsKey::load(one)->point(), "text", (*again)->sign("text")));
}

TEST(AccountKey, RFC7638_the_thumbprint_of_the_key_of_rfc7515) {
  sys::TemporaryDirectory temporary;
  const std::string path = temporary.path() + "/key.pem";
  ASSERT_TRUE(
      sys::write_file_atomic(path,
                             "-----BEGIN PRIVATE KEY-----\n"
                             "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgjpsQnnGQmL+YBIff\n"
                             "H1136cspYG6+0iY7X1fCE9+E9LKhRANCAAR/zc4ncPbEXUGDy+5v20t7WAczNXvp\n"
                             "7xO6z248e9FURcfxRM0bvZt+hyzf7bnuufSzaV1uqQskrYpGIyiFiOWt\n"
                             "-----END PRIVATE KEY-----\n",
                             0600)
          .ok());
  const auto key = AccountKey::load(path);
  ASSERT_TRUE(key.ok());
  EXPECT_EQ((*key)->jwk(), R"({"crv":"P-256","kty":"EC",)"
                           R"("x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",)"
                           R"("y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"})");
  EXPECT_EQ((*key)->thumbprint(), "oKIywvGUpTVTyxMQ3bwIIeQUudfr_CkLMjCE19ECD-U");
}

TEST(ExternalKey, A2_is_base64url_with_or_without_padding) {
  const auto parse = [](std::string_view text) {
    return ExternalKey::parse(crypto::JwsMac::kHs384, text);
  };
  EXPECT_EQ((*parse("Zm8="))->sign("text"), (*parse("Zm8"))->sign("text"));
  EXPECT_EQ((*parse("Zm8"))->algorithm(), "HS384");
  EXPECT_EQ((*parse("Zm8"))->sign("text").size(), 48U);
  EXPECT_EQ(parse("").error().code, ErrorCode::kInvalid);
  EXPECT_EQ(parse("a+b/").error().code, ErrorCode::kInvalid);
}

TEST(JudgeIssued, A10_looks_at_names_and_dates) {
  const auto pair = made("a.example");
  const auto fault = [&](const char* name, UnixTime now) -> std::string {
    const auto judged = judge_issued(pair.certificate, pair.key, {{"dns", name}}, now);
    return judged.ok() ? "" : judged.error().detail;
  };
  const Duration day = Duration::seconds(86'400);
  EXPECT_EQ(fault("a.example", kNow), "");
  EXPECT_EQ(fault("b.example", kNow), "it is not for b.example");
  // It begins a day before kNow and ends a week after.
  EXPECT_EQ(fault("a.example", kNow - day - Duration::seconds(3599)), "");
  EXPECT_NE(fault("a.example", kNow - day - Duration::seconds(3601)), "");
  EXPECT_NE(fault("a.example", kNow + day * 7), "");
  EXPECT_FALSE(judge_issued(pair.certificate, made("a.example").key, {}, kNow).ok());
}

acme::Challenge challenge(acme::ChallengeType type) {
  return {type, {"dns", "a.example"}, "token", "token.thumbprint"};
}

TEST(ChallengeBoard, A4_A5_has_what_is_presented_until_it_is_withdrawn) {
  ChallengeBoard board({"A.example."});
  EXPECT_EQ(board.live()->http.names, std::vector<std::string>{"a.example"});
  ASSERT_TRUE(board
                  .present({challenge(acme::ChallengeType::kHttp01),
                            challenge(acme::ChallengeType::kTlsAlpn01)})
                  .ok());
  const auto live = board.live();
  EXPECT_EQ(live->http.proofs.at("token").key_authorization, "token.thumbprint");
  ASSERT_NE(live->tls, nullptr);
  EXPECT_TRUE(live->tls->has_name("A.EXAMPLE."));
  EXPECT_FALSE(live->tls->has_name("b.example"));
  EXPECT_FALSE(live->tls->has_name(""));
  board.withdraw(Proved::kYes);
  EXPECT_TRUE(board.live()->http.proofs.empty());
  EXPECT_EQ(board.live()->tls, nullptr);
  // Who has it already may finish.
  EXPECT_FALSE(live->http.proofs.empty());
}

class KeeperTest : public ::testing::Test {
 protected:
  KeeperTest() {
    settings.path = temporary.path() + "/acme";
    settings.authorities.push_back({});
    settings.authorities[0].directory = "https://localhost:1/dir";
    settings.names = {"a.example"};
  }
  sys::TemporaryDirectory temporary;
  KeeperSettings settings;
  sys::Logger logger{"test", sys::LogLevel::kError};
  ChallengeBoard board{{"a.example"}};
};

TEST_F(KeeperTest, refuses_settings_that_can_not_be) {
  const auto fault = [&](auto change) {
    KeeperSettings changed = settings;
    change(changed);
    const auto opened = Keeper(logger, changed, board).open();
    return !opened.ok() && opened.error().code == ErrorCode::kInvalid;
  };
  EXPECT_TRUE(fault([](auto& it) { it.names.clear(); }));
  EXPECT_TRUE(fault([](auto& it) { it.names = {"*.a.example"}; }));
  EXPECT_TRUE(fault([](auto& it) { it.authorities.clear(); }));
  EXPECT_TRUE(fault([](auto& it) { it.authorities[0].directory = "http://localhost/dir"; }));
  EXPECT_TRUE(fault([](auto& it) { it.authorities[0].external_key_id = "kid"; }));
  EXPECT_TRUE(fault([](auto& it) { it.challenges.clear(); }));
}

TEST_F(KeeperTest, A10_takes_a_certificate_that_is_there_as_its_own) {
  const auto pair = made("a.example");
  const CertificateDirectory directory(settings.path);
  ASSERT_TRUE(directory.open().ok());
  ASSERT_TRUE(directory.write_certificate(pair.certificate, pair.key).ok());
  Keeper keeper(logger, settings, board, [] { return kNow; });
  ASSERT_TRUE(keeper.open().ok());
  const Duration wait = keeper.step(true);
  EXPECT_GT(wait, Duration());
  EXPECT_LE(wait, Keeper::kLongestWait);
  const KeeperReport report = keeper.report();
  EXPECT_EQ(report.plan.cause, acme::Cause::kLifetime);
  ASSERT_TRUE(report.state.certificate.has_value());
  EXPECT_EQ(report.state.certificate->names, std::vector<std::string>{"a.example"});
}

TEST_F(KeeperTest, once_cancelled_it_asks_nobody_and_notes_no_failure) {
  Keeper keeper(logger, settings, board);
  ASSERT_TRUE(keeper.open().ok());
  keeper.cancel();
  keeper.step(true);
  EXPECT_EQ(keeper.report().failed, 0U);
  EXPECT_EQ(keeper.report().state.authorities.at(0).failures, 0U);
}

TEST_F(KeeperTest, A11_waits_for_a_plausible_clock) {
  Keeper keeper(logger, settings, board);
  ASSERT_TRUE(keeper.open().ok());
  EXPECT_EQ(keeper.step(false), Keeper::kClockWait);
  EXPECT_TRUE(keeper.report().state.authorities.empty());
}

}  // namespace
}  // namespace timepool::certificates
