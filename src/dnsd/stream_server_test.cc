// Connections over real sockets: what is answered, what is bounded, and that nothing of a
// connection outlives it.
#include "dnsd/stream_server.h"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <functional>
#include <memory>
#include <numeric>
#include <thread>

#include "base/byte_writer.h"
#include "base/prng.h"
#include "dnsd/serving_testing.h"
#include "net/certificate_store.h"
#include "net/tls_session.h"
#include "net/tls_testing_files.h"
#include "sys/log.h"
#include "sys/udp_socket.h"
#include "wire/dns/name.h"

namespace timepool::dnsd {
namespace {

using net::testing::wish_for;

// With its length before it.
std::vector<std::byte> framed_query(std::uint16_t id) {
  std::vector<std::byte> buffer(128);
  ByteWriter out(buffer);
  out.u16(0);
  for (const int word : {int{id}, 0x0100, 1, 0, 0, 0}) out.u16(static_cast<std::uint16_t>(word));
  out.bytes(wire::dns::DnsName::from_text("www.pool.test").value().wire());
  out.u16(1);
  out.u16(1);
  buffer.resize(out.size());
  buffer[1] = static_cast<std::byte>(out.size() - 2);
  return buffer;
}

class Client {
 public:
  explicit Client(const Endpoint& server) : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    const timeval limit{10, 0};
    ::setsockopt(fd(), SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    ::setsockopt(fd(), SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
    sockaddr_storage address{};
    const socklen_t length = sys::to_sockaddr(server, address);
    EXPECT_EQ(::connect(fd(), reinterpret_cast<sockaddr*>(&address), length), 0);
  }
  int fd() const { return fd_.number(); }
  bool send(Bytes bytes) {
    const ssize_t sent = ::send(fd(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    return sent == static_cast<ssize_t>(bytes.size());
  }
  // Ids of the answers that come, at most `count`; fewer when the connection ends.
  std::vector<unsigned> ids(std::size_t count) {
    std::vector<unsigned> out;
    while (out.size() < count) {
      std::array<std::byte, 2> length;
      if (!read(length)) break;
      std::vector<std::byte> message(std::to_integer<std::size_t>(length[0]) << 8 |
                                     std::to_integer<std::size_t>(length[1]));
      if (!read(message)) break;
      out.push_back(std::to_integer<unsigned>(message[0]) << 8 |
                    std::to_integer<unsigned>(message[1]));
    }
    return out;
  }
  // Until the server ends it; what came before.
  std::vector<std::byte> rest() {
    std::vector<std::byte> out;
    std::array<std::byte, 4096> room;
    for (ssize_t got = 1; got > 0;) {
      got = ::recv(fd(), room.data(), room.size(), 0);
      if (got > 0) out.insert(out.end(), room.begin(), room.begin() + got);
    }
    return out;
  }
  void half_close() { ::shutdown(fd(), SHUT_WR); }
  void reset() {
    const linger now{1, 0};
    ::setsockopt(fd(), SOL_SOCKET, SO_LINGER, &now, sizeof now);
    fd_.reset();
  }

 private:
  bool read(MutableBytes out) {
    return ::recv(fd(), out.data(), out.size(), MSG_WAITALL) == static_cast<ssize_t>(out.size());
  }
  sys::Fd fd_;
};

class StreamServerTest : public ::testing::Test {
 protected:
  void start(unsigned threads = 2) {
    config_.threads = threads;
    StreamServerOptions options;
    options.listen = {{IpAddress::v4(0x7f00'0001), 0, 0}};
    options.transport = tls_wanted_ ? "TLS" : "TCP";
    options.setting = "[tcp] listen";
    options.most = 1000;
    if (tls_wanted_) options.tls = &tls_;
    auto made = StreamServer::create(config_, std::move(options), [this] {
      return std::make_unique<QueryHandler>(serving_, HandlerPlace(), &log_);
    });
    ASSERT_TRUE(made.ok()) << made.error().text();
    server_ = std::move(made).value();
    server_->begin();
  }
  void want_tls() {
    const sys::CertificateFiles files = files_.write("a", wish_for("dns.test"));
    net::TlsServerOptions options;
    options.protocol = std::string(net::kDnsOverTlsProtocol);
    options.protocol_required = false;
    options.tickets = 1;
    certificates_ = std::make_unique<net::CertificateStore>(logger_, "[tls] certificate", options);
    ASSERT_TRUE(certificates_->load({files}, UnixTime::from_seconds(1'795'000'000)).ok());
    tls_.set(certificates_->context());
    tls_wanted_ = true;
  }
  const Endpoint& at() const { return server_->addresses().front(); }
  bool wait(const std::function<bool(const StreamCounts&)>& until) const {
    for (int i = 0; i < 1000; ++i) {
      if (until(server_->counts())) return true;
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    return false;
  }
  bool wait_ended(StreamEnd why, std::uint64_t count) const {
    return wait([&](const StreamCounts& counts) { return counts.of(why) >= count; });
  }

  net::Published<Serving> serving_{testing::nothing_served()};
  config::DnsdConnectionsConfig config_;
  net::testing::CertificateFiles files_;
  sys::Logger logger_{"test", sys::LogLevel::kError};
  QueryLog log_{1, logger_};
  std::unique_ptr<net::CertificateStore> certificates_;
  TlsSource tls_;
  bool tls_wanted_ = false;
  std::unique_ptr<StreamServer> server_;
};

std::vector<std::byte> queries(unsigned count) {
  std::vector<std::byte> out;
  for (unsigned i = 0; i < count; ++i) {
    const auto one = framed_query(static_cast<std::uint16_t>(i));
    out.insert(out.end(), one.begin(), one.end());
  }
  return out;
}

TEST_F(StreamServerTest, answers_in_order_however_the_stream_is_cut) {
  start();
  Prng prng(7);
  const auto all = queries(300);
  Client client(at());
  for (std::size_t from = 0; from < all.size();) {
    const std::size_t size = std::min<std::size_t>(1 + prng.below(900), all.size() - from);
    ASSERT_TRUE(client.send(Bytes(all).subspan(from, size)));
    from += size;
  }
  const auto ids = client.ids(300);
  ASSERT_EQ(ids.size(), 300U);
  for (unsigned i = 0; i < 300; ++i) EXPECT_EQ(ids[i], i);
  client.half_close();
  EXPECT_TRUE(client.rest().empty());
  EXPECT_TRUE(wait_ended(StreamEnd::kClient, 1));
  EXPECT_EQ(server_->counts().queries, 300U);
}

TEST_F(StreamServerTest, each_connection_has_one_end_whatever_its_client_does) {
  config_.max_connections = 20;
  start(3);
  Prng prng(11);
  std::vector<std::unique_ptr<Client>> open;
  constexpr unsigned kCount = 400;
  for (unsigned i = 0; i < kCount; ++i) {
    auto client = std::make_unique<Client>(at());
    const auto all = queries(3);
    client->send(Bytes(all).first(prng.below(all.size() + 1)));
    switch (prng.below(5)) {
      case 0:
        client->reset();
        break;
      case 1:
        client->half_close();
        break;
      case 2:
        client->send(std::array<std::byte, 2>{});
        break;
      default:
        break;
    }
    open.push_back(std::move(client));
    if (open.size() > 30) open.erase(open.begin() + static_cast<std::ptrdiff_t>(prng.below(30)));
  }
  open.clear();
  const auto sum = [](const StreamCounts& counts) {
    return std::accumulate(counts.ends.begin(), counts.ends.end(), std::uint64_t{0});
  };
  EXPECT_TRUE(wait([&](const StreamCounts& counts) {
    return counts.open == 0 && sum(counts) >= counts.accepted;
  }));
  // One that was reset before it was accepted may be nobody's.
  EXPECT_LE(sum(server_->counts()), kCount);
  Client last(at());
  EXPECT_TRUE(last.send(framed_query(9)));
  EXPECT_EQ(last.ids(1), std::vector<unsigned>{9});
}

TEST_F(StreamServerTest, new_ones_wait_while_it_is_stopped_and_open_ones_are_served_on) {
  start(1);
  Client held(at());
  ASSERT_TRUE(held.send(framed_query(1)));
  EXPECT_EQ(held.ids(1), std::vector<unsigned>{1});
  server_->stop();
  Client waiting(at());
  ASSERT_TRUE(waiting.send(framed_query(2)));
  ASSERT_TRUE(held.send(framed_query(3)));
  EXPECT_EQ(held.ids(1), std::vector<unsigned>{3});
  EXPECT_EQ(server_->counts().accepted, 1U);
  server_->begin();
  EXPECT_EQ(waiting.ids(1), std::vector<unsigned>{2});
  server_->stop();
  server_->begin_drain();
  EXPECT_TRUE(held.rest().empty());
  EXPECT_TRUE(waiting.rest().empty());
  EXPECT_TRUE(wait([this](const StreamCounts&) { return server_->drained(); }));
}

TEST_F(StreamServerTest, without_descriptors_the_one_that_was_idle_longest_gives_place) {
  start(1);
  std::vector<std::unique_ptr<Client>> open;
  for (unsigned i = 0; i < 5; ++i) {
    open.push_back(std::make_unique<Client>(at()));
    ASSERT_TRUE(open.back()->send(framed_query(1)));
    EXPECT_EQ(open.back()->ids(1).size(), 1U);
  }
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
  // The next client's socket is the last one that there may be.
  const int next = ::dup(STDERR_FILENO);
  ::close(next);
  rlimit tight = before;
  tight.rlim_cur = static_cast<rlim_t>(next) + 1;
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &tight), 0);
  Client late(at());
  EXPECT_TRUE(late.send(framed_query(2)));
  EXPECT_EQ(late.ids(1), std::vector<unsigned>{2});
  EXPECT_EQ(::setrlimit(RLIMIT_NOFILE, &before), 0);
  EXPECT_TRUE(open[0]->rest().empty());
  ASSERT_TRUE(open[1]->send(framed_query(3)));
  EXPECT_EQ(open[1]->ids(1), std::vector<unsigned>{3});
  const StreamCounts counts = server_->counts();
  EXPECT_GE(counts.accept_errors, 1U);
  EXPECT_EQ(counts.of(StreamEnd::kCrowdedOut), 1U);
}

TEST_F(StreamServerTest, ends_with_connections_open) {
  start(2);
  std::vector<std::unique_ptr<Client>> open;
  for (unsigned i = 0; i < 20; ++i) {
    open.push_back(std::make_unique<Client>(at()));
    ASSERT_TRUE(open.back()->send(framed_query(1)));
    EXPECT_EQ(open.back()->ids(1).size(), 1U);
  }
  server_.reset();
  for (const auto& client : open) EXPECT_TRUE(client->rest().empty());
}

// Over `client`, by hand.
class SecureClient {
 public:
  SecureClient(Client& client, const net::testing::TestCertificate& authority) : client_(client) {
    net::TlsClientOptions options;
    options.protocol = std::string(net::kDnsOverTlsProtocol);
    options.ca_pem = authority.certificate_pem();
    auto context = net::TlsClientContext::create(options);
    tls_ = std::move(net::TlsSession::client(std::move(context).value(), {"dns.test", {}})).value();
    while (tls_->state() == net::TlsSession::State::kHandshake && exchange()) {
    }
  }
  net::TlsSession& tls() { return *tls_; }
  bool exchange() {
    flush();
    std::array<std::byte, 4096> room;
    const ssize_t got = ::recv(client_.fd(), room.data(), room.size(), 0);
    if (got <= 0) return false;
    tls_->feed(Bytes(room).first(static_cast<std::size_t>(got)));
    flush();
    return true;
  }
  std::size_t read(std::size_t wanted) {
    std::size_t out = 0;
    std::array<std::byte, 4096> room;
    for (;;) {
      while (const std::size_t count = tls_->read(room)) out += count;
      if (out >= wanted || !exchange()) return out;
    }
  }
  void flush() {
    while (!tls_->outgoing().empty() && client_.send(tls_->outgoing())) {
      tls_->sent(tls_->outgoing().size());
    }
  }

 private:
  Client& client_;
  std::unique_ptr<net::TlsSession> tls_;
};

TEST_F(StreamServerTest, serves_by_tls_and_says_farewell) {
  want_tls();
  start();
  Client client(at());
  SecureClient secure(client, files_.authority());
  ASSERT_EQ(secure.tls().state(), net::TlsSession::State::kOpen) << secure.tls().fault_text();
  secure.tls().write(queries(100));
  secure.flush();
  const std::size_t one = framed_query(0).size();  // refused: the question comes back
  EXPECT_EQ(secure.read(100 * one), 100 * one);
  secure.tls().close();
  secure.flush();
  secure.read(1);
  EXPECT_EQ(secure.tls().state(), net::TlsSession::State::kClosed);
  EXPECT_TRUE(wait_ended(StreamEnd::kClient, 1));
  EXPECT_EQ(server_->counts().handshakes[0], 1U);
}

TEST_F(StreamServerTest, survives_rubbish_and_cuts_anywhere_in_a_handshake) {
  want_tls();
  config_.max_connections = 8;
  start();
  Prng prng(3);
  net::TlsClientOptions options;
  options.protocol = std::string(net::kDnsOverTlsProtocol);
  options.ca_pem = files_.authority().certificate_pem();
  const auto context = net::TlsClientContext::create(options).value();
  for (int i = 0; i < 120; ++i) {
    const auto session = std::move(net::TlsSession::client(context, {"dns.test", {}})).value();
    std::vector<std::byte> hello(session->outgoing().begin(), session->outgoing().end());
    hello.resize(1 + prng.below(hello.size()));
    if (i % 2 == 0) hello[prng.below(hello.size())] ^= std::byte{0x55};
    Client client(at());
    client.send(hello);
    if (i % 3 == 0) client.reset();
  }
  EXPECT_TRUE(wait([](const StreamCounts& counts) { return counts.open <= 8; }));
  Client client(at());
  SecureClient secure(client, files_.authority());
  EXPECT_EQ(secure.tls().state(), net::TlsSession::State::kOpen);
}

}  // namespace
}  // namespace timepool::dnsd
