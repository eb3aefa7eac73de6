#include "dnsd/keyed_answer.h"

#include <algorithm>
#include <optional>

#include "base/check.h"
#include "sys/clock.h"
#include "wire/dns/message.h"
#include "wire/dns/query.h"

namespace timepool::dnsd {
namespace {

using dns::Reason;
using dns::TransferMachine;
using wire::dns::Header;
using wire::dns::Query;
using wire::dns::Rcode;
using wire::dns::RrType;

// So many octets hold the longest record, which next() wants room for.
constexpr std::size_t kMinRoom = 8192;

class TransferStream : public AnswerStream {
 public:
  TransferStream(TransferMachine machine, std::optional<dns::TsigSigner> signer,
                 std::shared_ptr<const Transfers> keeps)
      : machine_(std::move(machine)), signer_(std::move(signer)), keeps_(std::move(keeps)) {}

  std::size_t next(MutableBytes reply) override {
    const std::size_t proof = signer_ ? signer_->size() : 0;
    std::size_t size = machine_.next(reply.first(reply.size() - proof));
    if (size == 0) return 0;
    // RFC 8945 5.3.1: every message may be signed, and here every one is.
    if (signer_) {
      size = signer_->sign(reply, size, static_cast<std::uint64_t>(sys::unix_now().seconds()));
    }
    keeps_->counters->messages.fetch_add(1, std::memory_order_relaxed);
    keeps_->counters->octets.fetch_add(size, std::memory_order_relaxed);
    return size;
  }

 private:
  TransferMachine machine_;
  std::optional<dns::TsigSigner> signer_;
  std::shared_ptr<const Transfers> keeps_;  // the key is in it
};

// The serial of the client's SOA in the authority section of an IXFR request (RFC 1995 3).
std::optional<std::uint32_t> serial_in(Bytes request) {
  const auto message = wire::dns::parse_message(request);
  if (!message.ok()) return std::nullopt;
  auto cursor = message->records();
  while (const auto record = cursor.next()) {
    if (record->section != wire::dns::Section::kAuthority) continue;
    const wire::dns::Rdata data = message->rdata(*record);
    if (const auto* soa = std::get_if<wire::dns::Soa>(&data)) return soa->serial;
  }
  return std::nullopt;
}

// One answer in the making.
class Keyed {
 public:
  Keyed(const dns::Rx& rx, Bytes request, const Query& query,
        const std::shared_ptr<const Transfers>& transfers, std::uint64_t now, MutableBytes reply)
      : rx_(rx),
        request_(request),
        query_(query),
        transfers_(transfers),
        now_(now),
        reply_(reply) {}

  KeyedAnswer run(const PlainAnswer& plain) {
    if (query_.tsig_offset != 0) {
      static const std::vector<dns::TsigKey> none;
      const auto& keys = transfers_ == nullptr ? none : transfers_->rules->keys;
      auto checked = dns::check_tsig(request_, query_.tsig_offset, keys, now_);
      if (!checked.ok()) return error(Rcode::kFormErr, Reason::kFormErr);
      const bool wrong = checked->error != wire::dns::TsigError::kNone;
      key_ = wrong ? nullptr : checked->key;
      signer_.emplace(std::move(checked).value());
      // RFC 8945 5.2.
      if (wrong) {
        if (transfers_ != nullptr) transfers_->counters->unproved.fetch_add(1);
        return error(Rcode::kNotAuth, Reason::kTsig);
      }
    }
    if (query_.has_question && query_.klass == wire::dns::RrClass::kIn &&
        (query_.type == RrType::kAxfr || query_.type == RrType::kIxfr)) {
      return transfer();
    }
    return ordinary(plain);
  }

 private:
  std::size_t proof_size() const { return signer_ ? signer_->size() : 0; }

  KeyedAnswer error(Rcode rcode, Reason reason) {
    std::copy_n(request_.begin(), query_.question_end, reply_.begin());
    Header header;
    header.id = query_.header.id;
    header.flags =
        static_cast<std::uint16_t>(Header::kQr | (query_.header.flags & (0x7800U | Header::kRd)));
    header.set_rcode(rcode);
    header.question_count = query_.has_question ? 1 : 0;
    header.additional_count = query_.edns ? 1 : 0;
    ByteWriter head(reply_);
    write(head, header);
    std::size_t size = query_.question_end;
    if (query_.edns) {
      ByteWriter opt(reply_.subspan(size));
      wire::dns::write_opt(opt, wire::dns::EdnsHeader(), {});
      size += opt.size();
    }
    return finish(size, rcode, reason);
  }

  // The names of a stranger's key and algorithm may be longer than what an answer by UDP holds:
  // then it goes without them.
  KeyedAnswer finish(std::size_t size, Rcode rcode, Reason reason) {
    if (signer_ && signer_->size() > reply_.size() - size) signer_.reset();
    if (signer_) size = signer_->sign(reply_, size, now_);
    return {size, reason, rcode, key_ != nullptr, nullptr};
  }

  // What anybody may ask, with a proof on the answer.
  KeyedAnswer ordinary(const PlainAnswer& plain) {
    std::vector<std::byte> bare(request_.begin(), request_.begin() + query_.tsig_offset);
    const auto additional = static_cast<std::uint16_t>(query_.header.additional_count - 1);
    bare[10] = static_cast<std::byte>(additional >> 8);
    bare[11] = static_cast<std::byte>(additional & 0xff);
    const std::size_t room = reply_.size() - std::min(proof_size(), reply_.size());
    if (room >= wire::dns::kMaxPlainUdp) {
      const dns::Outcome outcome = plain(bare, reply_.first(room));
      return finish(outcome.length, outcome.rcode, outcome.reason);
    }
    // Without EDNS there are 512 octets: what does not fit beside the proof comes by TCP.
    std::vector<std::byte> whole(wire::dns::kMaxPlainUdp);
    dns::Outcome outcome = plain(bare, whole);
    if (outcome.length > room) {
      outcome.length = dns::shorten_to_truncated(whole, outcome.parts());
      outcome.reason = Reason::kTruncated;
    }
    std::copy_n(whole.begin(), outcome.length, reply_.begin());
    return finish(outcome.length, outcome.rcode, outcome.reason);
  }

  void count(TransferEnd end) {
    if (transfers_ == nullptr) return;
    transfers_->counters->ends[static_cast<std::size_t>(end)].fetch_add(1,
                                                                        std::memory_order_relaxed);
  }
  KeyedAnswer refuse(Rcode rcode, Reason reason = Reason::kRefusedTransfer) {
    count(TransferEnd::kRefused);
    return error(rcode, reason);
  }

  KeyedAnswer transfer() {
    if (transfers_ == nullptr) return refuse(Rcode::kRefused);
    const std::string zone = zone_key(query_.name);
    if (!transfers_->rules->allows(rx_.source, key_, zone)) return refuse(Rcode::kRefused);
    const auto at = transfers_->zones.find(zone);
    // RFC 5936 2.2.1.
    if (at == transfers_->zones.end()) return refuse(Rcode::kNotAuth);
    const dns::ZoneHistory& history = *at->second;
    const TransferMachine::Question question{query_.header.id, query_.header.flags, query_.name,
                                             query_.type, query_.edns.has_value()};
    if (query_.type == RrType::kAxfr) {
      // RFC 5936 4.2: there is none by UDP.
      if (!rx_.tcp) return refuse(Rcode::kRefused);
      count(TransferEnd::kAxfr);
      return begin(TransferMachine::whole(question, history.current()));
    }
    const auto serial = serial_in(request_);
    if (!serial) return refuse(Rcode::kFormErr, Reason::kFormErr);
    // RFC 1995 2: by UDP the SOA alone, which sends a client that is behind to TCP.
    auto machine =
        TransferMachine::changes(question, history, rx_.tcp ? *serial : history.current()->serial);
    count(machine.is_single()        ? TransferEnd::kIxfrCurrent
          : machine.is_incremental() ? TransferEnd::kIxfr
                                     : TransferEnd::kIxfrWhole);
    return begin(std::move(machine));
  }

  // By UDP: one SOA, or that it did not fit.
  KeyedAnswer whole_by_udp(TransferMachine machine) {
    std::vector<std::byte> whole(kMinRoom);
    std::size_t size = machine.next(whole);
    if (size + proof_size() > reply_.size()) {
      dns::ReplyParts parts;
      parts.length = static_cast<std::uint16_t>(size);
      parts.question_end = query_.question_end;
      size = dns::shorten_to_truncated(whole, parts);
    }
    std::copy_n(whole.begin(), size, reply_.begin());
    return finish(size, Rcode::kNoError, Reason::kTransfer);
  }

  KeyedAnswer begin(TransferMachine machine) {
    if (!rx_.tcp) return whole_by_udp(std::move(machine));
    // A connection's messages may be the longest, and a key of ours adds less than 400 octets.
    CHECK(reply_.size() >= kMinRoom + proof_size());
    auto stream =
        std::make_unique<TransferStream>(std::move(machine), std::move(signer_), transfers_);
    const std::size_t size = stream->next(reply_);
    return {size, Reason::kTransfer, Rcode::kNoError, key_ != nullptr, std::move(stream)};
  }

  const dns::Rx& rx_;
  const Bytes request_;
  const Query& query_;
  const std::shared_ptr<const Transfers>& transfers_;
  const std::uint64_t now_;
  const MutableBytes reply_;
  const dns::TsigKey* key_ = nullptr;
  std::optional<dns::TsigSigner> signer_;
};

}  // namespace

KeyedAnswer answer_keyed(const dns::Rx& rx, Bytes request,
                         const std::shared_ptr<const Transfers>& transfers, std::uint64_t now,
                         const PlainAnswer& plain, MutableBytes reply) {
  const auto query = wire::dns::parse_query(request);
  CHECK(query.ok());  // respond() has read it
  const std::size_t room = rx.tcp ? reply.size() : std::min(reply.size(), query->udp_limit());
  return Keyed(rx, request, *query, transfers, now, reply.first(room)).run(plain);
}

}  // namespace timepool::dnsd
