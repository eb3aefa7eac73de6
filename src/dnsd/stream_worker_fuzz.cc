// Any octets on a connection of DNS over TCP (RFC 7766), cut in pieces: each whole message has its
// answer in its place, up to the first that gets none; what is left of one is answered by nothing,
// and the connection ends. Over a real socket on loopback; the first octet is the pieces' size.
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <memory>
#include <vector>

#include "base/check.h"
#include "dnsd/serving_testing.h"
#include "dnsd/stream_server.h"
#include "sys/log.h"
#include "sys/udp_socket.h"

namespace {

using namespace timepool;  // NOLINT: a test program of one file
using namespace timepool::dnsd;

constexpr std::size_t kLength = 2;
// All of it is taken at once, and its answers fit in the socket.
constexpr std::size_t kMaxInput = 4096;
constexpr std::size_t kMaxMessage = StreamWorker::kMaxMessage;

class Server {
 public:
  Server() {
    StreamServerOptions options;
    options.listen = {{IpAddress::v4(0x7f00'0001), 0, 0}};
    options.transport = "TCP";
    options.setting = "[tcp] listen";
    options.most = 100;
    config_.threads = 1;
    server_ =
        StreamServer::create(config_, std::move(options), [this] { return handler(); }).value();
    server_->begin();
  }
  std::unique_ptr<QueryHandler> handler() {
    return std::make_unique<QueryHandler>(serving_, HandlerPlace(), &log_);
  }
  const Endpoint& at() const { return server_->addresses().front(); }

 private:
  net::Published<Serving> serving_{dnsd::testing::nothing_served()};
  config::DnsdConnectionsConfig config_;
  sys::Logger logger_{"fuzz", sys::LogLevel::kError};
  QueryLog log_{1, logger_};
  std::unique_ptr<StreamServer> server_;
};

std::size_t length_at(Bytes in) {
  return std::to_integer<std::size_t>(in[0]) << 8 | std::to_integer<std::size_t>(in[1]);
}

// The first two octets of each message that is to be answered, as one handler by itself says.
struct Expected {
  std::vector<unsigned> ids;
  bool broken = false;  // after them comes one that gets no answer
};

Expected expected_of(QueryHandler& handler, Bytes stream) {
  std::vector<std::byte> room(kMaxMessage);
  dns::Rx rx;
  rx.source = IpAddress::v4(0x7f00'0001);
  rx.tcp = true;
  Expected out;
  handler.begin_batch();
  while (stream.size() >= kLength && stream.size() - kLength >= length_at(stream)) {
    const Bytes query = stream.subspan(kLength, length_at(stream));
    stream = stream.subspan(kLength + query.size());
    out.broken = handler.answer_stream(rx, query, room) == 0;
    // Nothing is served, so that nothing has several messages.
    CHECK(handler.take_stream() == nullptr);
    if (out.broken) break;
    CHECK(query.size() >= kLength);
    out.ids.push_back(static_cast<unsigned>(length_at(query)));
  }
  return out;
}

void send_all(int fd, Bytes bytes, std::size_t piece) {
  while (!bytes.empty()) {
    const std::size_t size = std::min(piece, bytes.size());
    // The server may have ended it.
    if (::send(fd, bytes.data(), size, MSG_NOSIGNAL) < 0) return;
    bytes = bytes.subspan(size);
  }
  ::shutdown(fd, SHUT_WR);
}

std::vector<std::byte> receive_all(int fd) {
  std::vector<std::byte> out;
  std::array<std::byte, 4096> room;
  for (;;) {
    const ssize_t count = ::recv(fd, room.data(), room.size(), 0);
    if (count <= 0) return out;
    out.insert(out.end(), room.begin(), room.begin() + count);
  }
}

// The first two octets of each answer; all of them are whole.
std::vector<unsigned> ids_of(Bytes answers) {
  std::vector<unsigned> out;
  while (!answers.empty()) {
    CHECK(answers.size() >= kLength && answers.size() - kLength >= length_at(answers));
    const Bytes message = answers.subspan(kLength, length_at(answers));
    constexpr std::size_t kHeader = 12;
    CHECK(message.size() >= kHeader);
    out.push_back(static_cast<unsigned>(length_at(message)));
    answers = answers.subspan(kLength + message.size());
  }
  return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2 || size > kMaxInput) return 0;
  // Its thread ends with the process.
  static Server& server = *new Server;
  static const std::unique_ptr<QueryHandler> handler = server.handler();
  const Bytes stream = std::as_bytes(std::span(data + 1, size - 1));
  const std::size_t piece = data[0] == 0 ? stream.size() : data[0];

  const sys::Fd socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_storage address{};
  const socklen_t length = sys::to_sockaddr(server.at(), address);
  const timeval patience{20, 0};
  ::setsockopt(socket.number(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  CHECK(::connect(socket.number(), reinterpret_cast<sockaddr*>(&address), length) == 0);
  send_all(socket.number(), stream, piece);
  const std::vector<unsigned> answered = ids_of(receive_all(socket.number()));

  const Expected expected = expected_of(*handler, stream);
  CHECK(answered.size() <= expected.ids.size());
  CHECK(std::equal(answered.begin(), answered.end(), expected.ids.begin()));
  // Octets behind what broke it make the system throw away what was not read yet.
  if (!expected.broken) CHECK(answered.size() == expected.ids.size());
  return 0;
}
