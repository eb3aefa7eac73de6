// The ids A are those of the project's checklist of ACME.
#include "certificates/self_check.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <atomic>
#include <filesystem>
#include <optional>
#include <thread>

#include "certificates/challenge_board.h"
#include "certificates/challenge_listener.h"
#include "certificates/webroot.h"
#include "net/short_connections.h"
#include "net/tls_session.h"
#include "net/tls_testing.h"
#include "sys/clock.h"
#include "sys/file.h"
#include "sys/stream_socket.h"
#include "sys/temporary_directory.h"

namespace timepool::certificates {
namespace {

const Endpoint kAny{parse_ip("127.0.0.1").value(), 0};

// Runs a reactor on a thread of its own, as in a daemon. To be destroyed before what it calls.
class Loop {
 public:
  explicit Loop(net::Reactor& reactor)
      : thread_([this, &reactor] {
          while (!ended_) reactor.run_once(Duration::milliseconds(20));
        }) {}
  ~Loop() {
    ended_ = true;
    thread_.join();
  }

 private:
  std::atomic<bool> ended_{false};
  std::thread thread_;
};

// A board at a port of loopback.
class Served {
 public:
  explicit Served(const std::vector<std::string>& names,
                  ChallengeListener::Kind kind = ChallengeListener::Kind::kHttp)
      : board(names), listener_(reactor_, board, kind, ChallengeListener::bind(kAny).value()) {}
  ChallengeBoard board;

 private:
  net::Reactor reactor_;
  ChallengeListener listener_;

 public:
  const std::uint16_t port = listener_.endpoint().port;

 private:
  Loop loop_{reactor_};
};

// What a server of TLS with a certificate for www.example does that talks by `protocol`, whatever
// else is asked for.
class Handshake final : public net::ShortConnections::Dialogue {
 public:
  explicit Handshake(const std::string& protocol)
      : session_(net::TlsSession::server(make_context(protocol))) {}
  bool take(Bytes octets, std::string& out) override {
    session_->feed(octets);
    const Bytes outgoing = session_->outgoing();
    out.append(reinterpret_cast<const char*>(outgoing.data()), outgoing.size());
    session_->sent(outgoing.size());
    return session_->state() == net::TlsSession::State::kHandshake;
  }

 private:
  static std::shared_ptr<const net::TlsServerContext> make_context(const std::string& protocol) {
    net::testing::CertificateWish wish;
    wish.dns_names = {"www.example"};
    const auto made = net::testing::TestCertificate::self_signed(wish);
    net::TlsServerOptions options;
    options.protocol = protocol;
    return net::TlsServerContext::create(
               {net::TlsCertificate::parse(made.certificate_pem(), made.key_pem(), "test").value()},
               options)
        .value();
  }
  std::unique_ptr<net::TlsSession> session_;
};

// Knows nothing of TLS.
class Complaint final : public net::ShortConnections::Dialogue {
  bool take(Bytes, std::string& out) override {
    out = "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n";
    return false;
  }
};

// Another program at a port of loopback.
class Other {
 public:
  explicit Other(net::ShortConnections::Begin begin)
      : connections_(reactor_, {}, std::move(begin)) {
    connections_.start(sys::listen_stream(kAny, "listen").value());
    port = sys::local_endpoint(connections_.listener()).value().port;
    loop_.emplace(reactor_);
  }
  std::uint16_t port = 0;

 private:
  net::Reactor reactor_;
  net::ShortConnections connections_;
  std::optional<Loop> loop_;
};

SelfCheckSettings by_http(const std::string& name, std::uint16_t port) {
  SelfCheckSettings out;
  out.names = {name};
  out.http_port = port;
  out.timeout = Duration::seconds(5);
  return out;
}

SelfCheckSettings by_tls(std::uint16_t port, const std::string& name = "localhost") {
  SelfCheckSettings out = by_http(name, 1);
  out.challenges = {acme::ChallengeType::kTlsAlpn01};
  out.tls_port = port;
  return out;
}

SelfCheck check(const SelfCheckSettings& settings, Presenter& presenter) {
  SelfChecker checker;
  const auto out = checker.check(settings, presenter);
  EXPECT_TRUE(out.ok() && out->size() == 1);
  return out.ok() ? out->at(0) : SelfCheck();
}

testing::AssertionResult says(const SelfCheck& it, Seen seen, const std::string& text) {
  if (it.seen == seen && it.text.find(text) != std::string::npos) {
    return testing::AssertionSuccess();
  }
  return testing::AssertionFailure() << static_cast<int>(it.seen) << ": " << it.text;
}

TEST(SelfCheck, A12_sees_the_proof_where_it_is_served) {
  Served served({"127.0.0.1", "localhost"});
  EXPECT_TRUE(
      says(check(by_http("127.0.0.1", served.port), served.board), Seen::kProof, "seen at"));
  EXPECT_EQ(check(by_http("localhost", served.port), served.board).seen, Seen::kProof);
  EXPECT_TRUE(served.board.live()->http.proofs.empty());
}

TEST(SelfCheck, A12_says_who_is_in_the_way) {
  Served served({"127.0.0.1"});
  Served other({"192.0.2.1"});
  EXPECT_TRUE(says(check(by_http("127.0.0.1", other.port), served.board), Seen::kOther,
                   "does not know the name"));
  // One that has the name, but not this proof.
  Served twin({"127.0.0.1"});
  EXPECT_TRUE(
      says(check(by_http("127.0.0.1", twin.port), served.board), Seen::kOther, "status 404"));
}

TEST(SelfCheck, A12_says_that_nobody_answers) {
  ChallengeBoard board({"127.0.0.1"});
  EXPECT_TRUE(says(check(by_http("127.0.0.1", 1), board), Seen::kUnreachable, "port 1 be open"));
  SelfChecker checker;
  EXPECT_EQ(checker.check(by_http("*.example", 80), board).error().code, ErrorCode::kInvalid);
}

TEST(SelfCheck, A12_A5_sees_the_proof_by_tls) {
  Served served({"localhost"}, ChallengeListener::Kind::kTls);
  const SelfCheck seen = check(by_tls(served.port), served.board);
  const std::string port = ":" + std::to_string(served.port);
  EXPECT_TRUE(says(seen, Seen::kProof, "the proof was seen (127.0.0.1" + port + ")"));
  EXPECT_EQ(seen.at, "localhost" + port);
  EXPECT_EQ(served.board.live()->tls, nullptr);
}

TEST(SelfCheck, A12_looks_at_each_way_that_is_set_up) {
  Served served({"localhost"}, ChallengeListener::Kind::kTls);
  SelfCheckSettings settings = by_tls(served.port);
  settings.challenges = {acme::ChallengeType::kHttp01, acme::ChallengeType::kTlsAlpn01};
  SelfChecker checker;
  const auto seen = checker.check(settings, served.board);
  ASSERT_TRUE(seen.ok());
  ASSERT_EQ(seen->size(), 2U);
  EXPECT_EQ(seen->at(0).challenge, acme::ChallengeType::kHttp01);
  EXPECT_EQ(seen->at(0).seen, Seen::kUnreachable);
  EXPECT_EQ(seen->at(1).challenge, acme::ChallengeType::kTlsAlpn01);
  EXPECT_EQ(seen->at(1).seen, Seen::kProof) << seen->at(1).text;
}

TEST(SelfCheck, A12_A5_says_which_server_is_in_the_way_of_tls) {
  ChallengeBoard board({"localhost"});
  const auto look = [&](const Other& other) { return check(by_tls(other.port), board); };
  Other web([] { return std::make_unique<Handshake>("http/1.1"); });
  EXPECT_TRUE(says(look(web), Seen::kOther, "does not know acme-tls/1"));
  Other plain([] { return std::make_unique<Complaint>(); });
  EXPECT_TRUE(says(look(plain), Seen::kOther, "speaks no TLS"));
  // It knows the protocol, but shows a certificate as any server has one.
  Other careless([] { return std::make_unique<Handshake>("acme-tls/1"); });
  EXPECT_TRUE(says(look(careless), Seen::kOther, "a certificate for www.example"));
}

TEST(SelfCheck, A12_A5_says_that_another_responder_answers) {
  ChallengeBoard board({"localhost"});
  Served idle({"localhost"}, ChallengeListener::Kind::kTls);
  EXPECT_TRUE(says(check(by_tls(idle.port), board), Seen::kOther, "another timepool's"));
  Served foreign({"b.example"}, ChallengeListener::Kind::kTls);
  ASSERT_TRUE(
      foreign.board.present({{acme::ChallengeType::kTlsAlpn01, {"dns", "b.example"}, "t", "t.p"}})
          .ok());
  EXPECT_TRUE(says(check(by_tls(foreign.port), board), Seen::kOther, "does not know the name"));
  Served twin({"localhost"}, ChallengeListener::Kind::kTls);
  ASSERT_TRUE(
      twin.board.present({{acme::ChallengeType::kTlsAlpn01, {"dns", "localhost"}, "t", "t.p"}})
          .ok());
  EXPECT_TRUE(says(check(by_tls(twin.port), board), Seen::kOther, "of another proof"));
}

TEST(SelfCheck, A12_A5_says_that_nobody_answers_by_tls) {
  ChallengeBoard board({"localhost"});
  EXPECT_TRUE(says(check(by_tls(1), board), Seen::kUnreachable, "Connection refused"));
  // It takes connections and says nothing.
  const sys::Fd silent = sys::listen_stream(kAny, "listen").value();
  SelfCheckSettings settings = by_tls(sys::local_endpoint(silent.number()).value().port);
  settings.timeout = Duration::milliseconds(300);
  EXPECT_TRUE(says(check(settings, board), Seen::kUnreachable, "no answer within 300ms"));
  EXPECT_TRUE(says(check(by_tls(443, "127.0.0.1"), board), Seen::kOther, "by http-01"));
}

TEST(SelfCheck, is_cut_off_at_once) {
  ChallengeBoard board({"localhost"});
  const sys::Fd silent = sys::listen_stream(kAny, "listen").value();
  for (const bool tls : {false, true}) {
    const std::uint16_t port = sys::local_endpoint(silent.number()).value().port;
    SelfCheckSettings settings = tls ? by_tls(port) : by_http("localhost", port);
    settings.timeout = Duration::seconds(60);
    SelfChecker checker;
    const MonoTime before = sys::mono_now();
    std::thread other([&] {
      std::this_thread::sleep_for(std::chrono::milliseconds(200));
      checker.cancel();
    });
    const auto out = checker.check(settings, board);
    other.join();
    ASSERT_FALSE(out.ok());
    EXPECT_EQ(out.error().code, ErrorCode::kUnavailable);
    EXPECT_LT(sys::mono_now() - before, Duration::seconds(10));
  }
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
