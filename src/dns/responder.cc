#include "dns/responder.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "base/byte_writer.h"
#include "base/check.h"
#include "dns/cookie.h"
#include "wire/dns/edns.h"
#include "wire/dns/header.h"
#include "wire/dns/query.h"

namespace timepool::dns {
namespace {

using wire::dns::Header;
using wire::dns::Malformed;
using wire::dns::NameView;
using wire::dns::Query;
using wire::dns::Rcode;
using wire::dns::RrClass;
using wire::dns::RrType;
using Set = CompiledZones::Set;
using ZoneInfo = CompiledZones::ZoneInfo;

// A CNAME that leads to another name of ours is followed this often.
constexpr int kMaxChain = 8;

// One reply in the making. Records are counted as they are written; finish() puts the header.
class Reply {
 public:
  Reply(const Rx& rx, const CompiledZones& zones, const ResponderSettings& settings, Prng& prng,
        MutableBytes out)
      : rx_(rx), zones_(zones), settings_(settings), prng_(prng), out_(out) {}

  // Copies the question as it was sent, with the case of its letters.
  void begin(Bytes datagram, const Query& query) {
    query_ = &query;
    size_ = query.question_end;
    std::memcpy(out_.data(), datagram.data(), size_);
    limit_ = rx_.tcp ? out_.size()
                     : std::min({query.udp_limit(), std::size_t{settings_.max_udp}, out_.size()});
    // Every limit leaves room for the question and the options: 512 at least.
    if (query.edns) limit_ -= opt_size();
  }
  // Only the header is certain to be one.
  Outcome malformed(Bytes datagram, Malformed malformed) {
    Outcome outcome{
        Verdict::kReply, Reason::kFormErr, wire::dns::rcode_for(malformed), {}, 0, false};
    if (malformed == Malformed::kOpcode) outcome.reason = Reason::kNotImpOpcode;
    std::memcpy(out_.data(), datagram.data(), wire::dns::kHeaderSize);
    const auto flags = static_cast<std::uint16_t>(std::to_integer<unsigned>(datagram[2]) << 8 |
                                                  std::to_integer<unsigned>(datagram[3]));
    put_header(flags, outcome.rcode, false, 0);
    outcome.length = wire::dns::kHeaderSize;
    return outcome;
  }

  Outcome answer() {
    Outcome outcome;
    outcome.verdict = Verdict::kReply;
    outcome.type = query_->has_question ? query_->type : RrType{};
    outcome.client_subnet = query_->edns && query_->edns->client_subnet;
    outcome.reason = reply_to_query();
    outcome.rcode = rcode_;
    if (truncated_) outcome.reason = Reason::kTruncated;
    outcome.length = finish();
    return outcome;
  }

 private:
  Reason refuse(Reason reason, Rcode rcode) {
    rcode_ = rcode;
    return reason;
  }

  Reason reply_to_query() {
    if (query_->edns && query_->edns->header.version != 0) {
      return refuse(Reason::kBadVersion, Rcode::kBadVers);
    }
    if (query_->tsig_offset != 0) return refuse(Reason::kTsig, Rcode::kNotAuth);
    if (!query_->has_question) return Reason::kCookieOnly;
    if (query_->klass == RrClass::kCh) return chaos();
    if (query_->klass != RrClass::kIn) return refuse(Reason::kRefusedClass, Rcode::kRefused);
    switch (query_->type) {
      case RrType::kAxfr:
      case RrType::kIxfr:
        return refuse(Reason::kRefusedTransfer, Rcode::kRefused);
      case RrType::kOpt:
      case RrType::kNxname:  // RFC 9824 3.2
        return refuse(Reason::kFormErr, Rcode::kFormErr);
      default:
        break;
    }
    if (is_meta(query_->type) && query_->type != RrType::kAny) {
      return refuse(Reason::kNotImpType, Rcode::kNotImp);
    }
    return follow(query_->name, wire::dns::kHeaderSize, 0);
  }

  // The answer for `name`, which stands uncompressed at `at` in the reply.
  Reason follow(NameView name, std::size_t at, int depth) {
    const HashedName hashed(name);
    const CompiledZones::Place place = zones_.find(hashed);
    if (place.zone == nullptr) {
      // The end of a CNAME is left to the resolver when it is not ours.
      return depth > 0 ? Reason::kAnswered : refuse(Reason::kRefusedZone, Rcode::kRefused);
    }
    authoritative_ = true;
    const ZoneInfo& zone = *place.zone;
    const std::size_t apex_at = at + name.size() - zone.origin.size();
    if (place.node == nullptr) {
      put_soa(zone, apex_at);
      return refuse(Reason::kNxDomain, Rcode::kNxDomain);
    }
    const bool any = query_->type == RrType::kAny;
    // For ANY a CNAME is still the one right answer; else the minimal one, if there is any type.
    const auto* entry = zones_.entry(*place.node, any ? RrType::kCname : query_->type);
    const Set* set = entry == nullptr ? nullptr : zones_.set(*entry, client_class(*entry, zone));
    if (set == nullptr && any && place.node->entry_count > 0) {
      put_hinfo(zone, at);
      return Reason::kAnyMinimal;
    }
    if (set == nullptr) {
      put_soa(zone, apex_at);
      return Reason::kNoData;
    }
    const std::size_t records_at = size_;
    put_set(*set, at);
    if (set->type == RrType::kCname && query_->type != RrType::kCname && !any && !truncated_ &&
        depth < kMaxChain) {
      // A single record: its data is the next name, and stands in the reply without compression.
      const std::size_t target_at = records_at + CompiledZones::kRecordHead;
      const auto target =
          NameView::from_valid_wire(Bytes(out_).subspan(target_at, size_ - target_at));
      const Reason rest = follow(target, target_at, depth + 1);
      return rest == Reason::kNxDomain ? rest : Reason::kAnswered;
    }
    return Reason::kAnswered;
  }

  // RFC 7871 7.2.1: the subnet's class, and how much of the subnet the answer depends on.
  std::uint32_t client_class(const CompiledZones::Entry& entry, const ZoneInfo& zone) {
    if (!entry.by_class) return ClassTable::kUnknown;
    const auto& edns = query_->edns;
    if (edns && edns->client_subnet && edns->client_subnet->source > 0) {
      const ClassTable::Found found = zone.classes->find(edns->client_subnet->address.unmapped());
      scope_ = std::max(scope_, found.scope);
      // Where nothing is known of the subnet, the resolver's own place is the best guess, for the
      // whole of the scope alike.
      if (found.index != ClassTable::kUnknown) return found.index;
    }
    return zone.classes->find(rx_.source).index;
  }

  bool fits(std::size_t bytes) {
    if (!truncated_ && size_ + bytes <= limit_) return true;
    truncated_ = true;
    return false;
  }
  void put16(std::size_t at, std::size_t value) {
    out_[at] = static_cast<std::byte>(value >> 8 & 0xff);
    out_[at + 1] = static_cast<std::byte>(value & 0xff);
  }
  // A record of the snapshot, its owner a pointer to `owner_at`.
  bool put_record(Bytes record, std::size_t owner_at) {
    // RFC 1035 4.1.4: a pointer has 14 bits. Only long answers by TCP go beyond, with a chain.
    if (!fits(record.size()) || owner_at > 0x3fff) {
      truncated_ = true;
      return false;
    }
    std::memcpy(out_.data() + size_, record.data(), record.size());
    put16(size_, 0xc000 | owner_at);
    size_ += record.size();
    return true;
  }

  void put_set(const Set& set, std::size_t owner_at) {
    if (!set.weighted || set.take > kMaxTake) {
      // All of them, from a random one on, so that none is always first.
      std::uint32_t at = set.count > 1 ? static_cast<std::uint32_t>(prng_.below(set.count)) : 0;
      for (std::uint32_t i = 0; i < set.take; ++i) {
        if (!put_record(zones_.record(set, at), owner_at)) return;
        ++answers_;
        if (++at == set.count) at = 0;
      }
      return;
    }
    std::array<std::uint32_t, kMaxTake> drawn;
    const std::size_t count = draw(zones_.weighted(set), prng_, std::span(drawn).first(set.take));
    for (std::size_t i = 0; i < count; ++i) {
      if (!put_record(zones_.record(set, drawn[i]), owner_at)) return;
      ++answers_;
    }
  }

  void put_soa(const ZoneInfo& zone, std::size_t apex_at) {
    if (put_record(zones_.soa(zone), apex_at)) ++authorities_;
  }

  // RFC 8482 4.2.
  void put_hinfo(const ZoneInfo& zone, std::size_t owner_at) {
    std::array<std::byte, 32> bytes;
    ByteWriter record(bytes);
    record.u16(0);
    record.u16(static_cast<std::uint16_t>(RrType::kHinfo));
    record.u16(static_cast<std::uint16_t>(RrClass::kIn));
    record.u32(zone.ttl);
    record.u16(9);
    record.u8(7);
    record.text("RFC8482");
    record.u8(0);
    if (put_record(record.written(), owner_at)) ++answers_;
  }

  // RFC 4892 and its elders: what software this is, and which of several.
  Reason chaos() {
    authoritative_ = true;
    const auto is = [this](std::string_view first, std::string_view second) {
      static_assert(sizeof("version") <= wire::dns::kMaxLabel);
      std::string_view want[2] = {first, second};
      std::size_t i = 0;
      if (query_->name.label_count() != 2) return false;
      for (const std::string_view label : query_->name.labels()) {
        if (label.size() != want[i].size()) return false;
        for (std::size_t k = 0; k < label.size(); ++k) {
          if ((label[k] | 0x20) != want[i][k]) return false;
        }
        ++i;
      }
      return true;
    };
    const bool version = is("version", "bind") || is("version", "server");
    const bool identity = is("id", "server") || is("hostname", "bind");
    const std::string& text = version ? settings_.version : settings_.identity;
    if ((!version && !identity) || text.empty() ||
        (query_->type != RrType::kTxt && query_->type != RrType::kAny)) {
      authoritative_ = false;
      return refuse(Reason::kRefusedClass, Rcode::kRefused);
    }
    std::array<std::byte, CompiledZones::kRecordHead + 1 + kMaxIdentity> bytes;
    ByteWriter record(bytes);
    record.u16(0);
    record.u16(static_cast<std::uint16_t>(RrType::kTxt));
    record.u16(static_cast<std::uint16_t>(RrClass::kCh));
    record.u32(0);
    record.u16(static_cast<std::uint16_t>(text.size() + 1));
    record.u8(static_cast<std::uint8_t>(text.size()));
    record.text(text);
    CHECK(record.ok());  // the settings were checked against kMaxIdentity
    if (put_record(record.written(), wire::dns::kHeaderSize)) ++answers_;
    return Reason::kChaos;
  }

  // --- EDNS ---

  bool wants_nsid() const { return query_->edns->nsid && !settings_.identity.empty(); }
  bool wants_keepalive() const {
    return query_->edns->keepalive && rx_.tcp && settings_.tcp_keepalive != 0;
  }
  static std::size_t address_size(const wire::dns::ClientSubnet& subnet) {
    return (std::size_t{subnet.source} + 7) / 8;
  }
  std::size_t opt_size() const {
    const auto& edns = *query_->edns;
    std::size_t size = wire::dns::kOptSize;
    if (edns.header.version != 0) return size;
    if (wants_nsid()) size += 4 + settings_.identity.size();
    if (edns.client_subnet) size += 4 + 4 + address_size(*edns.client_subnet);
    if (edns.cookie) size += 4 + 8 + ServerCookie().size();
    if (wants_keepalive()) size += 4 + 2;
    return size;
  }

  void put_opt() {
    const auto& edns = *query_->edns;
    ByteWriter out(out_.subspan(size_));
    out.u8(0);
    out.u16(static_cast<std::uint16_t>(RrType::kOpt));
    out.u16(settings_.max_udp);
    out.u8(static_cast<std::uint8_t>(static_cast<unsigned>(rcode_) >> 4));
    out.u8(0);
    out.u16(edns.header.flags & wire::dns::EdnsHeader::kDo);  // RFC 3225 3
    out.u16(static_cast<std::uint16_t>(opt_size() - wire::dns::kOptSize));
    if (edns.header.version == 0) put_options(edns, out);
    CHECK(out.ok() && out.size() == opt_size());
    size_ += out.size();
  }

  void put_options(const wire::dns::Edns& edns, ByteWriter& out) {
    const auto head = [&out](wire::dns::OptionCode code, std::size_t size) {
      out.u16(static_cast<std::uint16_t>(code));
      out.u16(static_cast<std::uint16_t>(size));
    };
    if (wants_nsid()) {
      head(wire::dns::OptionCode::kNsid, settings_.identity.size());
      out.text(settings_.identity);
    }
    if (edns.client_subnet) {
      const auto& subnet = *edns.client_subnet;
      head(wire::dns::OptionCode::kClientSubnet, 4 + address_size(subnet));
      out.u16(subnet.family);
      out.u8(subnet.source);
      out.u8(scope_);
      out.bytes(subnet.address.bytes().first(address_size(subnet)));
    }
    if (edns.cookie) {
      head(wire::dns::OptionCode::kCookie, 8 + ServerCookie().size());
      out.bytes(edns.cookie->client);
      put_server_cookie(*edns.cookie, out);
    }
    if (wants_keepalive()) {
      head(wire::dns::OptionCode::kKeepalive, 2);
      out.u16(settings_.tcp_keepalive);
    }
  }

  void put_server_cookie(const wire::dns::Cookie& cookie, ByteWriter& out) const {
    const CookieState state = check_server_cookie(settings_.cookie_secret, cookie.client,
                                                  cookie.server, rx_.source, rx_.now);
    if (state == CookieState::kFresh) {
      out.bytes(cookie.server);
    } else {
      out.bytes(make_server_cookie(settings_.cookie_secret, cookie.client, rx_.source, rx_.now));
    }
  }

  // --- header ---

  std::uint16_t finish() {
    if (truncated_) {
      // RFC 2181 9: no partial record set; the client asks again by TCP. By TCP itself the limit is
      // the longest message that there is.
      size_ = query_->question_end;
      answers_ = authorities_ = 0;
      if (rcode_ != Rcode::kNxDomain) rcode_ = Rcode::kNoError;
    }
    if (query_->edns) put_opt();
    put_header(query_->header.flags, rcode_, query_->has_question, query_->edns ? 1 : 0);
    return static_cast<std::uint16_t>(size_);
  }

  // The id stands there already.
  void put_header(std::uint16_t query_flags, Rcode rcode, bool question, std::size_t additional) {
    // RA, Z, AD and CD are clear (RFC 4035 3.1.6 has CD ignored here).
    unsigned flags = Header::kQr | (query_flags & (0x7800U | Header::kRd));
    if (authoritative_) flags |= Header::kAa;
    if (truncated_) flags |= Header::kTc;
    put16(2, flags | (static_cast<unsigned>(rcode) & 0xf));
    put16(4, question ? 1 : 0);
    put16(6, answers_);
    put16(8, authorities_);
    put16(10, additional);
  }

  const Rx& rx_;
  const CompiledZones& zones_;
  const ResponderSettings& settings_;
  Prng& prng_;
  MutableBytes out_;
  const Query* query_ = nullptr;
  std::size_t size_ = 0;
  std::size_t limit_ = 0;  // of question and records; what OPT needs is kept free behind it
  std::size_t answers_ = 0;
  std::size_t authorities_ = 0;
  Rcode rcode_ = Rcode::kNoError;
  std::uint8_t scope_ = 0;
  bool authoritative_ = false;
  bool truncated_ = false;
};

Outcome dropped(Malformed malformed) {
  Outcome out;
  out.reason = malformed == Malformed::kIsResponse ? Reason::kDroppedResponse
               : malformed == Malformed::kTooLong  ? Reason::kDroppedLong
                                                   : Reason::kDroppedShort;
  return out;
}

}  // namespace

Outcome respond(const Rx& rx, Bytes datagram, const CompiledZones& zones,
                const ResponderSettings& settings, Prng& prng, MutableBytes out) {
  CHECK(out.size() >= wire::dns::kMaxPlainUdp);
  out = out.first(std::min(out.size(), wire::dns::kMaxMessage));
  Query query;
  const auto parsed = wire::dns::parse_query_into(datagram, query);
  Reply reply(rx, zones, settings, prng, out);
  if (!parsed.ok()) {
    if (wire::dns::must_drop(parsed.error())) return dropped(parsed.error());
    return reply.malformed(datagram, parsed.error());
  }
  reply.begin(datagram, query);
  return reply.answer();
}

Explanation explain(const CompiledZones& zones, NameView name, RrType type,
                    const IpAddress& address) {
  Explanation out;
  const CompiledZones::Place place = zones.find(HashedName(name));
  if (place.zone == nullptr) return out;
  out.in_zone = true;
  out.zone = format(place.zone->origin);
  const ClassTable::Found found = place.zone->classes->find(address.unmapped());
  out.client = place.zone->classes->classes()[found.index];
  if (place.node == nullptr) return out;
  const auto* entry = zones.entry(*place.node, type);
  if (entry == nullptr) return out;
  if (entry->by_class) out.scope = found.scope;
  const Set* set = zones.set(*entry, found.index);
  if (set == nullptr) return out;
  out.label = zones.label_of(*set);
  out.records = set->count;
  out.taken = set->take;
  return out;
}

}  // namespace timepool::dns
