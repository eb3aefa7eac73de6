#include "up/dns_client.h"

#include <poll.h>

#include <array>

#include "sys/clock.h"
#include "sys/random.h"
#include "sys/udp_socket.h"
#include "wire/dns/message.h"
#include "wire/dns/message_writer.h"

namespace timepool::up {
namespace {

namespace dns = wire::dns;

constexpr std::size_t kBuffer = 4096;
constexpr std::uint16_t kUdpSize = 1232;

Error failure(const Endpoint& server, std::string detail) {
  return {ErrorCode::kUnavailable, "ask DNS at " + format(server), std::move(detail)};
}

Result<std::vector<std::byte>> query(std::uint16_t id, const std::string& name, dns::RrType type) {
  const auto parsed = dns::DnsName::from_text(name);
  if (!parsed.ok()) return fail(Error{ErrorCode::kInvalid, name, "this is no domain name"});
  std::vector<std::byte> out(512);
  dns::MessageWriter writer(out);
  dns::Header header;
  header.id = id;
  writer.header(header);
  dns::EdnsHeader edns;
  edns.udp_size = kUdpSize;
  CHECK(writer.question(*parsed, type) && writer.opt(edns));
  out.resize(writer.finish().size());
  return out;
}

// The answer to one question, as message that lies in `buffer`.
Result<dns::Message> exchange(const Endpoint& server, const std::string& name, dns::RrType type,
                              Duration timeout, std::span<std::byte> buffer) {
  const auto id = static_cast<std::uint16_t>(sys::random_u64());
  const std::vector<std::byte> request = TRY(query(id, name, type));
  sys::UdpSocket socket = TRY(sys::UdpSocket::connect(server, {}));
  TRY(socket.send(request));
  const MonoTime end = sys::mono_now() + timeout;
  while (true) {
    const Duration left = end - sys::mono_now();
    if (left <= Duration()) return fail(failure(server, "no answer within " + format(timeout)));
    pollfd waiting{socket.fd(), POLLIN, 0};
    ::poll(&waiting, 1, static_cast<int>(left.ns() / 1'000'000) + 1);
    const auto datagram = TRY(socket.receive(buffer));
    if (!datagram) continue;
    const auto message = dns::parse_message(Bytes(buffer).first(datagram->length));
    if (!message.ok()) return fail(failure(server, "a malformed answer"));
    if (message->header().id != id || !message->header().has(dns::Header::kQr)) continue;
    if (message->rcode() != dns::Rcode::kNoError && message->rcode() != dns::Rcode::kNxDomain) {
      return fail(failure(server, dns::format(message->rcode())));
    }
    return *message;
  }
}

}  // namespace

Result<std::vector<IpAddress>> ask_dns(const Endpoint& server, const std::string& name,
                                       dns::RrType type, Duration timeout) {
  std::array<std::byte, kBuffer> buffer;
  const dns::Message message = TRY(exchange(server, name, type, timeout, buffer));
  std::vector<IpAddress> out;
  dns::RecordCursor records = message.records();
  while (const auto record = records.next()) {
    if (record->section != dns::Section::kAnswer) continue;
    if (record->type != dns::RrType::kA && record->type != dns::RrType::kAaaa) continue;
    out.push_back(IpAddress::from_bytes(record->rdata));
  }
  return out;
}

Result<std::size_t> count_records(const Endpoint& server, const std::string& name, dns::RrType type,
                                  Duration timeout) {
  std::array<std::byte, kBuffer> buffer;
  const dns::Message message = TRY(exchange(server, name, type, timeout, buffer));
  std::size_t out = 0;
  dns::RecordCursor records = message.records();
  while (const auto record = records.next()) {
    if (record->section == dns::Section::kAnswer && record->type == type) ++out;
  }
  return out;
}

}  // namespace timepool::up
