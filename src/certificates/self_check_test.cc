// The ids A are those of the project's checklist of ACME.
#include "certificates/self_check.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <atomic>
#include <filesystem>
#include <thread>

#include "certificates/challenge_board.h"
#include "certificates/challenge_listener.h"
#include "certificates/webroot.h"
#include "sys/file.h"
#include "sys/temporary_directory.h"

namespace timepool::certificates {
namespace {

// A board at a port of loopback, on a thread as in a daemon.
class Served {
 public:
  explicit Served(const std::vector<std::string>& names) : board(names) {
    const Endpoint any{parse_ip("127.0.0.1").value(), 0};
    listener_.emplace(reactor_, board, ChallengeListener::Kind::kHttp,
                      ChallengeListener::bind(any).value());
    port = listener_->endpoint().port;
    thread_ = std::thread([this] {
      while (!ended_) reactor_.run_once(Duration::milliseconds(20));
    });
  }
  ~Served() {
    ended_ = true;
    thread_.join();
  }
  ChallengeBoard board;
  std::uint16_t port = 0;

 private:
  net::Reactor reactor_;
  std::optional<ChallengeListener> listener_;
  std::atomic<bool> ended_{false};
  std::thread thread_;
};

SelfCheck check(const std::string& name, std::uint16_t port, Presenter& presenter) {
  const auto out = check_challenges({{name}, port, Duration::seconds(5)}, presenter);
  EXPECT_TRUE(out.ok() && out->size() == 1);
  return out.ok() ? out->at(0) : SelfCheck();
}

TEST(SelfCheck, A12_sees_the_proof_where_it_is_served) {
  Served served({"127.0.0.1", "localhost"});
  const SelfCheck seen = check("127.0.0.1", served.port, served.board);
  EXPECT_EQ(seen.seen, Seen::kProof) << seen.text;
  EXPECT_EQ(check("localhost", served.port, served.board).seen, Seen::kProof);
  EXPECT_TRUE(served.board.live()->http.proofs.empty());
}

TEST(SelfCheck, A12_says_who_is_in_the_way) {
  Served served({"127.0.0.1"});
  Served other({"192.0.2.1"});
  const SelfCheck foreign = check("127.0.0.1", other.port, served.board);
  EXPECT_EQ(foreign.seen, Seen::kOther);
  EXPECT_NE(foreign.text.find("does not know the name"), std::string::npos) << foreign.text;
  // One that has the name, but not this proof.
  Served twin({"127.0.0.1"});
  const SelfCheck none = check("127.0.0.1", twin.port, served.board);
  EXPECT_EQ(none.seen, Seen::kOther);
  EXPECT_NE(none.text.find("status 404"), std::string::npos) << none.text;
}

TEST(SelfCheck, A12_says_that_nobody_answers) {
  ChallengeBoard board({"127.0.0.1"});
  const SelfCheck seen = check("127.0.0.1", 1, board);
  EXPECT_EQ(seen.seen, Seen::kUnreachable);
  EXPECT_NE(seen.text.find("port 1 be open"), std::string::npos) << seen.text;
  EXPECT_EQ(check_challenges({{"*.example"}}, board).error().code, ErrorCode::kInvalid);
}

TEST(Webroot, A4_puts_proofs_where_a_web_server_finds_them_and_takes_them_away) {
  sys::TemporaryDirectory directory;
  Webroot webroot(directory.path());
  const acme::Challenge challenge{
      acme::ChallengeType::kHttp01, {"dns", "a.example"}, "token", "token.print"};
  ASSERT_TRUE(webroot.present({challenge}).ok());
  const std::string file = directory.path() + "/.well-known/acme-challenge/token";
  EXPECT_EQ(sys::read_file(file, 100).value(), "token.print");
  struct stat info{};
  ASSERT_EQ(::stat(file.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777U, 0644U);
  webroot.withdraw(Proved::kYes);
  EXPECT_FALSE(std::filesystem::exists(file));
  const acme::Challenge tls{
      acme::ChallengeType::kTlsAlpn01, {"dns", "a.example"}, "token", "token.print"};
  EXPECT_EQ(webroot.present({tls}).error().code, ErrorCode::kInvalid);
}

TEST(Webroot, A4_a_directory_that_can_not_be_written_is_told) {
  sys::TemporaryDirectory directory;
  const std::string file = directory.path() + "/file";
  ASSERT_TRUE(sys::write_file_atomic(file, "x").ok());
  Webroot webroot(file);
  EXPECT_FALSE(
      webroot
          .present({{acme::ChallengeType::kHttp01, {"dns", "a.example"}, "token", "token.print"}})
          .ok());
}

}  // namespace
}  // namespace timepool::certificates
