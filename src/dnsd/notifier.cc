#include "dnsd/notifier.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "sys/clock.h"
#include "sys/random.h"
#include "sys/signal_flag.h"
#include "sys/udp_socket.h"
#include "wire/dns/message.h"
#include "wire/dns/message_writer.h"
#include "wire/dns/query.h"

namespace timepool::dnsd {
namespace {

using wire::dns::Header;
using wire::dns::Opcode;
using wire::dns::Rcode;

// Sent at one go; what is due besides comes right after.
constexpr std::size_t kMaxBatch = 256;
constexpr std::size_t kMaxAnswer = 4096;
constexpr int kMaxReceived = 256;
constexpr std::int64_t kLongestWait = 60'000;  // ms

std::uint64_t unix_seconds() {
  return static_cast<std::uint64_t>(sys::unix_now().seconds());
}

// RFC 1996 3.7: the question is the zone's SOA, and the answer section has the new one as a hint.
std::size_t write_notice(const dns::NotifyQueue::Notice& notice, MutableBytes out) {
  wire::dns::MessageWriter writer(out);
  Header header;
  header.id = notice.id;
  header.set_opcode(Opcode::kNotify);
  header.set(Header::kAa);
  writer.header(header);
  const dns::ZoneVersion& zone = *notice.zone;
  bool fits = writer.question(zone.origin, wire::dns::RrType::kSoa);
  fits = fits && writer.raw(wire::dns::Section::kAnswer, zone.origin, wire::dns::RrType::kSoa,
                            wire::dns::RrClass::kIn, zone.soa.ttl, zone.soa.rdata);
  return fits ? writer.finish().size() : 0;
}

}  // namespace

Result<std::unique_ptr<Notifier>> Notifier::create(const config::DnsdTransferConfig& config,
                                                   sys::Logger& logger) {
  std::unique_ptr<Notifier> out(new Notifier(logger));
  out->wake_.reset(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC));
  if (!out->wake_) return fail(system_error(errno, "eventfd"));
  out->v4_ = TRY(sys::make_socket(AF_INET, SOCK_DGRAM));
  if (auto v6 = sys::make_socket(AF_INET6, SOCK_DGRAM); v6.ok()) out->v6_ = std::move(*v6);
  out->configure(config);
  return out;
}

Notifier::~Notifier() {
  stop_ = true;
  wake();
  if (thread_.joinable()) thread_.join();
}

void Notifier::configure(const config::DnsdTransferConfig& config) {
  rules_ = TransferRules::make(config);
  targets_.clear();
  queue_.clear();
  proofs_.clear();
  for (const auto& from : config.notify) {
    Target target{from.address, rules_->find_key(from.key), {}};
    for (const std::string& zone : from.zones) {
      target.zones.insert(zone_key(wire::dns::DnsName::from_text(zone).value()));
    }
    targets_.push_back(std::move(target));
  }
}

void Notifier::reconfigure(const config::DnsdTransferConfig& config) {
  const std::lock_guard lock(mutex_);
  configure(config);
}

void Notifier::wake() {
  const std::uint64_t one = 1;
  if (::write(wake_.number(), &one, sizeof one) < 0) errno = 0;  // it is awake then
}

void Notifier::start() {
  thread_ = std::thread([this] {
    sys::block_all_signals();
    run();
  });
}

void Notifier::add(const std::vector<std::shared_ptr<const dns::ZoneVersion>>& zones) {
  const std::lock_guard lock(mutex_);
  const MonoTime now = sys::mono_now();
  for (const auto& zone : zones) {
    const std::string key = zone_key(zone->origin);
    for (std::size_t i = 0; i < targets_.size(); ++i) {
      if (!targets_[i].zones.empty() && !targets_[i].zones.contains(key)) continue;
      const auto id = static_cast<std::uint16_t>(sys::random_u64());
      if (!queue_.add(i, zone, id, now)) {
        logger_.error("notices of changed zones: more than {} are waiting; {} is not told to {}",
                      dns::NotifyQueue::kMaxPending, format(zone->origin),
                      format(targets_[i].address));
      }
    }
  }
  wake();
}

NotifierCounts Notifier::counts() const {
  return {sent_, answered_, refused_, given_up_};
}

void Notifier::run() {
  while (!stop_) {
    std::int64_t wait = kLongestWait;
    {
      const std::lock_guard lock(mutex_);
      if (const auto next = queue_.next()) {
        wait = std::clamp<std::int64_t>((*next - sys::mono_now()).ns() / 1'000'000 + 1, 0, wait);
      }
    }
    std::array<pollfd, 3> fds{{{wake_.number(), POLLIN, 0},
                               {v4_.number(), POLLIN, 0},
                               {v6_ ? v6_.number() : -1, POLLIN, 0}}};
    ::poll(fds.data(), fds.size(), static_cast<int>(wait));
    std::uint64_t count = 0;
    if (::read(wake_.number(), &count, sizeof count) < 0) errno = 0;
    for (const pollfd& fd : {fds[1], fds[2]}) {
      if ((fd.revents & POLLIN) != 0) receive(fd.fd);
    }
    send_due();
  }
}

void Notifier::send_due() {
  const std::lock_guard lock(mutex_);
  std::vector<dns::NotifyQueue::Notice> given_up;
  for (const auto& notice : queue_.due(sys::mono_now(), kMaxBatch, given_up)) send(notice);
  for (const auto& notice : given_up) {
    ++given_up_;
    proofs_.erase({notice.target, zone_key(notice.zone->origin)});
    logger_.warning("{} was told {} times that {} has serial {}, and did not answer",
                    format(targets_[notice.target].address), notice.tries,
                    format(notice.zone->origin), notice.zone->serial);
  }
}

void Notifier::send(const dns::NotifyQueue::Notice& notice) {
  const Target& target = targets_[notice.target];
  std::array<std::byte, 2048> message;
  std::size_t size = write_notice(notice, message);
  if (size == 0) return;
  if (target.key != nullptr) {
    dns::TsigSigner signer(*target.key, unix_seconds());
    size = signer.sign(message, size, unix_seconds());
    proofs_[{notice.target, zone_key(notice.zone->origin)}] = signer.last();
  }
  const bool v4 = target.address.address.is_v4();
  if (!v4 && !v6_) return;
  sockaddr_storage address{};
  const socklen_t length = sys::to_sockaddr(target.address, address);
  // What can't be sent is tried again, as what gets no answer.
  if (::sendto((v4 ? v4_ : v6_).number(), message.data(), size, 0,
               reinterpret_cast<const sockaddr*>(&address), length) > 0) {
    ++sent_;
  }
}

void Notifier::receive(int socket) {
  std::array<std::byte, kMaxAnswer> buffer;
  for (int i = 0; i < kMaxReceived; ++i) {
    sockaddr_storage address{};
    socklen_t length = sizeof address;
    const ssize_t size = ::recvfrom(socket, buffer.data(), buffer.size(), MSG_DONTWAIT,
                                    reinterpret_cast<sockaddr*>(&address), &length);
    if (size <= 0) return;
    const auto from = sys::from_sockaddr(address);
    if (from) take(*from, Bytes(buffer).first(static_cast<std::size_t>(size)));
  }
}

// RFC 1996 4.7: an answer from the address that was told, with the same id and question.
void Notifier::take(const Endpoint& from, Bytes bytes) {
  const auto message = wire::dns::parse_message(bytes);
  if (!message.ok() || !message->header().has(Header::kQr)) return;
  if (message->header().opcode() != Opcode::kNotify || message->questions().size() != 1) return;
  const std::lock_guard lock(mutex_);
  for (std::size_t i = 0; i < targets_.size(); ++i) {
    const Target& target = targets_[i];
    if (!(target.address == from)) continue;
    const wire::dns::DnsName zone = message->questions()[0].name;
    const auto* notice = queue_.find(i, zone, message->header().id);
    if (notice == nullptr) continue;
    if (target.key != nullptr) {
      auto cursor = message->records();
      std::size_t tsig = 0;
      std::size_t end = wire::dns::kHeaderSize + zone.size() + 4;
      while (const auto record = cursor.next()) {
        if (record->type == wire::dns::RrType::kTsig) tsig = end;
        end = record->rdata_offset + record->rdata.size();
      }
      const auto proof = proofs_.find({i, zone_key(zone)});
      if (tsig == 0 || proof == proofs_.end() ||
          !dns::verify_answer(bytes, tsig, *target.key, proof->second, unix_seconds())) {
        continue;
      }
    }
    finish(i, *notice, static_cast<unsigned>(message->header().rcode()));
    return;
  }
}

void Notifier::finish(std::size_t target, const dns::NotifyQueue::Notice& notice, unsigned rcode) {
  const wire::dns::DnsName zone = notice.zone->origin;
  if (rcode == 0) {
    ++answered_;
  } else {
    ++refused_;
    logger_.warning("{} answers {} when told that {} has serial {}",
                    format(targets_[target].address), wire::dns::format(static_cast<Rcode>(rcode)),
                    format(zone), notice.zone->serial);
  }
  proofs_.erase({target, zone_key(zone)});
  queue_.done(target, zone);
}

}  // namespace timepool::dnsd
