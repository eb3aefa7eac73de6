#include "dnsd/ds_lookup.h"

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "sys/clock.h"
#include "sys/fd.h"
#include "sys/random.h"
#include "sys/udp_socket.h"
#include "wire/dns/message.h"
#include "wire/dns/message_writer.h"

namespace timepool::dnsd {
namespace {

using namespace wire::dns;

constexpr std::uint16_t kUdpSize = 1232;
constexpr std::size_t kMaxRecords = 64;

Error unavailable(const std::string& why) {
  return Error{ErrorCode::kUnavailable, "[dnssec] resolver", why};
}

Error not_an_answer(const std::string& why) {
  return Error{ErrorCode::kInvalid, "[dnssec] resolver", why};
}

// Waits until the socket is ready for `events`; false when the time is over.
bool wait(int fd, short events, MonoTime deadline) {
  for (;;) {
    const std::int64_t left = (deadline - sys::mono_now()).ns() / 1'000'000;
    if (left <= 0) return false;
    pollfd polled{fd, events, 0};
    const int ready = ::poll(&polled, 1, static_cast<int>(left));
    if (ready > 0) return true;
    if (ready < 0 && errno != EINTR) return false;
  }
}

Result<sys::Fd> connected(const Endpoint& to, int type, MonoTime deadline) {
  sockaddr_storage address{};
  const socklen_t size = sys::to_sockaddr(to, address);
  sys::Fd fd(::socket(address.ss_family, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!fd) return fail(system_error(errno, "[dnssec] resolver: socket"));
  if (::connect(fd.number(), reinterpret_cast<const sockaddr*>(&address), size) < 0 &&
      errno != EINPROGRESS) {
    return fail(system_error(errno, "[dnssec] resolver: connect to " + format(to)));
  }
  if (type == SOCK_STREAM && !wait(fd.number(), POLLOUT, deadline)) {
    return fail(unavailable("no connection to " + format(to)));
  }
  return fd;
}

Result<void> send_all(int fd, Bytes bytes, MonoTime deadline) {
  while (!bytes.empty()) {
    const ssize_t count = ::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0 && errno == EAGAIN && wait(fd, POLLOUT, deadline)) continue;
    if (count < 0) return fail(system_error(errno, "[dnssec] resolver: send"));
    bytes = bytes.subspan(static_cast<std::size_t>(count));
  }
  return {};
}

// At most `out.size()` octets; 0 at the end of a stream.
Result<std::size_t> receive(int fd, MutableBytes out, MonoTime deadline) {
  while (wait(fd, POLLIN, deadline)) {
    const ssize_t count = ::recv(fd, out.data(), out.size(), 0);
    if (count >= 0) return static_cast<std::size_t>(count);
    if (errno != EINTR && errno != EAGAIN) {
      return fail(system_error(errno, "[dnssec] resolver: receive"));
    }
  }
  return fail(unavailable("no answer in time"));
}

Result<std::vector<std::byte>> by_udp(const Endpoint& to, Bytes question, MonoTime deadline) {
  const sys::Fd fd = TRY(connected(to, SOCK_DGRAM, deadline));
  TRY(send_all(fd.number(), question, deadline));
  std::vector<std::byte> out(kUdpSize);
  out.resize(TRY(receive(fd.number(), out, deadline)));
  return out;
}

// RFC 1035 4.2.2: two octets of length before each message.
Result<std::vector<std::byte>> by_tcp(const Endpoint& to, Bytes question, MonoTime deadline) {
  const sys::Fd fd = TRY(connected(to, SOCK_STREAM, deadline));
  std::vector<std::byte> framed(2 + question.size());
  ByteWriter writer(framed);
  writer.u16(static_cast<std::uint16_t>(question.size()));
  writer.bytes(question);
  TRY(send_all(fd.number(), framed, deadline));
  std::vector<std::byte> out(2 + kMaxMessage);
  std::size_t have = 0;
  for (std::size_t want = 2; have < want;) {
    const std::size_t count =
        TRY(receive(fd.number(), MutableBytes(out).subspan(have, want - have), deadline));
    if (count == 0) return fail(unavailable("the connection ended"));
    have += count;
    if (have == 2) want = 2 + std::size_t{ByteReader(Bytes(out).first(2)).u16()};
  }
  out.resize(have);
  out.erase(out.begin(), out.begin() + 2);
  return out;
}

}  // namespace

std::vector<std::byte> ds_question(NameView zone, std::uint16_t id) {
  std::vector<std::byte> out(kMaxPlainUdp);
  MessageWriter writer(out);
  Header header;
  header.id = id;
  header.set(Header::kRd);
  header.set(Header::kAd);
  writer.header(header);
  EdnsHeader edns;
  edns.udp_size = kUdpSize;
  CHECK(writer.question(zone, RrType::kDs) && writer.opt(edns));
  out.resize(writer.finish().size());
  return out;
}

Result<DsSet> parse_ds_answer(Bytes answer, NameView zone, std::uint16_t id) {
  const auto message = parse_message(answer);
  if (!message.ok()) return fail(not_an_answer("what came is no DNS message"));
  const auto& questions = message->questions();
  if (message->header().id != id || !message->header().has(Header::kQr) || questions.size() != 1 ||
      questions[0].type != RrType::kDs || !(questions[0].name.view() == zone)) {
    return fail(not_an_answer("what came answers another question"));
  }
  if (message->header().has(Header::kTc)) return fail(unavailable("the answer is cut off"));
  const Rcode code = message->rcode();
  if (code != Rcode::kNoError) {
    return fail(unavailable("DS of " + format(zone) + ": " + format(code)));
  }
  // Somebody's forged "the new DS is there" would have the old key leave too early.
  if (!message->header().has(Header::kAd) && !message->header().has(Header::kAa)) {
    return fail(unavailable("DS of " + format(zone) +
                            ": the answer is not proved: the resolver does not validate, or the "
                            "zone above is not signed"));
  }
  DsSet out;
  RecordCursor records = message->records();
  while (const auto record = records.next()) {
    if (record->section != Section::kAnswer || record->type != RrType::kDs ||
        !(record->owner.view() == zone) || out.size() == kMaxRecords) {
      continue;
    }
    out.emplace_back(record->rdata.begin(), record->rdata.end());
  }
  return out;
}

Result<DsSet> look_up_ds(const Endpoint& resolver, NameView zone, Duration timeout) {
  const MonoTime deadline = sys::mono_now() + timeout;
  const auto id = static_cast<std::uint16_t>(sys::random_u64());
  const std::vector<std::byte> question = ds_question(zone, id);
  const std::vector<std::byte> answer = TRY(by_udp(resolver, question, deadline));
  const auto message = parse_message(answer);
  if (!message.ok() || !message->header().has(Header::kTc))
    return parse_ds_answer(answer, zone, id);
  return parse_ds_answer(TRY(by_tcp(resolver, question, deadline)), zone, id);
}

}  // namespace timepool::dnsd
